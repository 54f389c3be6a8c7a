/* Written by tests/golden/linear.R with R 4.2.2. */
/* clang-format off */
static const double golden_lm[] = {-85.178273211359581, 0.32421751851452918, 88.172836415171815};
static const double golden_lm_se[] = {22.243492832731203, 0.19699750927986057, 22.233176348162445};
static const double golden_glm[] = {-33.271255741741811, 0.5380564373830401, 32.399461099649386};
static const double golden_glm_se[] = {22.08009398758503, 0.20639955742045255, 22.04837113131644};
/* clang-format on */
