# Prints life_interval.h: fits with left, right and interval censoring (survreg; gamma, left
# truncation and the threshold by optim), profile limits, Turnbull (EM here, checked against
# survfit), the Anderson-Darling distance of complete and censored lives.
suppressMessages(library(survival))
set.seed(77)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) ifelse(is.infinite(x), ifelse(x > 0, "INFINITY", "-INFINITY"), sprintf("%.17g", x))
cat("/* Written by tests/golden/life_interval.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
n <- 60
life <- 500 * rweibull(n, 1.8, 1)
every <- sample(c(60, 100, 150), n, TRUE)
lower <- floor(life / every) * every
upper <- lower + every
last <- sample(c(600, 900), n, TRUE)
running <- lower >= last
lower[running] <- last[running]; upper[running] <- Inf
exact <- !running & runif(n) < 0.3
lower[exact] <- upper[exact] <- round(life[exact], 1)
weight <- sample(1:2, n, TRUE)
entry <- ifelse(runif(n) < 0.4, floor(lower * 0.5), 0)
put("iv_lower", "double", num(lower)); put("iv_upper", "double", num(ifelse(running | exact, 0, upper)))
put("iv_failed", "bool", ifelse(running, "false", "true")); put("iv_weight", "double", num(weight)); put("iv_entry", "double", num(entry))
S <- list(
    weibull = function(t, q) pweibull(t, exp(q[1]), exp(q[2]), FALSE), lognormal = function(t, q) plnorm(t, q[2], exp(q[1]), FALSE),
    loglogistic = function(t, q) plogis((log(t) - q[2]) * exp(q[1]), lower.tail = FALSE),
    gamma = function(t, q) pgamma(t, exp(q[1]), scale = exp(q[2]), lower.tail = FALSE),
    gumbel = function(t, q) ifelse(t == 0, 1, exp(-exp((t - 1000 * q[1]) / exp(q[2])))))
d <- list(
    weibull = function(t, q) dweibull(t, exp(q[1]), exp(q[2])), lognormal = function(t, q) dlnorm(t, q[2], exp(q[1])),
    loglogistic = function(t, q) dlogis((log(t) - q[2]) * exp(q[1])) * exp(q[1]) / t,
    gamma = function(t, q) dgamma(t, exp(q[1]), scale = exp(q[2])),
    gumbel = function(t, q) { z <- (t - 1000 * q[1]) / exp(q[2]); exp(z - exp(z) - q[2]) })
start <- list(weibull = c(0.5, 6.2), lognormal = c(-0.4, 6), loglogistic = c(1, 6), gamma = c(1, 5), gumbel = c(0.6, 5.4))
loglik <- function(name, q, late) {
    x <- suppressWarnings(ifelse(exact, log(d[[name]](lower, q)), log(S[[name]](lower, q) - ifelse(running, 0, S[[name]](upper, q)))))
    if (late) x <- x - ifelse(entry > 0, log(S[[name]](entry, q)), 0)
    sum(weight * x)
}
slope <- function(f, q) sapply(1:2, function(j) { g <- function(h) { e <- c(0, 0); e[j] <- h; (f(q + e) - f(q - e)) / (2 * h) }
    (4 * g(1e-3) - g(2e-3)) / 3 })
hess <- function(f, q) sapply(1:2, function(j) { g <- function(h) { e <- c(0, 0); e[j] <- h; (slope(f, q + e) - slope(f, q - e)) / (2 * h) }
    (4 * g(1e-3) - g(2e-3)) / 3 })
fits <- list()
for (name in names(S)) for (late in c(FALSE, TRUE)) {
    f <- function(q) loglik(name, q, late)
    q <- optim(start[[name]], f, control = list(fnscale = -1, reltol = 1e-14, maxit = 5000))$par
    for (k in 1:8) q <- q - solve(hess(f, q), slope(f, q))
    v <- solve(-hess(f, q))
    first <- if (name == "gumbel") 1000 * q[1] else exp(q[1])
    if (name == "gumbel") { v[1, ] <- v[1, ] * 1000; v[, 1] <- v[, 1] * 1000 }
    fits[[paste(name, late)]] <- c(first, exp(q[2]))
    put(sprintf("iv_%s%s", name, if (late) "_late" else ""), "double", num(c(first, exp(q[2]), f(q), v[1, 1], v[1, 2], v[2, 2])))
}
control <- survreg.control(rel.tolerance = 1e-12, maxiter = 500)
surv <- Surv(ifelse(lower == 0, NA, lower), ifelse(running, NA, upper), type = "interval2")
for (k in c("weibull", "lognormal", "loglogistic")) { # survreg drops nothing of these: a check of this script
    s <- survreg(surv ~ 1, weights = weight, dist = k, control = control)
    want <- if (k == "lognormal") c(s$scale, exp(coef(s))) else c(1 / s$scale, exp(coef(s)))
    stopifnot(max(abs(fits[[paste(k, FALSE)]] / want - 1)) < 1e-5)
}
s <- survreg(surv ~ 1, weights = weight, dist = "exponential", control = control)
put("iv_exponential", "double", num(c(exp(coef(s)), s$loglik[1], s$var[1, 1])))
s <- survreg(surv ~ 1, weights = weight, dist = "weibull", scale = 1 / 2, control = control)
put("iv_shape2", "double", num(c(exp(coef(s)), s$loglik[1], s$var[1, 1])))
# Profile limits at 0.95 (lognormal and gamma): first low, high, scale low, high.
for (name in c("lognormal", "gamma")) {
    q <- log(fits[[paste(name, FALSE)]]); best <- loglik(name, q, FALSE)
    profile <- function(fixed, x) optimize(function(y) loglik(name, if (fixed == 1) c(x, y) else c(y, x), FALSE),
        q[3 - fixed] + c(-2, 2), maximum = TRUE, tol = 1e-12)$objective
    limit <- function(fixed, from, to) exp(uniroot(function(x) profile(fixed, x) - best + qchisq(0.95, 1) / 2, c(from, to), tol = 1e-12)$root)
    put(sprintf("iv_profile_%s", name), "double", num(c(limit(1, q[1] - 1.2, q[1]), limit(1, q[1], q[1] + 1.2), limit(2, q[2] - 1.2, q[2]), limit(2, q[2], q[2] + 1.2))))
}
# Turnbull: EM over the innermost intervals, all steps.
edge <- rbind(cbind(lower, ifelse(exact, 0, 2)), cbind(upper, 1))
o <- order(edge[, 1], edge[, 2]); e <- edge[o, ]
k <- which(e[-nrow(e), 2] != 1 & e[-1, 2] == 1)
lo <- e[k, 1]; hi <- e[k + 1, 1]
A <- outer(seq_len(n), seq_along(lo), function(i, j) ifelse(exact[i], lo[j] == lower[i] & hi[j] == lower[i], lo[j] >= lower[i] & hi[j] <= upper[i] & !(lo[j] == hi[j] & lo[j] == lower[i])))
p <- rep(1 / length(lo), length(lo))
for (it in 1:200000) { den <- as.vector(A %*% p); p2 <- p * as.vector(t(A) %*% (weight / den)) / sum(weight); if (max(abs(p2 - p)) < 1e-13) break; p <- p2 }
keep <- p > 1e-9
fit <- survfit(surv ~ 1, weights = weight)
for (t in c(200, 400, 600, 850)) stopifnot(abs(min(c(1, fit$surv[fit$time <= t])) - (1 - sum(p[hi <= t]))) < 0.02)
cat("static const double iv_turnbull[][3] = {\n"); cat(sprintf("{%s, %s, %.17g},\n", num(lo[keep]), num(hi[keep]), p[keep]), sep = ""); cat("};\n")
# Three parameters: complete lives with a threshold, and the same censored at 900.
n3 <- 80
t3 <- round(300 + 400 * rweibull(n3, 1.6, 1), 1)
put("w3_time", "double", num(t3))
for (end in c(Inf, 700)) {
    failed <- t3 <= end; t <- pmin(t3, end)
    f <- function(g) { s <- survreg(Surv(t - g, failed) ~ 1, dist = "weibull", control = control); s$loglik[1] }
    g <- optimize(f, c(200, min(t3) - 0.01), maximum = TRUE, tol = 1e-10)$maximum
    s <- survreg(Surv(t - g, failed) ~ 1, dist = "weibull", control = control)
    put(if (is.infinite(end)) "w3_fit" else "w3_fit_700", "double", num(c(1 / s$scale, exp(coef(s)), g, s$loglik[1])))
    low <- uniroot(function(x) f(x) - f(g) + qchisq(0.9, 1) / 2, c(0, g), tol = 1e-8)$root
    high <- if (f(min(t) - 1e-4) < f(g) - qchisq(0.9, 1) / 2) uniroot(function(x) f(x) - f(g) + qchisq(0.9, 1) / 2, c(g, min(t) - 1e-4), tol = 1e-8)$root else NA
    put(if (is.infinite(end)) "w3_limits" else "w3_limits_700", "double", num(c(low, high)))
}
# Profile limits at 0.9 of the other two, the threshold free: the scale has a closed form given shape and
# threshold, the shape a search given scale and threshold.
for (end in c(Inf, 700)) {
    failed <- t3 <= end; t <- pmin(t3, end)
    ll <- function(b, eta, g) sum(ifelse(failed, dweibull(t - g, b, eta, TRUE), pweibull(t - g, b, eta, FALSE, TRUE)))
    top <- function(f, from, to) optimize(f, c(from, to), maximum = TRUE, tol = 1e-10)$objective
    by_shape <- function(b) top(function(g) ll(b, (sum((t - g)^b) / sum(failed))^(1 / b), g), 100, min(t) - 1e-6)
    by_scale <- function(eta) top(function(g) top(function(x) ll(exp(x), eta, g), 0, 3), 0, min(t) - 1e-6)
    best <- optim(c(0.5, 6, 295), function(q) { v <- suppressWarnings(ll(exp(q[1]), exp(q[2]), q[3])); if (is.finite(v)) -v else 1e9 }, control = list(reltol = 1e-15, maxit = 9000))
    best <- optim(best$par, function(q) { v <- suppressWarnings(ll(exp(q[1]), exp(q[2]), q[3])); if (is.finite(v)) -v else 1e9 }, control = list(reltol = 1e-15, maxit = 9000))
    drop <- -best$value - qchisq(0.9, 1) / 2
    root <- function(f, from, to) uniroot(function(x) f(x) - drop, c(from, to), extendInt = "yes", tol = 1e-9)$root
    b <- exp(best$par[1]); eta <- exp(best$par[2])
    put(if (is.infinite(end)) "w3_profile" else "w3_profile_700", "double",
        num(c(root(by_shape, b * 0.7, b), root(by_shape, b, b * 1.4), root(by_scale, eta * 0.8, eta), root(by_scale, eta, eta * 1.2))))
}
# A^2 of complete lives against Weibull(1.7, 800), the formula of Anderson and Darling.
z <- sort(pweibull(t3, 1.7, 800))
i <- seq_along(z)
put("ad_complete", "double", num(-n3 - mean((2 * i - 1) * (log(z) + log(1 - rev(z))))))
# The same censored at 700, by integrate over the steps of Kaplan-Meier up to the last failure.
k <- survfit(Surv(pmin(t3, 700), t3 <= 700) ~ 1); k <- summary(k)
Fn <- c(0, 1 - k$surv); z <- c(0, pweibull(k$time, 1.7, 800))
put("ad_700", "double", num(n3 * sum(sapply(seq_along(k$time), function(j) integrate(function(u) (Fn[j] - u)^2 / (u * (1 - u)), z[j], z[j + 1], rel.tol = 1e-10)$value))))
cat("/* clang-format on */\n")
