#include "app/night_report.h"

#include "app/base/json.h"
#include "db/asset_store.h"
#include "db/model_store.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void add_copy(cJSON *to, const char *key, const cJSON *value)
{
    cJSON *copy = cJSON_Duplicate(value, true);
    if (copy == NULL)
        return;
    const cJSON_bool added =
        key != NULL ? cJSON_AddItemToObject(to, key, copy) : cJSON_AddItemToArray(to, copy);
    if (!added)
        cJSON_Delete(copy);
}

/* The candidate of which the night speaks: the promoted one, else the best that is not the
 * baseline, by the mean of its folds (PR-AUC: high, RMSE: low). NULL = none. */
static const cJSON *challenger_of(const cJSON *component, bool is_rul)
{
    const cJSON *item;
    const cJSON *best = NULL;
    double best_score = -INFINITY;
    cJSON_ArrayForEach (item, json_get(component, "candidates")) {
        const char *kind = "";
        double mean = NAN;
        const cJSON *cv = json_get(item, "cv");
        (void)json_string(item, "kind", false, &kind, NULL);
        if (cv != NULL)
            (void)json_number(cv, "mean", false, &mean, NULL);
        if (cJSON_IsTrue(json_get(item, "champion")))
            return item;
        const double score = is_rul ? -mean : mean;
        if (strcmp(kind, "weibull_age") != 0 && (best == NULL || score > best_score)) {
            best = item;
            best_score = score;
        }
    }
    return best;
}

static int64_t component_id_of(const struct component_list *components, const char *name)
{
    for (size_t i = 0; name != NULL && i < components->n; i++)
        if (strcmp(components->items[i].name, name) == 0)
            return components->items[i].id;
    return 0;
}

static void put_row(struct db *db, const struct train_result *r,
                    const struct component_list *components, const cJSON *component, cJSON *list)
{
    const bool is_rul = strcmp(r->target, "rul") == 0;
    const cJSON *challenger = challenger_of(component, is_rul);
    const char *name = NULL;
    const char *kind = NULL;
    const char *why = NULL;
    struct model_row champion = {0};
    (void)json_string(component, "component", false, &name, NULL);
    if (challenger != NULL) {
        (void)json_string(challenger, "kind", false, &kind, NULL);
        (void)json_string(challenger, "reason", false, &why, NULL);
    }
    /* The same data gives the same model again: it is champion, but nothing was promoted. */
    const bool is_promoted = cJSON_IsTrue(json_get(component, "champion")) &&
                             (why == NULL || strncmp(why, "unchanged", 9) != 0);
    const bool has_champion =
        model_champion(db, r->class_id, r->target, component_id_of(components, name), r->horizon_ms,
                       &champion, NULL) == FT_OK;
    cJSON *row = json_add_object(list, NULL);
    json_add_string(row, "class", r->class_name);
    json_add_string(row, "target", r->target);
    json_add_string(row, "component", name);
    json_add_string(row, "champion", has_champion ? champion.kind : "weibull_age");
    json_add_string(row, "challenger", kind);
    json_add_bool(row, "promoted", is_promoted);
    json_add_string(row, "why", why);
    model_clear(&champion);
}

/* Peak memory of the process that trained: the child when there was one, else this one. */
static int64_t peak_rss_bytes(void)
{
    struct rusage child;
    struct rusage self;
    if (getrusage(RUSAGE_CHILDREN, &child) == 0 && child.ru_maxrss > 0)
        return (int64_t)child.ru_maxrss * 1024;
    return getrusage(RUSAGE_SELF, &self) == 0 ? (int64_t)self.ru_maxrss * 1024 : 0;
}

void night_report_training(struct db *db, const struct night_result *r,
                           const struct registry_counts *counts, cJSON *report)
{
    json_add_number(report, "train_seconds", r->seconds);
    json_add_number(report, "cores_used", r->cores_used);
    json_add_int(report, "peak_rss_bytes", peak_rss_bytes());
    cJSON *models = json_add_object(report, "models");
    json_add_int(models, "stored", (int64_t)counts->n_stored);
    json_add_int(models, "promoted", (int64_t)counts->n_promoted);
    json_add_int(models, "kept", (int64_t)counts->n_kept);
    json_add_string(report, "compared_by",
                    "the share of age alone's loss that the challenger leaves out of fold against "
                    "the share that the champion left when it was trained; models of different "
                    "kinds on the same folds");
    cJSON *training = json_add_array(report, "training");
    cJSON *classes = json_add_array(report, "classes");
    for (size_t i = 0; i < r->n; i++) {
        const cJSON *component;
        struct component_list components = {0};
        add_copy(training, NULL, r->results[i]->report);
        if (component_list(db, r->results[i]->class_id, &components, NULL) != FT_OK)
            continue;
        cJSON_ArrayForEach (component, json_get(r->results[i]->report, "components")) {
            put_row(db, r->results[i], &components, component, classes);
        }
        component_list_free(&components);
    }
    add_copy(report, "skipped", r->skipped);
}

static void put_stage(cJSON *stages, const char *name, double seconds, const char *result)
{
    cJSON *stage = json_add_object(stages, NULL);
    json_add_string(stage, "name", name);
    json_add_number(stage, "seconds", seconds);
    json_add_string(stage, "result", result);
}

static size_t count_assets(struct db *db)
{
    struct forecast_row_list rows = {0};
    size_t n = 0;
    if (forecast_list(db, 0, 0, &rows, NULL) != FT_OK)
        return 0;
    for (size_t i = 0; i < rows.n; i++)
        n += i == 0 || rows.items[i].asset_id != rows.items[i - 1].asset_id;
    forecast_row_list_free(&rows);
    return n;
}

void night_report_stages(struct db *db, const struct night_times *t,
                         const struct registry_counts *counts, size_t n_forecasts,
                         const struct planner_summary *p, cJSON *report)
{
    char text[120];
    const size_t n_assets = count_assets(db);
    json_add_int(report, "forecasts", (int64_t)n_forecasts);
    json_add_int(report, "rescored", (int64_t)n_assets);
    json_add_int(report, "planned", (int64_t)p->n_placed);
    cJSON *plan = json_add_object(report, "plan");
    json_add_int(plan, "predictive", (int64_t)p->n_predictive);
    json_add_int(plan, "preventive", (int64_t)p->n_preventive);
    json_add_int(plan, "new", (int64_t)p->n_new);
    json_add_int(plan, "changed", (int64_t)p->n_changed);
    json_add_int(plan, "cancelled", (int64_t)p->n_cancelled);
    json_add_int(plan, "placed", (int64_t)p->n_placed);
    json_add_int(plan, "not_placed", (int64_t)p->n_not_placed);
    json_add_number(report, "apply_seconds", t->store_s + t->score_s + t->plan_s);
    cJSON *stages = json_add_array(report, "stages");
    snprintf(text, sizeof(text), "%zu models stored", counts->n_stored);
    put_stage(stages, "train", t->train_s, text);
    snprintf(text, sizeof(text), "%zu promoted, %zu champions kept", counts->n_promoted,
             counts->n_kept);
    put_stage(stages, "promote", t->store_s, text);
    snprintf(text, sizeof(text), "%zu forecasts of %zu assets", n_forecasts, n_assets);
    put_stage(stages, "score", t->score_s, text);
    snprintf(text, sizeof(text), "%zu jobs placed, %zu not", p->n_placed, p->n_not_placed);
    put_stage(stages, "plan", t->plan_s, text);
}
