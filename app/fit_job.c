#include "app/fit_private.h"

#include "app/base/clock.h"
#include "app/fit_study.h"
#include "app/leak_guard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of a table in which products of columns are searched. */
enum { MAX_SEARCH_ROWS = 100000, MAX_SEARCH_COLS = 200 };

static const size_t MAX_MODEL_BYTES = (size_t)1 << 31;

void fit_outcome_free(struct fit_outcome *o)
{
    table_free(&o->table);
    if (o->results != NULL)
        validate_results_free(o->results, o->specs.n);
    free(o->results);
    free(o->fold_of);
    free(o->nested_metric);
    free(o->nested_choice);
    free(o->monotone);
    cJSON_Delete(o->study);
    conformal_cross_free(o->cross);
    for (size_t f = 0; o->cross_models != NULL && f < o->n_folds; f++)
        model_free(o->cross_models[f]);
    free(o->cross_models);
    free(o->is_category);
    fit_specs_free(&o->specs);
    model_free(o->model);
    free(o->bytes);
    *o = (struct fit_outcome){0};
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

/* Trees that search products and ratios of columns beside plain ones, for cross-validation to
 * choose; a grid says itself what to try, large tables are left alone, and monotone columns and
 * stopping early are asked of plain trees. */
static enum ft_status add_search(const struct fit_request *q, struct fit_outcome *o,
                                 struct ft_err *err)
{
    const struct matrix *x = &o->table.x;
    if (q->no_search || q->monotone != NULL || q->base.patience > 0 || q->grid != NULL ||
        q->n_folds < 2 || o->task == TASK_SURVIVAL || x->n_cols < 2 ||
        x->n_rows > MAX_SEARCH_ROWS || x->n_cols > MAX_SEARCH_COLS)
        return FT_OK;
    struct model_spec spec = o->specs.items[0];
    if (spec.kind != MODEL_GBDT)
        return FT_OK;
    spec.kind = MODEL_GBDT_PRODUCTS;
    return fit_specs_add(&o->specs, &spec, err);
}

static enum ft_status no_column(const char *name, size_t len, const char *why, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "--monotone: column '%.*s' %s", len < 80 ? (int)len : 80, name,
                   why);
}

