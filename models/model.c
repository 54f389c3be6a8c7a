#include "models/model.h"

#include "app/base/utf8.h"
#include "models/gbdt/gbdt.h"
#include "models/model_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {[MODEL_GBDT] = "gbdt",
                                         [MODEL_LOGISTIC] = "hazard_logit",
                                         [MODEL_RIDGE] = "ridge",
                                         [MODEL_COX] = "cox",
                                         [MODEL_AFT] = "aft",
                                         [MODEL_WEIBULL_AGE] = "weibull_age",
                                         [MODEL_GBDT_SURVIVAL] = "gbdt_survival",
                                         [MODEL_GBDT_PRODUCTS] = "gbdt_products"};
static const char *const task_names[] = {
    [TASK_CLASSIFY] = "classify", [TASK_REGRESS] = "regress", [TASK_SURVIVAL] = "survival"};
enum {
    N_KINDS = sizeof(kind_names) / sizeof(kind_names[0]),
    N_TASKS = sizeof(task_names) / sizeof(task_names[0])
};

const char *model_kind_name(enum model_kind kind)
{
    return (size_t)kind < N_KINDS ? kind_names[kind] : "unknown";
}

const char *model_task_name(enum model_task task)
{
    return (size_t)task < N_TASKS ? task_names[task] : "unknown";
}

