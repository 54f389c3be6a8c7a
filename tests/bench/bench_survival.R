# Rscript bench_survival.R FILE cox|weibull|lognormal|loglogistic: the seconds of one fit by R's
# survival on what bench_survival.c wrote, its log-likelihood and first coefficient.
suppressMessages(library(survival))
a <- commandArgs(TRUE)
n <- 100000; p <- 20
v <- readBin(a[1], "double", n * (p + 2))
x <- matrix(v[1:(n * p)], n, p)
life <- Surv(v[n * p + 1:n], v[n * (p + 1) + 1:n])
s <- system.time(f <- if (a[2] == "cox") coxph(life ~ x, ties = "efron") else survreg(life ~ x, dist = a[2]))[["elapsed"]]
cat(sprintf("%.4f %.10f %.12f\n", s, f$loglik[2], coef(f)[if (a[2] == "cox") 1 else 2]))
