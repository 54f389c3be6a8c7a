# Prints recurrent.h: mean cumulative function (survfit with id, and the formula of Meeker and
# Escobar), Laplace and chi-squared trend, power law by optim, imperfect repair by optim.
suppressMessages(library(survival))
set.seed(5)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) ifelse(is.na(x), "NAN", sprintf("%.17g", x))
cat("/* Written by tests/golden/recurrent.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
units <- 12
rows <- NULL
for (u in 1:units) {
    end <- round(runif(1, 300, 800)); begin <- if (u %in% c(3, 7)) round(runif(1, 50, 150)) else 0
    t <- begin
    repeat { t <- (t^1.6 + rexp(1) * 220^1.6)^(1 / 1.6); if (t > end) break; rows <- rbind(rows, c(u, round(t), 1, begin)) }
    rows <- rbind(rows, c(u, end, 0, begin))
}
rows <- unique(rows)
put("rc_unit", "size_t", rows[, 1] - 1); put("rc_time", "double", num(rows[, 2])); put("rc_event", "bool", ifelse(rows[, 3] == 1, "true", "false")); put("rc_entry", "double", num(rows[, 4]))
U <- rows[, 1]; T <- rows[, 2]; E <- rows[, 3] == 1; B <- rows[, 4]
end <- tapply(T, U, max); begin <- tapply(B, U, min)
ages <- sort(unique(T[E])); mean <- 0; A <- rep(0, units); out <- NULL
for (t in ages) {
    risk <- begin < t & t <= end; n <- sum(risk); d <- sapply(1:units, function(u) sum(E & U == u & T == t))
    mean <- mean + sum(d) / n; A <- A + ifelse(risk, (d - sum(d) / n) / n, 0)
    out <- rbind(out, c(t, n, sum(d), mean, sqrt(sum(A^2))))
}
start <- unlist(lapply(split(seq_along(T), U), function(k) c(begin[U[k[1]]], head(T[k], -1))))
s <- survfit(Surv(start, T, E) ~ 1, id = U, timefix = FALSE)
k <- match(ages, s$time)
stopifnot(max(abs(s$cumhaz[k] - out[, 4])) < 1e-10, max(abs(s$std.chaz[k] - out[, 5])) < 1e-8)
cat("static const double rc_mcf[][5] = {\n"); cat(sprintf("{%.17g, %.17g, %.17g, %.17g, %.17g},\n", out[, 1], out[, 2], out[, 3], out[, 4], out[, 5]), sep = ""); cat("};\n")
ev <- T[E]; eu <- U[E]; n <- table(factor(eu, 1:units))
z <- (sum(ev) - sum(n * (begin + end) / 2)) / sqrt(sum(n * (end - begin)^2 / 12))
put("rc_laplace", "double", num(c(z, 2 * pnorm(-abs(z)))))
ll <- function(q) { b <- exp(q[1]); s <- exp(q[2]); sum(log(b) - log(s) + (b - 1) * log(ev / s)) - sum((end / s)^b - (begin / s)^b) }
fit <- function(f, q) {
    q <- optim(q, f, control = list(fnscale = -1, reltol = 1e-14, maxit = 9000))$par
    k <- length(q)
    slope <- function(q) sapply(1:k, function(j) { g <- function(h) { e <- rep(0, k); e[j] <- h; (f(q + e) - f(q - e)) / (2 * h) }; (4 * g(1e-3) - g(2e-3)) / 3 })
    hess <- function(q) sapply(1:k, function(j) { g <- function(h) { e <- rep(0, k); e[j] <- h; (slope(q + e) - slope(q - e)) / (2 * h) }; (4 * g(1e-3) - g(2e-3)) / 3 })
    for (i in 1:6) q <- q - solve(hess(q), slope(q))
    list(q = q, v = solve(-hess(q)), value = f(q))
}
f <- fit(ll, c(0, 6))
put("rc_power", "double", num(c(exp(f$q), f$value, f$v[1, 1], f$v[1, 2], f$v[2, 2])))
# One unit, failure truncated: the ten failure times of NIST/SEMATECH 8.4.5.1, stopped at the last.
x <- c(5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478); n <- length(x)
b <- n / sum(log(x[n] / x[-n]))
put("nist_failure", "double", num(c(b, x[n] / n^(1 / b), b * (n - 2) / n, b * qchisq(c(0.05, 0.95), 2 * (n - 1)) / (2 * n))))
put("nist_chi", "double", num({ s <- 2 * sum(log(x[n] / x[-n])); c(s, 2 * min(pchisq(s, 2 * (n - 1)), 1 - pchisq(s, 2 * (n - 1)))) }))
b <- n / sum(log(1500 / x))
put("nist_time", "double", num(c(b, 1500 / n^(1 / b), b * (n - 1) / n, b * qchisq(c(0.05, 0.95), 2 * n) / (2 * n))))
# Imperfect repair: 10 units, type II with q 0.5.
ku <- NULL
for (u in 1:10) { v <- 0; t <- 0
    repeat { gap <- 100 * ((v / 100)^2.2 + rexp(1))^(1 / 2.2) - v; if (t + gap > 900) break; t <- t + gap; v <- 0.5 * (v + gap); ku <- rbind(ku, c(u, round(t, 1), 1)) }
    ku <- rbind(ku, c(u, 900, 0)) }
put("kj_unit", "size_t", ku[, 1] - 1); put("kj_time", "double", num(ku[, 2])); put("kj_event", "bool", ifelse(ku[, 3] == 1, "true", "false"))
for (type in 1:2) {
    f <- function(p) { b <- exp(p[1]); s <- exp(p[2]); q <- p[3]; sum <- 0
        for (u in 1:10) { x <- ku[ku[, 1] == u, 2]; e <- ku[ku[, 1] == u, 3] == 1; v <- 0; last <- 0
            for (i in seq_along(x)) { g <- x[i] - last; if (e[i]) sum <- sum + log(b / s) + (b - 1) * log((v + g) / s)
                sum <- sum - ((v + g) / s)^b + (v / s)^b; v <- if (type == 1) v + q * g else q * (v + g); last <- x[i] } }
        sum }
    k <- fit(f, c(0.7, 4.6, 0.4))
    free <- function(q) optim(k$q[1:2], function(p) f(c(p, q)), control = list(fnscale = -1, reltol = 1e-13, maxit = 5000))$value
    low <- if (free(0) < k$value - qchisq(0.9, 1) / 2) uniroot(function(q) free(q) - k$value + qchisq(0.9, 1) / 2, c(0, k$q[3]), tol = 1e-8)$root else 0
    high <- if (free(1) < k$value - qchisq(0.9, 1) / 2) uniroot(function(q) free(q) - k$value + qchisq(0.9, 1) / 2, c(k$q[3], 1), tol = 1e-8)$root else 1
    put(sprintf("kj_%d", type), "double", num(c(exp(k$q[1:2]), k$q[3], k$value, free(0), free(1), low, high)))
}
cat("/* clang-format on */\n")
