/* Life data analysis as the life command reports it: fit, limits, age replacement, verdict, and the
 * warnings that an honest reader would add. */
#ifndef APP_LIFE_REPORT_H
#define APP_LIFE_REPORT_H

#include "app/base/json.h"
#include "app/base/status.h"
#include "app/life_table.h"
#include "models/kaplan_meier.h"
#include "models/life.h"

#include <stdbool.h>
#include <stddef.h>

struct life_request {
    enum life_distribution distribution;
    bool is_best;      /* try all, take the least AIC */
    double shape;      /* > 0: Weibull with this shape given (Weibayes); 0 = estimate it */
    double confidence; /* of all limits, two-sided, inside (0, 1) */
    bool has_costs;
    double cost_planned, cost_failure; /* > 0, one currency */
};

enum life_verdict { LIFE_UNDECIDED, LIFE_REPLACE_AT, LIFE_RUN_TO_FAILURE };

struct life_candidate {
    struct life_fit fit;
    struct ft_err error; /* code FT_OK when it was fitted */
};

struct life_report {
    struct life_fit fit;
    bool is_shape_fixed;
    double confidence;
    double first[2], scale[2]; /* Wald limits */
    bool has_profile;          /* Weibull: profile-likelihood limits beside them */
    double profile_first[2], profile_scale[2];
    double mean, b10, median;
    bool has_costs;
    struct age_replacement replacement;
    double run_to_failure_rate;
    enum life_verdict verdict;
    const char *reason;                                     /* of the verdict, a sentence; static */
    struct life_candidate candidates[N_LIFE_DISTRIBUTIONS]; /* with is_best */
    size_t n_candidates;
    struct kaplan_meier_point *curve;
    size_t n_curve;
    char warnings[8][240];
    size_t n_warnings;
};

/* FT_TOO_FEW when the data cannot carry the fit, with advice; FT_INVALID, FT_INTERNAL, FT_NOMEM.
 * The caller ends *out with life_report_free(). */
enum ft_status life_report_make(const struct life_table *table, const struct life_request *request,
                                struct life_report *out, struct ft_err *err);
/* The members of DESIGN's life object and more, into an empty object. */
void life_report_json(const struct life_report *r, const struct life_table *table, cJSON *out);
void life_report_free(struct life_report *r);

#endif
