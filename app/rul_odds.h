/* Chance that a remaining life ends within t, given what a model predicted for it:
 * log-odds = a + b * prediction + c * log(1 + prediction), one logistic regression for each t of a
 * grid up to the cap, fitted to out-of-fold predictions. Three numbers for each t follow the tails
 * better than counted residuals do. */
#ifndef APP_RUL_ODDS_H
#define APP_RUL_ODDS_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stddef.h>

enum { RUL_ODDS_MAX = 15 };

/* prediction, life (capped) and weight of n rows, in units; cap > 0. *out: [{"t","a","b","c"}] by
 * rising t; values of t that fewer than 20 rows fall short of, or outlive, are left out, so it may
 * be empty. FT_NOMEM. */
enum ft_status rul_odds_fit(const double *prediction, const double *life, const double *weight,
                            size_t n, double cap, cJSON **out, struct ft_err *err);

/* t[k] (units, rising) and the chance level[k] that the life ends by then, not falling; returns how
 * many, 0 when the list is not usable. */
size_t rul_odds_levels(const cJSON *odds, double prediction, double t[RUL_ODDS_MAX],
                       double level[RUL_ODDS_MAX]);

#endif
