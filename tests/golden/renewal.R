# Prints renewal.h: renewal functions by the convolution of the distribution on a fine grid
# (Richardson over two steps), block replacement by optimize over it.
put <- function(name, x) cat("static const double ", name, "[] = {", paste(sprintf("%.15g", x), collapse = ", "), "};\n", sep = "")
cat("/* Written by tests/golden/renewal.R with R ", as.character(getRversion()), ". */\n/* clang-format off */\n", sep = "")
# Riemann-Stieltjes with midpoints on n steps to t.
renew <- function(p, t, n) { h <- t / n; F <- p((0:n) * h); G <- p(((0:n) + 0.5) * h); m <- numeric(n + 1)
    for (i in 1:n) m[i + 1] <- (F[i + 1] + (if (i > 1) sum(diff(m[1:i]) * G[i:2]) else 0) - m[i] * G[1]) / (1 - G[1]); m }
fine <- function(p, t) { a <- renew(p, t, 3000); b <- renew(p, t, 6000)[seq(1, 6001, 2)]; b + (b - a) / 3 }
w <- function(t) pweibull(t, 2.5, 1000); l <- function(t) plnorm(t, log(600), 0.5)
put("rn_weibull", fine(w, 2000)[c(601, 1501, 3001)])
put("rn_lognormal", fine(l, 1500)[c(601, 1501, 3001)])
block <- function(p, high, cp, cf) { m <- splinefun((0:3000) * high / 3000, fine(p, high)); o <- optimize(function(t) (cp + cf * m(t)) / t, c(high / 100, high), tol = 1e-9); c(o$minimum, o$objective) }
put("rn_block_weibull", block(w, 900, 1, 5))
put("rn_block_lognormal", block(l, 600, 1, 8))
cat("/* clang-format on */\n")
