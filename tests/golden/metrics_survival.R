# Prints metrics_survival.h: IPCW metrics on the seeded data of concordance.R, in R: Uno's concordance
# by survival::concordance(timewt = "n/G2"), the others written out with survfit for the censoring
# (failures leave just before the censored of their time).
suppressMessages(library(survival))
set.seed(11)
n <- 150
risk <- round(rnorm(n), 1)
time <- ceiling(10 * rexp(n, exp(0.7 * risk)))
failed <- as.integer(runif(n) < 0.6)
put <- function(name, x) cat("static const double ", name, "[] = {", paste(sprintf("%.17g", x), collapse = ", "), "};\n", sep = "")
g <- survfit(Surv(time - 1e-6 * failed, 1 - failed) ~ 1)
G <- function(t) c(1, g$surv)[findInterval(t, g$time) + 1]
uno <- function(horizon) {
    top <- bottom <- 0
    for (i in which(failed == 1 & time < horizon)) {
        later <- time > time[i] | (time == time[i] & failed == 0)
        w <- 1 / G(time[i] - 1e-3)^2
        bottom <- bottom + w * sum(later)
        top <- top + w * (sum(later & risk[i] > risk) + sum(later & risk[i] == risk) / 2)
    }
    top / bottom
}
late <- 15
whole <- concordance(Surv(time, failed) ~ risk, reverse = TRUE, timewt = "n/G2")$concordance
part <- concordance(Surv(time, failed) ~ risk, reverse = TRUE, timewt = "n/G2", ymax = late - 0.5)$concordance
cat("whole", whole, uno(Inf), "part", part, uno(late), "\n", file = stderr())
at <- c(3, 6, 9, 15)
auc <- sapply(at, function(t) {
    case <- which(failed == 1 & time <= t); control <- which(time > t)
    w <- 1 / G(time[case] - 1e-3)
    s <- outer(risk[case], risk[control], function(a, b) (a > b) + (a == b) / 2)
    sum(w * s) / (sum(w) * length(control))
})
p <- outer(risk, at, function(r, t) 1 - exp(-t / 10 * exp(0.5 * r)))
brier <- sapply(seq_along(at), function(k) {
    t <- at[k]
    mean(ifelse(time > t, p[, k]^2 / G(t), ifelse(failed == 1, (1 - p[, k])^2 / G(time - 1e-3), 0)))
})
cat("/* Written by tests/golden/metrics_survival.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
put("golden_uno", c(whole, uno(late)))
put("golden_at", at)
put("golden_auc_at", auc)
put("golden_p_at", t(p))
put("golden_brier_at", brier)
put("golden_brier_integrated", sum(diff(at) * (head(brier, -1) + tail(brier, -1)) / 2) / (at[4] - at[1]))
put("golden_uncensored", G(c(2, 5, 11) + 0.5))
cat("/* clang-format on */\n")
