#include "app/fit_job.h"

#include "app/base/clock.h"
#include "app/version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_MODEL_BYTES = (size_t)1 << 31;

void fit_outcome_free(struct fit_outcome *o)
{
    table_free(&o->table);
    if (o->results != NULL)
        validate_results_free(o->results, o->specs.n);
    free(o->results);
    fit_specs_free(&o->specs);
    model_free(o->model);
    free(o->bytes);
    *o = (struct fit_outcome){0};
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Where file number *k lies; counts it when there is one. */
static const char *place_of(const struct fit_request *q, const char *name, size_t *k)
{
    if (name == NULL)
        return NULL;
    const size_t i = (*k)++;
    return i < q->n_moved ? q->moved[i] : name;
}

/* Names of columns for CSV, places of vectors for .npy. */
static struct table_request request_of(const struct fit_request *q, struct pool *pool)
{
    size_t k = 1;
    const bool is_npy = table_is_npy(q->path);
    struct table_request t = {.label = q->label,
                              .event = q->event,
                              .group = q->group,
                              .drop = q->drop,
                              .category = q->category,
                              .pool = pool,
                              .is_stopped = q->is_stopped};
    if (is_npy) {
        t.label = place_of(q, q->label, &k);
        t.event = place_of(q, q->event, &k);
        t.group = place_of(q, q->group, &k);
    }
    return t;
}

static enum ft_status record_name(char **have, const char *name, struct ft_err *err)
{
    if (*have == NULL || name == NULL || strcmp(*have, name) == 0)
        return FT_OK;
    char *copy = strdup(name);
    if (copy == NULL)
        return ft_fail(err, FT_NOMEM, "no memory");
    free(*have);
    *have = copy;
    return FT_OK;
}

static enum ft_status read_table(const struct fit_request *q, struct pool *pool, struct table *t,
                                 struct ft_err *err)
{
    const struct table_request request = request_of(q, pool);
    size_t k = 0;
    enum ft_status st = table_read(place_of(q, q->path, &k), &request, t, err);
    if (st == FT_OK)
        st = record_name(&t->schema.label.name, q->label, err);
    if (st == FT_OK)
        st = record_name(&t->schema.event, q->event, err);
    if (st == FT_OK)
        st = record_name(&t->schema.group, q->group, err);
    return st;
}

/* --- label and task --------------------------------------------------------------------------- */

/* The two values of y, or false when it has more or fewer. */
static bool two_values(const double *y, size_t n, double *low, double *high)
{
    double a = y[0], b = NAN;
    for (size_t i = 1; i < n; i++) {
        if (y[i] == a || y[i] == b)
            continue;
        if (!isnan(b))
            return false;
        b = y[i];
    }
    *low = fmin(a, b);
    *high = fmax(a, b);
    return !isnan(b);
}

enum ft_status fit_binary_label(double *y, size_t n, double low, double high, struct ft_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isnan(y[i]) && y[i] != low && y[i] != high)
            return ft_fail(err, FT_INVALID, "row %zu: label %g, expected %g or %g", i + 1, y[i],
                           low, high);
        y[i] = isnan(y[i]) ? NAN : y[i] == high;
    }
    return FT_OK;
}

struct label {
    double low, high; /* of a classification */
};

static enum ft_status settle_task(const struct fit_request *q, struct fit_outcome *o,
                                  struct label *label, struct ft_err *err)
{
    struct table *t = &o->table;
    const char *name = t->schema.label.name;
    if (t->y == NULL)
        return ft_fail(err, FT_INVALID, "no label: --label names the column to learn");
    const bool is_binary = two_values(t->y, t->x.n_rows, &label->low, &label->high);
    const bool is_text = t->schema.label.levels != NULL;
    o->task = q->task >= 0           ? (enum model_task)q->task
              : t->failed != NULL    ? TASK_SURVIVAL
              : is_binary || is_text ? TASK_CLASSIFY
                                     : TASK_REGRESS;
    if (o->task == TASK_SURVIVAL && t->failed == NULL)
        return ft_fail(err, FT_INVALID, "task survival needs --event-col");
    if (o->task != TASK_SURVIVAL && t->failed != NULL)
        return ft_fail(err, FT_INVALID, "--event-col goes with task survival");
    if (o->task != TASK_CLASSIFY && is_text)
        return ft_fail(err, FT_INVALID, "label '%.80s' holds texts, which task %s cannot learn",
                       name, model_task_name(o->task));
    if (o->task == TASK_CLASSIFY && !is_binary)
        return ft_fail(err, FT_INVALID,
                       "label '%.80s' does not have exactly two values, which task classify needs",
                       name);
    if (o->task == TASK_CLASSIFY)
        return fit_binary_label(t->y, t->x.n_rows, label->low, label->high, err);
    return FT_OK;
}

