# Prints survival.h: coxph (Efron ties) and survreg on seeded data with ties, weights and left
# truncation. survreg has no truncation: there Newton on the likelihood written out, by R's deriv3.
suppressMessages(library(survival))
set.seed(21)
n <- 120
x1 <- round(rnorm(n, 50, 10), 2)
x2 <- as.numeric(runif(n) < 0.4)
x3 <- round(rexp(n), 3)
life <- ceiling(400 * rweibull(n, 1.7, exp(-(0.03 * (x1 - 50) - 0.5 * x2))) ) / 10  # ties
end <- ceiling(runif(n, 100, 900)) / 10
time <- round(pmin(life, end) / 2) * 2 + 1
failed <- as.integer(life <= end)
entry <- floor(time * ifelse(runif(n) < 0.4, runif(n, 0, 0.8), 0) / 2) * 2
weight <- sample(1:3, n, TRUE) / 2
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) sprintf("%.17g", x)
cat("/* Written by tests/golden/survival.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
put("golden_x", "double", num(rbind(x1, x2, x3)))
put("golden_time", "double", num(time))
put("golden_entry", "double", num(entry))
put("golden_weight", "double", num(weight))
put("golden_failed", "bool", ifelse(failed == 1, "true", "false"))
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
show_cox <- function(name, f) {
    put(paste0(name, "_beta"), "double", num(coef(f)))
    put(paste0(name, "_se"), "double", num(sqrt(diag(f$naive.var %||% f$var))))
    put(paste0(name, "_loglik"), "double", num(f$loglik))
}
`%||%` <- function(a, b) if (is.null(a)) b else a
plain <- coxph(Surv(time, failed) ~ x1 + x2 + x3, control = tight, ties = "efron")
show_cox("golden_cox", plain)
show_cox("golden_cox_weighted", coxph(Surv(time, failed) ~ x1 + x2 + x3, weights = weight, control = tight, robust = FALSE))
late <- coxph(Surv(entry, time, failed) ~ x1 + x2 + x3, weights = weight, control = tight, robust = FALSE)
show_cox("golden_cox_late", late)
# Failure probability of the first row by age 25 and by 60, from the Efron baseline.
at <- summary(survfit(plain, newdata = data.frame(x1 = x1[1], x2 = x2[1], x3 = x3[1]), ctype = 2, stype = 2), times = c(25, 60))
put("golden_cox_probability", "double", num(1 - at$surv))
control <- survreg.control(rel.tolerance = 1e-14, maxiter = 500)
for (dist in c("weibull", "lognormal", "loglogistic")) {
    f <- survreg(Surv(time, failed) ~ x1 + x2 + x3, weights = weight, dist = dist, control = control)
    put(paste0("golden_", dist), "double", num(c(coef(f), f$scale)))
    put(paste0("golden_", dist, "_se"), "double", num(sqrt(diag(f$var))))
    cat(sprintf("static const double golden_%s_loglik = %.17g;\n", dist, f$loglik[2]))
    put(paste0("golden_", dist, "_probability"), "double",
        num(psurvreg(c(25, 60), predict(f, type = "lp")[1], f$scale, dist)))
}
# Left-truncated Weibull regression by Newton.
term <- deriv3(~ d * (-log(s) - log(t) + (log(t) - a - b1 * x1 - b2 * x2 - b3 * x3) / s) - exp((log(t) - a - b1 * x1 - b2 * x2 - b3 * x3) / s),
               c("a", "b1", "b2", "b3", "s"), function(a, b1, b2, b3, s, t, d, x1, x2, x3) NULL)
f <- survreg(Surv(time, failed) ~ x1 + x2 + x3, weights = weight, control = control)
q <- c(coef(f), f$scale)
for (k in 1:60) {
    u <- term(q[1], q[2], q[3], q[4], q[5], time, failed, x1, x2, x3)
    v <- term(q[1], q[2], q[3], q[4], q[5], pmax(entry, 1e-300), 0, x1, x2, x3)
    g <- colSums(weight * (attr(u, "gradient") - attr(v, "gradient")))
    h <- apply(weight * (attr(u, "hessian") - attr(v, "hessian")), c(2, 3), sum)
    q <- q - solve(h, g)
}
stopifnot(max(abs(g)) < 1e-6)
put("golden_late", "double", num(q))
se <- sqrt(diag(solve(-h)))
put("golden_late_se", "double", num(c(se[1:4], se[5] / q[5])))
cat(sprintf("static const double golden_late_loglik = %.17g;\n", sum(weight * (u - v))))
cat("/* clang-format on */\n")
