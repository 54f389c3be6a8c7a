# Prints life_modes.h: cumulative incidence of competing modes (survfit; the variance by its formula),
# a mixture of two Weibulls by optim, the posterior of a Weibull shape by integrate.
suppressMessages(library(survival))
set.seed(9)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) ifelse(is.na(x), "NAN", sprintf("%.17g", x))
cat("/* Written by tests/golden/life_modes.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
n <- 50
a <- 400 * rweibull(n, 1.2); b <- 500 * rweibull(n, 3); c <- runif(n, 100, 800)
t <- round(pmin(a, b, c) / 10) * 10 + 10; mode <- ifelse(c < pmin(a, b), 0, ifelse(a < b, 1, 2))
entry <- ifelse(runif(n) < 0.3, floor(t / 3), 0)
put("cm_time", "double", num(t)); put("cm_failed", "bool", ifelse(mode > 0, "true", "false")); put("cm_mode", "size_t", mode); put("cm_entry", "double", num(entry))
for (late in c(FALSE, TRUE)) for (m in 1:2) {
    e <- if (late) entry else rep(0, n)
    ages <- sort(unique(t[mode > 0]))
    risk <- sapply(ages, function(x) sum(e < x & x <= t)); d <- sapply(ages, function(x) sum(t == x & mode > 0)); dk <- sapply(ages, function(x) sum(t == x & mode == m))
    S <- cumprod(1 - d / risk); before <- c(1, head(S, -1)); inc <- cumsum(before * dk / risk)
    v <- sapply(seq_along(ages), function(j) { i <- 1:j; x <- (inc[j] - inc[i])^2 * d[i] / (risk[i] * (risk[i] - d[i])); x[inc[j] == inc[i]] <- 0
        sum(x) + sum(before[i]^2 * dk[i] * (risk[i] - dk[i]) / risk[i]^3) - 2 * sum((inc[j] - inc[i]) * before[i] * dk[i] / risk[i]^2) })
    s <- survfit(if (late) Surv(e, t, factor(mode)) ~ 1 else Surv(t, factor(mode)) ~ 1, id = seq_len(n), timefix = FALSE)
    stopifnot(max(abs(s$pstate[match(ages, s$time), m + 1] - inc)) < 1e-12)
    stopifnot(max(abs(s$std.err[match(ages, s$time), m + 1] / sqrt(v) - 1)[dk > 0]) < 0.05) # another estimator of the same
    keep <- dk > 0
    cat(sprintf("static const double cm_%d%s[][4] = {\n", m, if (late) "_late" else "")); cat(sprintf("{%.17g, %.17g, %.17g, %.17g},\n", ages[keep], dk[keep], inc[keep], sqrt(v[keep])), sep = ""); cat("};\n")
}
# Mixture.
n <- 120
x <- round(ifelse(runif(n) < 0.3, 60 * rweibull(n, 1.1), 700 * rweibull(n, 4)), 1) + 0.1
failed <- x <= 750; x <- pmin(x, 750)
put("mx_time", "double", num(x)); put("mx_failed", "bool", ifelse(failed, "true", "false"))
f <- function(q) { p <- plogis(q[1]); g <- function(k) ifelse(failed, dweibull(x, exp(q[1 + k]), exp(q[3 + k])), pweibull(x, exp(q[1 + k]), exp(q[3 + k]), FALSE)); sum(log(p * g(1) + (1 - p) * g(2))) }
q <- c(-0.8, 0.1, 1.4, 4.1, 6.5)
for (i in 1:6) q <- optim(q, f, control = list(fnscale = -1, reltol = 1e-15, maxit = 9000))$par
q <- optim(q, f, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 500), hessian = FALSE)$par
h <- optimHess(q, f, control = list(fnscale = -1, ndeps = rep(1e-4, 5))); v <- diag(solve(-h))
one <- survreg(Surv(x, failed) ~ 1, dist = "weibull")
put("mx_fit", "double", num(c(plogis(q[1]), exp(q[2:5]), f(q), 2 * log(n) - 2 * one$loglik[1])))
put("mx_share_limits", "double", num(plogis(q[1] + c(-1, 1) * qnorm(0.95) * sqrt(v[1]))))
put("mx_shape2_limits", "double", num(exp(q[3] + c(-1, 1) * qnorm(0.95) * sqrt(v[3]))))
# Posterior of a shape: prior log-normal, median 2, sd of the log 0.35; three failures.
y <- c(410, 650, 720, 800, 800, 800, 500, 300); yf <- c(TRUE, TRUE, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE); ye <- c(0, 100, 0, 0, 200, 0, 0, 0)
put("sp_time", "double", num(y)); put("sp_failed", "bool", ifelse(yf, "true", "false")); put("sp_entry", "double", num(ye))
r <- sum(yf); A <- function(b) sapply(b, function(b) sum(y^b - ye^b))
post <- function(l) { b <- exp(l); exp((r - 1) * l + b * sum(log(y[yf])) - r * log(A(b)) + 20 + dnorm(l, log(2), 0.35, TRUE)) }
total <- integrate(post, log(2) - 5 * 0.35, log(2) + 5 * 0.35, rel.tol = 1e-11)$value
cdf <- function(l) integrate(post, log(2) - 5 * 0.35, l, rel.tol = 1e-11)$value / total
quant <- function(p) exp(uniroot(function(l) cdf(l) - p, log(2) + c(-1.7, 1.7), tol = 1e-12)$root)
scdf <- function(x) integrate(function(l) post(l) * pgamma(x^-exp(l) * A(exp(l)), r, lower.tail = FALSE), log(2) - 5 * 0.35, log(2) + 5 * 0.35, rel.tol = 1e-10)$value / total
squant <- function(p) exp(uniroot(function(l) scdf(exp(l)) - p, c(5, 9), tol = 1e-12)$root)
put("sp_want", "double", num(c(quant(0.5), quant(0.05), quant(0.95), squant(0.5), squant(0.05), squant(0.95), 1 - cdf(0))))
cat("/* clang-format on */\n")