/* --- candidates ------------------------------------------------------------------------------- */

static enum model_kind default_kind(enum model_task task, bool is_linear)
{
    switch (task) {
    case TASK_CLASSIFY:
        return is_linear ? MODEL_LOGISTIC : MODEL_GBDT;
    case TASK_REGRESS:
        return is_linear ? MODEL_RIDGE : MODEL_GBDT;
    case TASK_SURVIVAL:
        return is_linear ? MODEL_AFT : MODEL_COX;
    }
    return MODEL_GBDT;
}

static enum ft_status settle_specs(const struct fit_request *q, struct fit_outcome *o,
                                   struct ft_err *err)
{
    const bool is_auto = q->model != NULL && strcmp(q->model, "auto") == 0;
    struct model_spec spec = q->base;
    enum ft_status st = FT_OK;
    spec.task = o->task;
    spec.seed = q->seed;
    spec.kind = default_kind(o->task, false);
    if (q->model != NULL && !is_auto) {
        const int kind = fit_kind_by_name(q->model);
        if (kind < 0 || kind == MODEL_WEIBULL_AGE)
            return ft_fail(err, FT_INVALID,
                           "model '%.40s', expected gbdt, logistic, ridge, cox, aft or auto",
                           q->model);
        spec.kind = (enum model_kind)kind;
    }
    if (q->grid != NULL)
        st = fit_specs_from_json(q->grid, &spec, &o->specs, err);
    else
        st = fit_specs_add(&o->specs, &spec, err);
    if (st == FT_OK && is_auto) {
        spec.kind = default_kind(o->task, true);
        st = fit_specs_add(&o->specs, &spec, err);
    }
    for (size_t i = 0; st == FT_OK && i < o->specs.n; i++)
        if (!model_kind_takes(o->specs.items[i].kind, o->task))
            st = ft_fail(err, FT_INVALID, "a %s model cannot learn task %s",
                         model_kind_name(o->specs.items[i].kind), model_task_name(o->task));
    if (st == FT_OK && o->specs.n > 1 && q->n_folds < 2)
        st = ft_fail(err, FT_INVALID, "%zu candidates need cross-validation (--folds 2 or more)",
                     o->specs.n);
    o->metric = q->metric >= 0 ? (enum validate_metric)q->metric : validate_default_metric(o->task);
    if (st == FT_OK && !validate_metric_suits(o->metric, o->task))
        st = ft_fail(err, FT_INVALID, "metric %s does not suit task %s",
                     validate_metric_name(o->metric), model_task_name(o->task));
    return st;
}

/* --- validation and the final fit --------------------------------------------------------------
 */

static struct model_rows rows_of(const struct table *t)
{
    return (struct model_rows){.x = t->x, .y = t->y, .failed = t->failed};
}

