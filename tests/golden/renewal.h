/* Written by tests/golden/renewal.R with R 4.2.2. */
/* clang-format off */
static const double rn_weibull[] = {0.097157540426062, 0.702507125548085, 1.84390755753454};
static const double rn_lognormal[] = {0.0828565926021783, 0.744318648586388, 1.84784878513122};
static const double rn_block_weibull[] = {478.413081954351, 0.00364352365252448};
static const double rn_block_lognormal[] = {245.718934019933, 0.00527737158650477};
/* clang-format on */
