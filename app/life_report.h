/* Life data analysis as the life command reports it: fit, limits, age replacement, verdict, and the
 * warnings that an honest reader would add. */
#ifndef APP_LIFE_REPORT_H
#define APP_LIFE_REPORT_H

#include "app/base/json.h"
#include "app/base/status.h"
#include "app/life_table.h"
#include "models/goodness_bootstrap.h"
#include "models/kaplan_meier.h"
#include "models/life.h"
#include "models/mixture.h"
#include "models/renewal.h"
#include "models/shape_prior.h"
#include "models/turnbull.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct life_request {
    enum life_distribution distribution;
    bool is_best;      /* try all, take the least AIC */
    double shape;      /* > 0: Weibull with this shape given (Weibayes); 0 = estimate it */
    double confidence; /* of all limits, two-sided, inside (0, 1) */
    bool has_costs;
    double cost_planned, cost_failure; /* > 0, one currency */
    struct shape_prior prior;          /* median > 0: a prior of the Weibull shape */
    bool has_mixture;                  /* two Weibulls beside the one */
    bool has_plot;                     /* data for plots in the JSON */
    /* Decisions, see life_decide.h. */
    double cost_renewal, cost_repair; /* minimal repair between renewals; 0 = not asked */
    size_t n_draws;                   /* of the bootstrap behind every decision; 0 = none */
    uint64_t seed;
    struct inspection_problem inspection;   /* pf 0 = not asked; costs are filled in */
    double units, lead_time, service_level; /* spares; units 0 = not asked */
};

enum life_verdict { LIFE_UNDECIDED, LIFE_REPLACE_AT, LIFE_RUN_TO_FAILURE };

struct life_candidate {
    struct life_fit fit;
    struct ft_err error; /* code FT_OK when it was fitted */
    double goodness;     /* Anderson-Darling distance to the curve, see goodness.h */
};

/* The curve without a distribution as steps: Kaplan-Meier, or Turnbull's. */
struct life_steps {
    double *time, *survival; /* [n], rising times, survival from then on */
    size_t n;
};

struct life_report {
    struct life_fit fit;
    double confidence;
    double first[2], scale[2]; /* Wald limits */
    bool has_profile;          /* profile-likelihood limits beside them */
    double profile_first[2], profile_scale[2];
    double threshold[2]; /* weibull3: profile-likelihood limits of the threshold */
    double mean, b10, median;
    double b10_limits[2], median_limits[2]; /* Wald */
    double goodness;
    struct goodness_p test; /* of the goodness, by life_report_test() */
    bool has_costs;
    struct age_replacement replacement;
    double run_to_failure_rate;
    enum life_verdict verdict;
    const char *reason; /* of the verdict, a sentence; static */
    bool has_posterior; /* with a prior: first and scale hold its medians, limits its own */
    struct shape_posterior posterior;
    bool has_mixture; /* mixture is valid, else mixture_error says why when it was asked for */
    struct mixture mixture;
    struct ft_err mixture_error;
    struct life_candidate candidates[N_LIFE_DISTRIBUTIONS]; /* with is_best */
    size_t n_candidates;
    struct kaplan_meier_point *curve; /* without intervals */
    size_t n_curve;
    struct turnbull_point *turnbull; /* with intervals and no left truncation */
    size_t n_turnbull;
    struct turnbull_result turnbull_result;
    struct life_steps steps;
    char warnings[8][240];
    size_t n_warnings;
};

/* FT_TOO_FEW when the data cannot carry the fit, with advice; FT_INVALID, FT_INTERNAL, FT_NOMEM.
 * The caller ends *out with life_report_free(). */
enum ft_status life_report_make(const struct life_table *table, const struct life_request *request,
                                struct life_report *out, struct ft_err *err);
/* Can the lives come from the fitted law? Fills r->test from request->n_draws samples and adds a
 * warning when they hardly can. data is that of the report. FT_NOMEM. */
enum ft_status life_report_test(struct life_report *r, const struct life_data *data,
                                const struct life_request *request, struct pool *pool,
                                struct ft_err *err);
/* The test in a sentence. */
#define LIFE_GOODNESS_WORDS 240
void life_report_test_words(const struct life_report *r, char out[LIFE_GOODNESS_WORDS]);
/* The members of DESIGN's life object and more, into an empty object. */
void life_report_json(const struct life_report *r, const struct life_table *table, cJSON *out);
void life_report_free(struct life_report *r);

#endif
