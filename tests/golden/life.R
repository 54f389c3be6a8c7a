# Prints life.h: fits of the life distributions (survreg; gamma and all left-truncated ones by
# optim polished by Newton on numerical derivatives), Weibull profile limits by uniroot, Kaplan-Meier
# by survfit, age replacement by integrate and uniroot.
suppressMessages(library(survival))
set.seed(31)
n <- 50
life <- round(800 * rweibull(n, 2.4, 1))
end <- round(runif(n, 250, 1400))
time <- pmin(life, end)
failed <- life <= end
time[c(5, 9)] <- time[3]; failed[c(3, 5)] <- TRUE; failed[9] <- FALSE
entry <- round(time * ifelse(runif(n) < 0.5, runif(n, 0, 0.9), 0))
weight <- sample(1:3, n, TRUE)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) sprintf("%.17g", x)
cat("/* Written by tests/golden/life.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
put("golden_time", "double", num(time)); put("golden_entry", "double", num(entry))
put("golden_weight", "double", num(weight)); put("golden_failed", "bool", ifelse(failed, "true", "false"))
density <- list(
    weibull = function(t, q) dweibull(t, exp(q[1]), exp(q[2]), TRUE),
    lognormal = function(t, q) dlnorm(t, q[2], exp(q[1]), TRUE),
    loglogistic = function(t, q) { z <- (log(t) - q[2]) * exp(q[1]); dlogis(z, log = TRUE) + q[1] - log(t) },
    gamma = function(t, q) dgamma(t, exp(q[1]), scale = exp(q[2]), log = TRUE),
    gumbel = function(t, q) { z <- (t - 1000 * q[1]) / exp(q[2]); z - exp(z) - q[2] })
survival <- list(
    weibull = function(t, q) pweibull(t, exp(q[1]), exp(q[2]), FALSE, TRUE),
    lognormal = function(t, q) plnorm(t, q[2], exp(q[1]), FALSE, TRUE),
    loglogistic = function(t, q) plogis((log(t) - q[2]) * exp(q[1]), lower.tail = FALSE, log.p = TRUE),
    gamma = function(t, q) pgamma(t, exp(q[1]), scale = exp(q[2]), lower.tail = FALSE, log.p = TRUE),
    gumbel = function(t, q) -exp((t - 1000 * q[1]) / exp(q[2])))
start <- list(weibull = c(1, 6.7), lognormal = c(-0.5, 6.5), loglogistic = c(1, 6.5), gamma = c(1, 5.5), gumbel = c(0.9, 5.6))
loglik <- function(name, q, late) {
    x <- ifelse(failed, density[[name]](time, q), survival[[name]](time, q))
    if (late) x <- x - ifelse(entry > 0, survival[[name]](entry, q), 0)
    sum(weight * x)
}
# Richardson-extrapolated central differences.
slope <- function(f, q) sapply(1:2, function(j) {
    d <- function(h) { e <- c(0, 0); e[j] <- h; (f(q + e) - f(q - e)) / (2 * h) }
    (4 * d(1e-3) - d(2e-3)) / 3 })
fits <- list()
for (name in names(density)) for (late in c(FALSE, TRUE)) {
    f <- function(q) loglik(name, q, late)
    q <- optim(start[[name]], f, control = list(fnscale = -1, reltol = 1e-14, maxit = 5000))$par
    hess <- function(q) sapply(1:2, function(j) {
        d <- function(h) { e <- c(0, 0); e[j] <- h; (slope(f, q + e) - slope(f, q - e)) / (2 * h) }
        (4 * d(1e-3) - d(2e-3)) / 3 })
    for (k in 1:8) q <- q - solve(hess(q), slope(f, q))
    v <- solve(-hess(q))
    first <- if (name == "gumbel") 1000 * q[1] else exp(q[1])
    if (name == "gumbel") { v[1, ] <- v[1, ] * 1000; v[, 1] <- v[, 1] * 1000 }
    fits[[paste(name, late)]] <- c(first, exp(q[2]))
    put(sprintf("golden_%s%s", name, if (late) "_late" else ""), "double",
        num(c(first, exp(q[2]), f(q), v[1, 1], v[1, 2], v[2, 2])))
}
# The same optima by survreg, as a check of this script.
control <- survreg.control(rel.tolerance = 1e-14, maxiter = 500)
for (d in c("weibull", "lognormal", "loglogistic", "extreme")) {
    s <- survreg(Surv(time, failed) ~ 1, weights = weight, dist = d, control = control)
    g <- fits[[paste(if (d == "extreme") "gumbel" else d, FALSE)]]
    want <- switch(d, extreme = c(coef(s), s$scale), lognormal = c(s$scale, exp(coef(s))), c(1 / s$scale, exp(coef(s))))
    stopifnot(max(abs(g / want - 1)) < 1e-7)
}
s <- survreg(Surv(time, failed) ~ 1, weights = weight, dist = "exponential", control = control)
put("golden_exponential", "double", num(c(exp(coef(s)), s$loglik[1], s$var[1, 1])))
# Profile limits at 0.9 of the untruncated Weibull.
best <- loglik("weibull", log(fits[["weibull FALSE"]]), FALSE)
drop <- qchisq(0.9, 1) / 2
profile <- function(fixed, x) optimize(function(y) loglik("weibull", if (fixed == 1) c(x, y) else c(y, x), FALSE),
    if (fixed == 1) c(5, 9) else c(-2, 3), maximum = TRUE, tol = 1e-12)$objective
limit <- function(fixed, from, to) exp(uniroot(function(x) profile(fixed, x) - best + drop, c(from, to), tol = 1e-12)$root)
q <- log(fits[["weibull FALSE"]])
put("golden_profile_shape", "double", num(c(limit(1, q[1] - 1, q[1]), limit(1, q[1], q[1] + 1))))
put("golden_profile_scale", "double", num(c(limit(2, q[2] - 1, q[2]), limit(2, q[2], q[2] + 1))))
# Kaplan-Meier: time, at risk, failures, survival, standard error, limits, Nelson-Aalen.
km <- function(name, formula, w) {
    environment(formula) <- environment()
    k <- summary(survfit(formula, data = data.frame(time, failed, entry, w), weights = w, conf.type = "log-log", conf.int = 0.95, timefix = FALSE, robust = FALSE))
    h <- cumsum(k$n.event / k$n.risk)
    cat(sprintf("static const double %s[][8] = {\n", name))
    cat(sprintf("{%.17g, %.17g, %.17g, %.17g, %.17g, %s, %s, %.17g},\n", k$time, k$n.risk, k$n.event, k$surv, k$std.err,
                ifelse(is.na(k$lower), "NAN", num(k$lower)), ifelse(is.na(k$upper), "NAN", num(k$upper)), h), sep = "")
    cat("};\n")
}
km("golden_km", Surv(time, failed) ~ 1, weight)
km("golden_km_late", Surv(entry, time, failed) ~ 1, rep(1, n))
# Age replacement, planned 1, failure 8: interval, rate, saving of: gamma 3 / 200, lognormal 0.5 /
# 600, loglogistic 4 / 700, gumbel 900 / 150 (given T > 0). Also mean and lived-to at the interval.
replace <- function(dens, surv, high) {
    s0 <- surv(0)
    S <- function(t) surv(t) / s0
    lived <- function(t) integrate(S, 0, t, rel.tol = 1e-13, subdivisions = 2000)$value
    t <- uniroot(function(t) dens(t) / surv(t) * lived(t) - 1 + S(t) - 1 / 7, c(1, high), tol = 1e-10)$root
    mean <- lived(high) + integrate(S, high, Inf, rel.tol = 1e-12)$value
    g <- (S(t) + 8 * (1 - S(t))) / lived(t)
    num(c(t, g, 1 - g * mean / 8, mean, lived(t)))
}
put("golden_replace_gamma", "double", replace(function(t) dgamma(t, 3, scale = 200), function(t) pgamma(t, 3, scale = 200, lower.tail = FALSE), 1500))
put("golden_replace_lognormal", "double", replace(function(t) dlnorm(t, log(600), 0.5), function(t) plnorm(t, log(600), 0.5, FALSE), 700))
put("golden_replace_loglogistic", "double", replace(function(t) 4 / t * (t / 700)^4 / (1 + (t / 700)^4)^2, function(t) 1 / (1 + (t / 700)^4), 800))
put("golden_replace_gumbel", "double", replace(function(t) exp((t - 900) / 150 - exp((t - 900) / 150)) / 150, function(t) exp(-exp((t - 900) / 150)), 1500))
cat("/* clang-format on */\n")
