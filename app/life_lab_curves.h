/* Curves of the life lab: hazard, cost against interval, mean cumulative function. */
#ifndef APP_LIFE_LAB_CURVES_H
#define APP_LIFE_LAB_CURVES_H

#include "app/life_report.h"
#include "app/lives.h"

/* Adds "hazard", "cost", "flat" and "run_rate" (see app/life_lab.h). FT_NOMEM. */
enum ft_status life_lab_curves_json(const struct life_report *r, const struct life_request *q,
                                    const struct life_data *data, cJSON *body, struct ft_err *err);

/* Adds "mcf": failures of one asset by days under observation; empty without a failure. origin [n]
 * says whose the lives are; those of an asset stand together, in their order. FT_NOMEM. */
enum ft_status life_lab_mcf_json(const struct life_table *t, const struct life_origin *origin,
                                 double confidence, cJSON *body, struct ft_err *err);

#endif
