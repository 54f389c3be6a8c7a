# Prints linear_errors.h: coefficients and standard errors of lm and glm (no penalty) on the rows of
# linear.py that have no missing value in columns 1 and 3.
lines <- readLines("tests/golden/linear.h")
get <- function(name) {
    line <- grep(paste0(" ", name, "\\[\\]"), lines, value = TRUE)
    as.numeric(strsplit(sub("\\}.*", "", sub(".*\\{", "", gsub("NAN", "NA", line))), ",")[[1]])
}
x <- matrix(get("golden_x"), ncol = 4, byrow = TRUE)[, c(1, 3)]
put <- function(name, v) cat("static const double ", name, "[] = {", paste(sprintf("%.17g", v), collapse = ", "), "};\n", sep = "")
cat("/* Written by tests/golden/linear.R with R ", as.character(getRversion()), ". */\n/* clang-format off */\n", sep = "")
a <- summary(lm(get("golden_value") ~ x))$coefficients
b <- summary(glm(get("golden_label") ~ x, family = binomial, control = glm.control(epsilon = 1e-15, maxit = 100)))$coefficients
put("golden_lm", a[, 1]); put("golden_lm_se", a[, 2])
put("golden_glm", b[, 1]); put("golden_glm_se", b[, 2])
cat("/* clang-format on */\n")