static int find_name(const char *const names[], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

int model_kind_by_name(const char *name)
{
    return find_name(kind_names, N_KINDS, name);
}

int model_task_by_name(const char *name)
{
    return find_name(task_names, N_TASKS, name);
}

struct model_spec model_spec_default(enum model_kind kind, enum model_task task)
{
    const struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    return (struct model_spec){.kind = kind,
                               .task = task,
                               .n_trees = p.n_trees,
                               .max_leaves = p.max_leaves,
                               .max_depth = p.max_depth,
                               .n_bins = p.n_bins,
                               .rate = p.rate,
                               .row_sample = p.row_sample,
                               .col_sample = p.col_sample,
                               .min_child_weight = p.min_child_weight,
                               .lambda = p.lambda,
                               .objective = -1,
                               .quantile = p.quantile,
                               .n_intervals = 20,
                               .positive_weight = 1};
}

bool model_kind_takes(enum model_kind kind, enum model_task task)
{
    const struct model_ops *ops = model_ops_of(kind);
    return ops != NULL && (size_t)task < N_TASKS && (ops->tasks >> task & 1) != 0;
}

bool model_kind_is_trees(enum model_kind kind)
{
    return kind == MODEL_GBDT || kind == MODEL_GBDT_SURVIVAL;
}

static enum ft_status fit_kind(struct model *m, const struct model_spec *spec,
                               const struct model_rows *rows, struct pool *pool, struct ft_err *err)
{
    const struct matrix *x = &rows->x;
    if (x->data != NULL || m->ops->takes_floats)
        return m->ops->fit(spec, rows, pool, &m->fitted, err);
    double *wide = calloc(x->n_rows, x->n_cols * sizeof(*wide));
    if (wide == NULL)
        return ft_fail(err, FT_NOMEM, "model: no memory for %zu rows x %zu columns", x->n_rows,
                       x->n_cols);
    for (size_t i = 0; i < x->n_rows; i++)
        matrix_row_wide(x, i, wide + i * x->n_cols);
    struct model_rows copy = *rows;
    copy.x = (struct matrix){wide, x->n_rows, x->n_cols, x->n_cols, NULL};
    const enum ft_status st = m->ops->fit(spec, &copy, pool, &m->fitted, err);
    free(wide);
    return st;
}

enum ft_status model_fit(const struct model_spec *spec, const struct model_rows *rows,
                         struct pool *pool, struct model **out, struct ft_err *err)
{
    *out = NULL;
    if (!model_kind_takes(spec->kind, spec->task))
        return ft_fail(err, FT_INVALID, "a %s model cannot be fitted to the task %s",
                       model_kind_name(spec->kind), model_task_name(spec->task));
    if (spec->task == TASK_SURVIVAL && rows->failed == NULL && rows->upper == NULL)
        return ft_fail(err, FT_INVALID, "task survival: no failure flags");
    if (spec->monotone != NULL && !model_kind_is_trees(spec->kind))
        return ft_fail(err, FT_INVALID, "monotone columns go with trees, not with a %s model",
                       model_kind_name(spec->kind));
    struct model *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "model: no memory");
    *m = (struct model){.kind = spec->kind, .task = spec->task, .ops = model_ops_of(spec->kind)};
    const enum ft_status st = fit_kind(m, spec, rows, pool, err);
    if (st != FT_OK) {
        free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void model_predict_raw(const struct model *m, const struct matrix *x, double *out)
{
    if (x->data != NULL || m->ops->takes_floats) {
        m->ops->predict(m->fitted, x, out);
        return;
    }
    double *wide = calloc(x->n_cols, sizeof(*wide));
    for (size_t i = 0; i < x->n_rows; i++) {
        out[i] = NAN;
        if (wide == NULL)
            continue;
        matrix_row_wide(x, i, wide);
        const struct matrix row = {wide, 1, x->n_cols, x->n_cols, NULL};
        m->ops->predict(m->fitted, &row, out + i);
    }
    free(wide);
}

double model_final_of_raw(const struct model *m, double raw)
{
    if (m->task != TASK_CLASSIFY && m->kind != MODEL_WEIBULL_AGE)
        return m->ops->answer != NULL ? m->ops->answer(m->fitted, raw) : raw;
    return m->calibration != NULL ? calibration_apply(m->calibration, raw) : 1 / (1 + exp(-raw));
}

void model_predict(const struct model *m, const struct matrix *x, double *out)
{
    model_predict_raw(m, x, out);
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = model_final_of_raw(m, out[i]);
}

double model_failure_probability(const struct model *m, const double *row, double age, double t)
{
    return m->ops->probability != NULL ? m->ops->probability(m->fitted, row, age, t) : NAN;
}

enum ft_status model_contributions(const struct model *m, const double *row, double *out,
                                   struct ft_err *err)
{
    return m->ops->contributions(m->fitted, row, out, err);
}

void model_set_calibration(struct model *m, struct calibration *c)
{
    if (m->calibration != c)
        calibration_free(m->calibration);
    m->calibration = c;
}

void model_set_conformal(struct model *m, struct conformal *c)
{
    if (m->conformal != c)
        conformal_free(m->conformal);
    m->conformal = c;
}

const struct conformal *model_conformal(const struct model *m)
{
    return m->conformal;
}

static void forget_cross(struct model *m)
{
    conformal_cross_free(m->cross);
    for (size_t f = 0; f < m->n_folds; f++)
        model_free(m->folds[f]);
    free(m->folds);
}

void model_set_cross(struct model *m, struct conformal_cross *c, struct model **folds, size_t n)
{
    forget_cross(m);
    m->cross = c;
    m->folds = folds;
    m->n_folds = n;
}

static enum ft_status cross_intervals(const struct model *m, const struct matrix *x, double *lower,
                                      double *upper, struct ft_err *err)
{
    const size_t n = x->n_rows;
    double *of_fold = calloc(n + 1, sizeof(*of_fold));
    double *of_row = calloc(n + 1, m->n_folds * sizeof(*of_row)); /* [n][n_folds] */
    const bool is_well = of_fold != NULL && of_row != NULL;
    for (size_t f = 0; is_well && f < m->n_folds; f++) {
        model_predict(m->folds[f], x, of_fold);
        for (size_t i = 0; i < n; i++)
            of_row[i * m->n_folds + f] = of_fold[i];
    }
    for (size_t i = 0; is_well && i < n; i++)
        conformal_cross_interval(m->cross, of_row + i * m->n_folds, &lower[i], &upper[i]);
    free(of_fold);
    free(of_row);
    return is_well ? FT_OK : ft_fail(err, FT_NOMEM, "intervals: no memory for %zu rows", n);
}

enum ft_status model_intervals(const struct model *m, const struct matrix *x,
                               const double *prediction, double *lower, double *upper,
                               struct ft_err *err)
{
    if (m->cross != NULL)
        return cross_intervals(m, x, lower, upper, err);
    for (size_t i = 0; i < x->n_rows; i++) {
        lower[i] = upper[i] = NAN;
        if (m->conformal != NULL)
            conformal_interval(m->conformal, prediction[i], &lower[i], &upper[i]);
    }
    return FT_OK;
}

double model_coverage(const struct model *m)
{
    if (m->cross != NULL)
        return conformal_cross_coverage(m->cross);
    return m->conformal != NULL ? conformal_coverage(m->conformal) : NAN;
}

bool model_key_is_valid(const char *key, size_t len)
{
    if (len == 0 || len > 63)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!(key[i] >= 'a' && key[i] <= 'z') && !(key[i] >= '0' && key[i] <= '9') && key[i] != '_')
            return false;
    return true;
}

/* Where the key stands, or where it belongs. */
static size_t text_place(const struct model *m, const char *key, bool *is_there)
{
    size_t i = 0;
    while (i < m->n_texts && strcmp(m->texts[i].key, key) < 0)
        i++;
    *is_there = i < m->n_texts && strcmp(m->texts[i].key, key) == 0;
    return i;
}

enum ft_status model_set_text(struct model *m, const char *key, const char *value,
                              struct ft_err *err)
{
    bool is_there;
    if (!model_key_is_valid(key, strlen(key)))
        return ft_fail(err, FT_INVALID, "model text: key '%.64s', expected a-z, 0-9 and _", key);
    if (!utf8_is_valid(value, strlen(value), NULL))
        return ft_fail(err, FT_INVALID, "model text %s: not valid UTF-8", key);
    const size_t at = text_place(m, key, &is_there);
    if (!is_there && m->n_texts == MODEL_MAX_TEXTS)
        return ft_fail(err, FT_INVALID, "model text %s: more than %d texts", key, MODEL_MAX_TEXTS);
    char *copy = strdup(value);
    char *key_copy = is_there ? NULL : strdup(key);
    struct model_attachment *grown =
        is_there ? m->texts : reallocarray(m->texts, m->n_texts + 1, sizeof(*grown));
    if (grown != NULL)
        m->texts = grown;
    if (copy == NULL || grown == NULL || (!is_there && key_copy == NULL)) {
        free(copy);
        free(key_copy);
        return ft_fail(err, FT_NOMEM, "model text %s: no memory", key);
    }
    if (is_there) {
        free(m->texts[at].value);
        m->texts[at].value = copy;
        return FT_OK;
    }
    memmove(m->texts + at + 1, m->texts + at, (m->n_texts - at) * sizeof(*m->texts));
    m->texts[at].key = key_copy;
    m->texts[at].value = copy;
    m->n_texts++;
    return FT_OK;
}

const char *model_text(const struct model *m, const char *key)
{
    bool is_there;
    const size_t at = text_place(m, key, &is_there);
    return is_there ? m->texts[at].value : NULL;
}

enum model_kind model_kind_of(const struct model *m)
{
    return m->kind;
}

enum model_task model_task_of(const struct model *m)
{
    return m->task;
}

size_t model_n_cols(const struct model *m)
{
    return m->ops->n_cols(m->fitted);
}

size_t model_n_trees(const struct model *m)
{
    return m->ops->n_trees != NULL ? m->ops->n_trees(m->fitted) : 0;
}

void model_free(struct model *m)
{
    if (m == NULL)
        return;
    if (m->fitted != NULL)
        m->ops->free(m->fitted);
    calibration_free(m->calibration);
    conformal_free(m->conformal);
    forget_cross(m);
    for (size_t i = 0; i < m->n_texts; i++) {
        free(m->texts[i].key);
        free(m->texts[i].value);
    }
    free(m->texts);
    free(m);
}
