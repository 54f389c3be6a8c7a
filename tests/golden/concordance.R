# Prints concordance.h: R survival::concordance on seeded censored times with ties.
suppressMessages(library(survival))
set.seed(11)
n <- 150
risk <- round(rnorm(n), 1)
time <- ceiling(10 * rexp(n, exp(0.7 * risk)))
failed <- as.integer(runif(n) < 0.6)
put <- function(name, type, x) cat("static const ", type, " ", name, "[] = {", paste(x, collapse = ", "), "};\n", sep = "")
cat("/* Written by tests/golden/concordance.R with R ", as.character(getRversion()), ", survival ",
    as.character(packageVersion("survival")), ". */\n/* clang-format off */\n", sep = "")
put("golden_risk", "double", risk)
put("golden_time", "double", time)
put("golden_failed", "bool", ifelse(failed == 1, "true", "false"))
cat(sprintf("static const double golden_concordance = %.17g;\n",
            concordance(Surv(time, failed) ~ risk, reverse = TRUE)$concordance))
cat("/* clang-format on */\n")
