/* The night report: what the page "Night runs", GET /runs and `fettle retrain --json` show. */
#ifndef APP_NIGHT_REPORT_H
#define APP_NIGHT_REPORT_H

#include "app/night.h"
#include "app/planner/planner.h"
#include "app/registry.h"

#include <cjson/cJSON.h>
#include <stddef.h>

struct db;

/* Seconds of each part of a night. */
struct night_times {
    double train_s, store_s, score_s, plan_s;
};

/* "training": the full reports of all recipes; "classes": one row per class, target and component
 * {"class","target","component","champion","challenger","promoted","why"}, champion after the
 * night, kinds as in the model table, weibull_age where age alone speaks; "models", "skipped",
 * "cores_used", "peak_rss_bytes" (of the training process). Reads the champions from db. */
void night_report_training(struct db *db, const struct night_result *r,
                           const struct registry_counts *counts, cJSON *report);

/* "forecasts", "rescored" (assets), "planned" (jobs placed), "plan", "stages"
 * [{"name","seconds","result"}]. */
void night_report_stages(struct db *db, const struct night_times *t,
                         const struct registry_counts *counts, size_t n_forecasts,
                         const struct planner_summary *plan, cJSON *report);

#endif
