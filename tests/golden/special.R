# Prints special.h: values of R's own pnorm, qnorm, pgamma.
cat("/* Written by tests/golden/special.R with R ", as.character(getRversion()), ". */\n/* clang-format off */\n", sep = "")
x <- c(-40, -30, -8, -2, -0.5, 0, 0.3, 1.96, 5, 12, 24.9, 25.1, 60)
cat("/* x, log F(x), log(1 - F(x)) */\nstatic const double golden_normal[][3] = {\n")
cat(sprintf("{%.17g, %.17g, %.17g},\n", x, pnorm(x, log.p = TRUE), pnorm(x, lower.tail = FALSE, log.p = TRUE)), sep = "")
cat("};\n/* p, quantile */\nstatic const double golden_quantile[][2] = {\n")
p <- c(1e-300, 1e-20, 1e-6, 0.01, 0.05, 0.2, 0.5, 0.7, 0.975, 0.999999)
cat(sprintf("{%.17g, %.17g},\n", p, qnorm(p)), sep = "")
cat("};\n/* a, x, log P, log Q */\nstatic const double golden_gamma[][4] = {\n")
g <- expand.grid(a = c(0.02, 0.4, 1, 2.5, 30, 500), x = c(1e-8, 0.1, 1, 3.5, 28, 520, 900))
cat(sprintf("{%.17g, %.17g, %.17g, %.17g},\n", g$a, g$x, pgamma(g$x, g$a, log.p = TRUE),
            pgamma(g$x, g$a, lower.tail = FALSE, log.p = TRUE)), sep = "")
cat("};\n/* clang-format on */\n")
