# Prints goodness.h: p-values of the Anderson-Darling distance by parametric bootstrap with survreg
# and survfit (4,000 samples each, censoring drawn as models/goodness_bootstrap.h says), of lives that
# the law made and of lives that it did not make. Their error from the number of samples is at most
# 0.008 (one standard deviation).
suppressMessages(library(survival))
set.seed(5)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
num <- function(x) sprintf("%.17g", x)
cat("/* Written by tests/golden/goodness.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
n <- 60
B <- 4000
cdf <- list(weibull = function(t, s) pweibull(t, 1 / s$scale, exp(coef(s))), lognormal = function(t, s) plnorm(t, coef(s), s$scale))
draw <- list(weibull = function(s) rweibull(n, 1 / s$scale, exp(coef(s))), lognormal = function(s) rlnorm(n, coef(s), s$scale))
fit <- function(time, failed, law) survreg(Surv(time, failed) ~ 1, dist = law, control = survreg.control(rel.tolerance = 1e-12, maxiter = 200))
# n int (Fn - F)^2 / (F (1 - F)) dF over the steps of Kaplan-Meier, to F = 1 when it reaches 0.
anti <- function(c, u) (if (c > 0) c^2 * log(u) else 0) - (if (c < 1) (1 - c)^2 * log1p(-u) else 0) - u
distance <- function(time, failed, law, s) {
    k <- summary(survfit(Surv(time, failed) ~ 1))
    z <- cdf[[law]](k$time, s); Fn <- c(0, 1 - k$surv); m <- length(z)
    a <- sum(sapply(seq_len(m), function(j) anti(Fn[j], z[j]) - (if (j > 1) anti(Fn[j], z[j - 1]) else 0)))
    if (min(k$surv) < 1e-12) a <- a - 1 - anti(1, z[m])
    n * a
}
p_value <- function(time, failed, law) {
    s <- fit(time, failed, law)
    at <- distance(time, failed, law, s)
    ends <- summary(survfit(Surv(time, !failed) ~ 1))
    censored <- any(!failed)
    far <- 0
    for (b in 1:B) {
        end <- time
        for (i in which(failed)) {
            end[i] <- Inf
            if (!censored) next
            level <- min(c(1, ends$surv[ends$time <= time[i]])) * runif(1)
            k <- which(ends$surv <= level)
            if (length(k) > 0) end[i] <- ends$time[k[1]]
        }
        exact <- draw[[law]](s); life <- ifelse(round(exact, 1) > 0, round(exact, 1), exact)
        f <- life <= end; t <- pmin(life, end)
        far <- far + (distance(t, f, law, fit(t, f, law)) >= at)
    }
    c(at, (1 + far) / (1 + B))
}
made <- list(weibull = round(800 * rweibull(n, 2.2, 1), 1), early = round(c(300 * rweibull(n - 18, 1.2, 1) + 1, 1500 * rweibull(18, 9, 1)), 1))
for (name in names(made)) for (watched in c(FALSE, TRUE)) {
    end <- if (watched) round(runif(n, 300, 1500), 1) else rep(Inf, n)
    time <- pmin(made[[name]], end); failed <- made[[name]] <= end
    id <- paste0(name, if (watched) "_watched" else "")
    put(sprintf("gf_%s_time", id), "double", num(time)); put(sprintf("gf_%s_failed", id), "bool", ifelse(failed, "true", "false"))
    for (law in c("weibull", "lognormal")) put(sprintf("gf_%s_by_%s", id, law), "double", num(p_value(time, failed, law)))
}
cat("/* clang-format on */\n")
