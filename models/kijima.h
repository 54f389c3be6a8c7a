/* Imperfect repair (Kijima 1989): a repair makes a unit younger, not new. The virtual age after the
 * i-th repair is v + q x (type I: undoes a part of the wear since the last repair) or q (v + x)
 * (type II: a part of all wear), x the time since the last repair, v the virtual age after it. q =
 * 0 is as good as new, q = 1 as bad as old (minimal repair). Lives start with a Weibull hazard at
 * the virtual age. */
#ifndef MODELS_KIJIMA_H
#define MODELS_KIJIMA_H

#include "models/recurrent.h"

struct kijima {
    int type;            /* 1 or 2 */
    double shape, scale; /* of the first life */
    double q;            /* repair factor, 0 to 1 */
    double q_limits[2];  /* profile likelihood, within [0, 1] */
    double log_likelihood;
    double log_likelihood_new, log_likelihood_old; /* at q = 0 and q = 1 */
    size_t n_events;
};

/* Maximum likelihood: given q it is a left-truncated Weibull fit, so the search is over q alone.
 * Events of a unit at one age count as one. FT_INVALID: type, confidence, or a unit first seen
 * after age 0 (its virtual age is unknown); FT_TOO_FEW: fewer than 3 events or no peak; FT_NOMEM.
 */
enum ft_status kijima_fit(const struct recurrent *r, int type, double confidence,
                          struct kijima *out, struct ft_err *err);

#endif
