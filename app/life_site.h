/* What the site's own records say about its parts: a life law per class and component with the best
 * age to replace and how sure that is, and the preventive work that could stop, with the hours and
 * the money it gives back. */
#ifndef APP_LIFE_SITE_H
#define APP_LIFE_SITE_H

#include "app/base/json.h"
#include "app/base/status.h"
#include "app/life_report.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct pool;
struct snapshot;
struct life;
struct job_costs;

struct life_site_query {
    double confidence; /* of the limits */
    size_t n_draws;    /* behind the limits of decisions */
    uint64_t seed;
};

/* {"as_of","currency","confidence","components":[{"class","component","failures","censored","shape",
 * "shape_ci","scale_d","scale_ci_d","prior","cost_planned","cost_failure","best_interval_d",
 * "best_interval_ci_d","saving_frac","saving_frac_ci","pays_frac","spares","verdict","reason"}],
 * "stop":[{"key","plan","advice","every_s","best_s","assets","why","saving_per_year",
 * "hours_per_year"}],"saving_per_year","hours_per_year"}. Parts with few failures borrow a prior of
 * the shape from at least three other parts; a part that cannot be judged says why. The same answer
 * for any number of threads (pool NULL = one). The process runs in the site's zone. The caller ends
 * *out with cJSON_Delete(). FT_NOMEM and database errors. */
enum ft_status life_site_json(struct db *db, const struct life_site_query *query, struct pool *pool,
                              cJSON **out, struct ft_err *err);

/* What is asked about one part: Weibull, its costs in minor units, a borrowed prior when it has few
 * failures of its own, spares for n_assets when they have a lead time. */
struct life_request life_site_request(const struct snapshot *s, const struct life_site_query *query,
                                      const struct life *l, const struct job_costs *costs,
                                      size_t n_assets);

#endif
