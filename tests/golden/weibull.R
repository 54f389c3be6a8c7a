# Prints weibull.h: maximum likelihood by survreg; under left truncation, which survreg lacks, by
# optim on the log-likelihood written out. Also the published sets, cov of (log shape, log scale).
suppressMessages(library(survival))
cat("/* Written by tests/golden/weibull.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) sprintf("%.17g", x)
cat("struct golden_fit { double shape, scale, log_likelihood, cov[2][2]; };\n")
show <- function(name, shape, scale, ll, v)  # v: covariance of (log shape, log scale)
    cat(sprintf("static const struct golden_fit %s = {%.17g, %.17g, %.17g, {{%.17g, %.17g}, {%.17g, %.17g}}};\n",
                name, shape, scale, ll, v[1, 1], v[1, 2], v[2, 1], v[2, 2]))
survreg_fit <- function(name, time, failed, weight) {
    f <- survreg(Surv(time, failed) ~ 1, weights = weight,
                 control = survreg.control(rel.tolerance = 1e-14, maxiter = 200))
    v <- f$var * matrix(c(1, -1, -1, 1), 2)  # Log(scale) of survreg is -log(shape)
    show(name, 1 / f$scale, exp(coef(f)), f$loglik[1], v[2:1, 2:1])
}
set.seed(5)
n <- 60
life <- round(1000 * rweibull(n, 2.2, 1), 1)
end <- round(runif(n, 200, 1500), 1)
time <- pmin(life, end)
failed <- life <= end
weight <- sample(1:4, n, TRUE)
entry <- round(time * ifelse(runif(n) < 0.5, 0, runif(n, 0, 0.9)), 1)
put("golden_time", "double", num(time))
put("golden_failed", "bool", ifelse(failed, "true", "false"))
put("golden_weight", "double", num(weight))
put("golden_entry", "double", num(entry))
survreg_fit("golden_plain", time, failed, rep(1, n))
survreg_fit("golden_weighted", time, failed, weight)
nll <- function(q) {
    b <- exp(q[1]); e <- exp(q[2])
    -sum(weight * (failed * (dweibull(time, b, e, TRUE)) + (!failed) * pweibull(time, b, e, FALSE, TRUE) -
                   pweibull(entry, b, e, FALSE, TRUE)))
}
# Newton with analytic derivatives (by R's deriv) from optim's answer.
o <- optim(c(log(2), log(800)), nll, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))
term <- deriv3(~ d * (a + exp(a) * (log(t) - s) - log(t)) - exp(exp(a) * (log(t) - s)), c("a", "s"),
               function(a, s, t, d) NULL)
q <- o$par
for (k in 1:50) {
    x <- term(q[1], q[2], time, as.numeric(failed))
    y <- term(q[1], q[2], pmax(entry, 1e-300), 0)
    g <- colSums(weight * (attr(x, "gradient") - attr(y, "gradient")))
    h <- apply(weight * (attr(x, "hessian") - attr(y, "hessian")), c(2, 3), sum)
    q <- q - solve(h, g)
}
show("golden_truncated", exp(q[1]), exp(q[2]), -nll(q), solve(-h))
big <- round(1e9 * rweibull(40, 50, 1))
small <- signif(1e-6 * rweibull(40, 0.5, 1), 12)
put("golden_big", "double", num(big))
put("golden_small", "double", num(small))
survreg_fit("golden_big_fit", big, rep(TRUE, 40), rep(1, 40))
survreg_fit("golden_small_fit", small, rep(TRUE, 40), rep(1, 40))
cat("/* clang-format on */\n")
