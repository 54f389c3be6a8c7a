/* Recurrent events of a life table with assets: mean cumulative function, trend, power law,
 * imperfect repair, and when to renew an asset that is repaired at each failure. */
#ifndef APP_LIFE_RECURRENT_H
#define APP_LIFE_RECURRENT_H

#include "app/life_report.h"
#include "models/kijima.h"
#include "models/recurrent.h"

struct life_recurrent {
    struct recurrent data;
    double confidence;
    double exposure; /* asset-times under observation */
    struct mcf_point *mcf;
    size_t n_mcf;
    struct trend_test trend;
    struct ft_err trend_error; /* code FT_OK: trend is valid; so with the others */
    struct power_law power;
    double shape[2], scale[2]; /* limits of the power law */
    double rate_now;           /* events per unit of time of one asset at the greatest end */
    struct ft_err power_error;
    struct kijima repair[2]; /* types I and II */
    struct ft_err repair_error[2];
    int best_repair; /* the likelier of the two; -1 = none */
    bool has_costs;
    struct age_replacement renewal; /* minimal repair between renewals */
    char verdict[240];              /* in words */
};

/* FT_TOO_FEW: no event; FT_INVALID; FT_NOMEM. life_recurrent_free() ends *out. */
enum ft_status life_recurrent_make(const struct life_table *table,
                                   const struct life_request *request, struct life_recurrent *out,
                                   struct ft_err *err);
void life_recurrent_json(const struct life_recurrent *r, const struct life_table *table,
                         cJSON *out);
/* Adds the points of a mean cumulative function to a list. */
void life_recurrent_mcf_json(const struct mcf_point *points, size_t n, cJSON *list);
void life_recurrent_free(struct life_recurrent *r);

#endif