static enum ft_status cross_validate(const struct fit_request *q, struct fit_outcome *o,
                                     struct pool *pool, struct ft_err *err)
{
    const struct table *t = &o->table;
    const double *y01 = o->task == TASK_CLASSIFY ? t->y : NULL;
    struct validate_models models = {.rows = rows_of(t), .specs = o->specs.items};
    struct folds folds;
    enum ft_status st =
        t->group != NULL
            ? folds_by_group(t->group, y01, t->x.n_rows, q->n_folds, q->seed, &folds, err)
            : folds_of_rows(y01, t->x.n_rows, q->n_folds, q->seed, &folds, err);
    if (st == FT_OK) {
        o->n_folds = q->n_folds;
        o->results = calloc(o->specs.n, sizeof(*o->results));
        if (o->results == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu candidates", o->specs.n);
    }
    if (st == FT_OK) {
        const struct validate_plan plan = {.folds = &folds,
                                           .n_rows = t->x.n_rows,
                                           .n_candidates = o->specs.n,
                                           .fit = validate_fit_model,
                                           .ctx = &models,
                                           .y = t->y,
                                           .failed = t->failed,
                                           .metric = o->metric,
                                           .is_stopped = q->is_stopped,
                                           .on_done = q->on_done,
                                           .on_done_ctx = q->progress_ctx};
        if (q->on_start != NULL)
            q->on_start(q->progress_ctx, o->specs.n * folds.n);
        st = validate_run(&plan, pool, o->results, err);
        o->best = validate_best(o->results, o->specs.n, o->metric);
    }
    folds_free(&folds);
    return st;
}

static enum ft_status fit_final(const struct fit_request *q, struct fit_outcome *o,
                                struct pool *pool, struct ft_err *err)
{
    const struct model_rows rows = rows_of(&o->table);
    if (q->is_stopped != NULL && q->is_stopped())
        return ft_fail(err, FT_INTERRUPTED, "stopped");
    const double start_s = clock_mono_s();
    enum ft_status st = model_fit(&o->specs.items[o->best], &rows, pool, &o->model, err);
    o->fit_s = clock_mono_s() - start_s;
    if (st == FT_OK && o->results != NULL)
        st = validate_attach(o->model, o->results[o->best].raw, &rows, o->table.group, q->coverage,
                             err);
    return st;
}

/* --- what the file says about itself ------------------------------------------------------------
 */

cJSON *fit_outcome_cv(const struct fit_outcome *o, size_t candidate)
{
    cJSON *cv = cJSON_CreateObject();
    const struct validate_result *r = &o->results[candidate];
    json_add_int(cv, "folds", (int64_t)o->n_folds);
    json_add_string(cv, "metric", validate_metric_name(o->metric));
    json_add_number(cv, "mean", r->mean);
    json_add_number(cv, "std", r->std);
    cJSON *per_fold = json_add_array(cv, "per_fold");
    for (size_t f = 0; f < o->n_folds; f++)
        json_add_number(per_fold, NULL, r->fold_metric[f]);
    return cv;
}

/* Takes and frees the JSON. */
static enum ft_status set_json(struct model *m, const char *key, cJSON *value, struct ft_err *err)
{
    char *text = value != NULL ? json_print(value, false) : NULL;
    const enum ft_status st = text != NULL
                                  ? model_set_text(m, key, text, err)
                                  : ft_fail(err, FT_NOMEM, "model text %s: no memory", key);
    cJSON_free(text);
    cJSON_Delete(value);
    return st;
}

/* Path and SHA-256 of a file that was read; all of them together make the fingerprint. */
static enum ft_status add_file(const struct fit_request *q, const char *path, size_t *k,
                               cJSON *files, struct buf *all, struct ft_err *err)
{
    char hex[HASH_HEX_SIZE];
    if (path == NULL)
        return FT_OK;
    const enum ft_status st = hash_sha256_file(place_of(q, path, k), hex, err);
    if (st != FT_OK)
        return st;
    cJSON *file = json_add_object(files, NULL);
    json_add_string(file, "path", path);
    json_add_string(file, "sha256", hex);
    buf_puts(all, hex);
    return FT_OK;
}

static enum ft_status describe_data(const struct fit_request *q, struct model *m, cJSON *files,
                                    struct ft_err *err)
{
    struct buf all;
    char fingerprint[HASH_HEX_SIZE];
    buf_init(&all, 4096);
    const bool is_npy = table_is_npy(q->path);
    size_t k = 0;
    enum ft_status st = add_file(q, q->path, &k, files, &all, err);
    if (st == FT_OK && is_npy)
        st = add_file(q, q->label, &k, files, &all, err);
    if (st == FT_OK && is_npy)
        st = add_file(q, q->event, &k, files, &all, err);
    if (st == FT_OK && is_npy)
        st = add_file(q, q->group, &k, files, &all, err);
    if (st == FT_OK)
        st = buf_status(&all, err);
    if (st == FT_OK) {
        hash_sha256(all.data, all.len, fingerprint);
        st = model_set_text(m, "fingerprint", fingerprint, err);
    }
    buf_free(&all);
    return st;
}

/* Everything that fettle replay needs to run the same request again. */
static cJSON *describe_request(const struct fit_request *q, const struct fit_outcome *o,
                               const struct label *label)
{
    cJSON *p = cJSON_CreateObject();
    json_add_string(p, "label", q->label);
    json_add_string(p, "group", q->group);
    json_add_string(p, "event", q->event);
    json_add_string(p, "drop", q->drop);
    json_add_string(p, "category", q->category);
    json_add_string(p, "task", model_task_name(o->task));
    json_add_string(p, "metric", validate_metric_name(o->metric));
    json_add_int(p, "folds", (int64_t)q->n_folds);
    json_add_number(p, "coverage", q->coverage);
    if (o->task == TASK_CLASSIFY) {
        cJSON *values = json_add_array(p, "label_values");
        json_add_number(values, NULL, label->low);
        json_add_number(values, NULL, label->high);
    }
    cJSON *candidates = json_add_array(p, "candidates");
    for (size_t i = 0; i < o->specs.n; i++) {
        cJSON *spec = fit_spec_to_json(&o->specs.items[i]);
        if (!cJSON_AddItemToArray(candidates, spec))
            cJSON_Delete(spec);
    }
    json_add_int(p, "best", (int64_t)o->best);
    return p;
}

static enum ft_status describe(const struct fit_request *q, struct fit_outcome *o,
                               const struct label *label, struct ft_err *err)
{
    char seed[24];
    struct model *m = o->model;
    cJSON *params = describe_request(q, o, label);
    cJSON *files = json_add_array(params, "files");
    enum ft_status st = describe_data(q, m, files, err);
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)q->seed);
    if (st == FT_OK)
        st = set_json(m, "params", cJSON_Duplicate(params, 1), err);
    if (st == FT_OK)
        st = set_json(m, "features", table_schema_features(&o->table.schema), err);
    if (st == FT_OK)
        st = set_json(m, "table", table_schema_rest(&o->table.schema), err);
    if (st == FT_OK && o->results != NULL)
        st = set_json(m, "metrics", fit_outcome_cv(o, o->best), err);
    if (st == FT_OK)
        st = model_set_text(m, "seed", seed, err);
    if (st == FT_OK)
        st = model_set_text(m, "build", FETTLE_VERSION, err);
    if (st == FT_OK)
        st = model_set_text(m, "source", "fit", err);
    cJSON_Delete(params);
    return st;
}