/* "+wear,-air" into one sign per column. */
static enum ft_status read_monotone(const struct fit_request *q, struct fit_outcome *o,
                                    struct ft_err *err)
{
    const struct table_schema *schema = &o->table.schema;
    const char *at = q->monotone;
    if (at == NULL)
        return FT_OK;
    o->monotone = calloc(schema->n_features + 1, sizeof(*o->monotone));
    if (o->monotone == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", schema->n_features);
    while (*at != '\0') {
        const size_t len = strcspn(at, ",");
        size_t j = 0;
        if (len < 2 || (*at != '+' && *at != '-'))
            return ft_fail(err, FT_INVALID,
                           "--monotone '%.80s': expected + or - before each column, as in "
                           "+wear,-margin",
                           at);
        while (j < schema->n_features && (strlen(schema->features[j].name) != len - 1 ||
                                          memcmp(schema->features[j].name, at + 1, len - 1) != 0))
            j++;
        if (j == schema->n_features)
            return no_column(at + 1, len - 1, "is not among the features", err);
        if (schema->features[j].levels != NULL)
            return no_column(at + 1, len - 1, "holds texts, which have no order", err);
        o->monotone[j] = *at == '+' ? 1 : -1;
        at += at[len] == ',' ? len + 1 : len;
    }
    return FT_OK;
}

/* Texts are numbered by falling frequency, as the trees want their categories; two are parted by a
 * number as well. */
static enum ft_status find_categories(struct fit_outcome *o, struct ft_err *err)
{
    const struct table_schema *schema = &o->table.schema;
    bool is_any = false;
    bool *is_category = calloc(schema->n_features + 1, sizeof(*is_category));
    if (is_category == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", schema->n_features);
    for (size_t j = 0; j < schema->n_features; j++) {
        is_category[j] = schema->features[j].n_levels > 2;
        is_any |= is_category[j];
    }
    if (is_any)
        o->is_category = is_category;
    else
        free(is_category);
    return FT_OK;
}

/* What all candidates share and only some kinds can do. */
static enum ft_status settle_trees(struct fit_outcome *o, struct ft_err *err)
{
    for (size_t i = 0; i < o->specs.n; i++) {
        struct model_spec *spec = &o->specs.items[i];
        if (!model_kind_is_trees(spec->kind))
            spec->patience = 0;
        if (!model_kind_is_trees(spec->kind) && o->monotone != NULL)
            return ft_fail(err, FT_INVALID, "--monotone goes with trees, not with a %s model",
                           model_kind_name(spec->kind));
        spec->monotone = o->monotone;
        spec->is_category = spec->kind == MODEL_GBDT ? o->is_category : NULL;
    }
    return FT_OK;
}

enum ft_status fit_settle_specs(const struct fit_request *q, struct fit_outcome *o,
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
        st = fit_specs_from_json(q->grid, &spec, q->seed, &o->specs, err);
    else
        st = fit_specs_add(&o->specs, &spec, err);
    if (st == FT_OK && is_auto) {
        spec.kind = default_kind(o->task, true);
        st = fit_specs_add(&o->specs, &spec, err);
    }
    if (st == FT_OK)
        st = add_search(q, o, err);
    for (size_t i = 0; st == FT_OK && i < o->specs.n; i++)
        if (o->task == TASK_SURVIVAL && o->specs.items[i].kind == MODEL_GBDT)
            o->specs.items[i].kind = MODEL_GBDT_SURVIVAL;
    for (size_t i = 0; st == FT_OK && i < o->specs.n; i++)
        if (!model_kind_takes(o->specs.items[i].kind, o->task))
            st = ft_fail(err, FT_INVALID, "a %s model cannot learn task %s",
                         model_kind_name(o->specs.items[i].kind), model_task_name(o->task));
    if (st == FT_OK)
        st = settle_trees(o, err);
    for (size_t i = 0; st == FT_OK && i < o->specs.n; i++)
        if (o->specs.items[i].patience > 0 && q->n_folds < 2)
            st = ft_fail(err, FT_INVALID,
                         "stopping early needs cross-validation (--folds 2 or more)");
    if (st == FT_OK && o->specs.n > 1 && q->n_folds < 2)
        st = ft_fail(err, FT_INVALID, "%zu candidates need cross-validation (--folds 2 or more)",
                     o->specs.n);
    o->metric = q->metric >= 0 ? (enum validate_metric)q->metric : validate_default_metric(o->task);
    if (st == FT_OK && !validate_metric_suits(o->metric, o->task))
        st = ft_fail(err, FT_INVALID, "metric %s does not suit task %s",
                     validate_metric_name(o->metric), model_task_name(o->task));
    return st;
}

/* Refuses a column that knows the label before it happened. */
static enum ft_status guard_columns(const struct fit_request *q, const struct fit_outcome *o,
                                    struct ft_err *err)
{
    const struct table *t = &o->table;
    const char **names = calloc(t->schema.n_features + 1, sizeof(const char *));
    if (o->task == TASK_SURVIVAL || names == NULL) {
        free(names);
        return FT_OK;
    }
    for (size_t j = 0; j < t->schema.n_features; j++)
        names[j] = t->schema.features[j].name;
    const enum ft_status st =
        leak_guard(names, &t->x, t->y, o->task == TASK_CLASSIFY, q->trusted, err);
    free(names);
    return st;
}

/* --- the final fit ---------------------------------------------------------------------------- */

static enum ft_status fit_final(const struct fit_request *q, struct fit_outcome *o,
                                struct pool *pool, struct ft_err *err)
{
    const struct model_rows rows = fit_rows_of(&o->table);
    if (q->is_stopped != NULL && q->is_stopped())
        return ft_fail(err, FT_INTERRUPTED, "stopped");
    if (q->on_start != NULL)
        q->on_start(q->progress_ctx, "final fit", 1);
    const double start_s = clock_mono_s();
    o->chosen = fit_spec_for_all(&o->specs.items[o->best],
                                 o->results != NULL ? o->results[o->best].n_trees : 0);
    enum ft_status st = model_fit(&o->chosen, &rows, pool, &o->model, err);
    o->fit_s = clock_mono_s() - start_s;
    if (st == FT_OK)
        st = fit_study_attach(q, o, err);
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

/* --- all of it -------------------------------------------------------------------------------- */

static double processor_s(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Amdahl's law backwards: with a share s of the work serial, p threads use 1 / (s + (1 - s) / p)
 * cores. Waiting for other programs counts against us, too. */
static void note_speed(struct fit_outcome *o, double start_s, double processor_then_s, size_t p)
{
    o->seconds = clock_mono_s() - start_s;
    o->cores_used = o->seconds > 0 ? (processor_s() - processor_then_s) / o->seconds : 0;
    o->efficiency = o->cores_used / (double)p;
    o->serial_share = NAN;
    if (p > 1 && o->cores_used > 0)
        o->serial_share = fmin(fmax(((double)p / o->cores_used - 1) / ((double)p - 1), 0), 1);
}

enum ft_status fit_job_run(const struct fit_request *q, struct pool *pool, struct fit_outcome *o,
                           struct ft_err *err)
{
    struct fit_label label = {0, 1};
    struct fit_hashes hashes;
    const double processor_then_s = processor_s(), begin_s = clock_mono_s();
    *o = (struct fit_outcome){0};
    enum ft_status st = fit_read_table(q, pool, o, err);
    o->read_s = clock_mono_s() - begin_s;
    fit_hashes_begin(q, st == FT_OK ? pool_n_threads(pool) : 0, &hashes);
    if (st == FT_OK)
        st = fit_settle_task(q, o, &label, err);
    if (st == FT_OK)
        st = guard_columns(q, o, err);
    if (st == FT_OK)
        st = read_monotone(q, o, err);
    if (st == FT_OK)
        st = find_categories(o, err);
    if (st == FT_OK)
        st = fit_settle_specs(q, o, err);
    const double start_s = clock_mono_s();
    if (st == FT_OK)
        st = fit_search(q, o, pool, err);
    o->cv_s = clock_mono_s() - start_s;
    if (st == FT_OK)
        st = fit_final(q, o, pool, err);
    note_speed(o, begin_s, processor_then_s, pool_n_threads(pool));
    const enum ft_status hashed = fit_hashes_end(&hashes, st == FT_OK, err);
    st = st == FT_OK ? hashed : st;
    if (st == FT_OK)
        st = fit_describe(q, o, &label, &hashes, err);
    if (st == FT_OK)
        st = save(o, err);
    return st;
}
