/* The life lab: one part of the site's own records analysed as its engineer would, with everything
 * that the page draws: the lives one by one, paper, hazard, cost against interval, mean cumulative
 * function, all laws beside each other, and the answer in a sentence. Times in days. */
#ifndef APP_LIFE_LAB_H
#define APP_LIFE_LAB_H

#include "app/base/json.h"
#include "app/base/status.h"

struct db;
struct pool;

/* Members of the request: "class" (required), "component" (absent: any failure of the asset),
 * "distribution" (weibull; best), "confidence" (0.9), "cost_planned" and "cost_failure" (major
 * units; absent: the site's), "drop" (ids of lives to leave out), "bootstrap" (200), "seed" (1).
 *
 * Adds to body what life_answer_json() makes, and "answer", "class", "component", "currency",
 * "cost_planned", "cost_failure", "costs_are_defaults", "prior", "lives":[{"id","asset","ended",
 * "time","entry","failed","dropped"}], "by_asset":[{"asset","failures","days"}] (most failures
 * first), "laws" (all of them), "hazard":[{"time","hazard","low","high"}] (limits: the joint region
 * of both parameters), "cost":[{"interval","rate"}], "flat" (the ages whose rate is within 5 % of
 * the least), "run_rate", "mcf":[{"time","mean","lower","upper"}]. When the records carry no fit
 * the answer says why, and the curves are empty. FT_INVALID names the member; FT_NOT_FOUND: no such
 * class or component; FT_NOMEM. The process runs in the site's zone. */
enum ft_status life_lab_json(struct db *db, const cJSON *request, struct pool *pool, cJSON *body,
                             struct ft_err *err);

#endif