static enum ft_status save(struct fit_outcome *o, struct ft_err *err)
{
    struct buf b;
    buf_init(&b, MAX_MODEL_BYTES);
    const enum ft_status st = model_save(o->model, &b, err);
    if (st == FT_OK) {
        hash_sha256(b.data, b.len, o->sha256);
        o->bytes = buf_take(&b, &o->n_bytes);
    }
    buf_free(&b);
    return st;
}

enum ft_status fit_job_run(const struct fit_request *q, struct pool *pool, struct fit_outcome *o,
                           struct ft_err *err)
{
    struct label label = {0, 1};
    *o = (struct fit_outcome){0};
    double start_s = clock_mono_s();
    enum ft_status st = read_table(q, pool, &o->table, err);
    o->read_s = clock_mono_s() - start_s;
    if (st == FT_OK)
        st = settle_task(q, o, &label, err);
    if (st == FT_OK)
        st = settle_specs(q, o, err);
    start_s = clock_mono_s();
    if (st == FT_OK && q->n_folds >= 2)
        st = cross_validate(q, o, pool, err);
    o->cv_s = clock_mono_s() - start_s;
    if (st == FT_OK)
        st = fit_final(q, o, pool, err);
    if (st == FT_OK)
        st = describe(q, o, &label, err);
    if (st == FT_OK)
        st = save(o, err);
    return st;
}
