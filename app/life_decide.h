/* Decisions from a life report, each with an interval from the uncertainty of the fit: age and
 * block replacement, minimal repair between renewals, inspection, spares. The same fit to other
 * weights of the units (see life_bootstrap.h), or draws of the posterior, are decided upon again; a
 * limit is the central share of their answers at the report's confidence. */
#ifndef APP_LIFE_DECIDE_H
#define APP_LIFE_DECIDE_H

#include "app/life_report.h"

struct pool;

/* A replacement rule with its uncertainty. */
struct life_rule {
    bool is_asked;
    struct age_replacement best;
    double interval[2], cost_rate[2], saving[2]; /* limits; NaN without draws */
    double pays_frac;                            /* share of the draws in which it pays; NaN */
};

struct life_decisions {
    size_t n_draws, n_fitted; /* asked for, and those whose fit had a peak */
    double confidence;
    struct life_rule age, block;
    struct life_rule minimal; /* Weibull lives, repaired to the state before each failure */
    bool has_inspection;
    struct inspection_plan inspection;
    double best_look[2]; /* limits of the cheapest interval */
    bool has_spares;
    double demand; /* failures of all units in the lead time */
    size_t spares;
    double spares_limits[2];
    double met; /* service level that this stock gives */
    char words[6][320];
    size_t n_words;
};

/* data is that of the report. Planned work that costs no less than a failure is no error: the rule
 * says that it cannot pay. FT_INVALID: an inspection or spares problem that makes no sense;
 * FT_NOMEM. pool NULL = this thread alone; the same answer for any number of threads. */
enum ft_status life_decide(const struct life_report *r, const struct life_data *data,
                           const struct life_request *q, struct pool *pool,
                           struct life_decisions *out, struct ft_err *err);
/* Adds "decisions": {"draws","confidence","age","block",…,"words":[…]}. */
void life_decisions_json(const struct life_decisions *d, cJSON *out);

#endif
