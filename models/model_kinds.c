/* Thin adapters between the one interface and each learner. */
#include "models/aft.h"
#include "models/cox.h"
#include "models/gbdt/bagged.h"
#include "models/gbdt/gbdt.h"
#include "models/gbdt/survival.h"
#include "models/linear.h"
#include "models/model_private.h"
#include "models/products.h"
#include "models/text_io.h"
#include "models/weibull.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- weight of the classes -------------------------------------------------------------------- */

/* How often rows with y = 1 count. */
static double positive_weight_of(const struct model_spec *spec, const struct model_rows *rows)
{
    double zeros = 0, ones = 0;
    if (spec->task != TASK_CLASSIFY)
        return 1;
    if (spec->positive_weight != 0)
        return spec->positive_weight;
    for (size_t i = 0; i < rows->x.n_rows; i++)
        *(rows->y[i] == 1 ? &ones : &zeros) += rows->weight != NULL ? rows->weight[i] : 1;
    return zeros > 0 && ones > 0 ? zeros / ones : 1; /* one class only: the fit refuses it */
}

/* The rows' weights with that of the positives in them into *out, which stays NULL when they are as
 * they were. */
static enum ft_status weigh_rows(const struct model_rows *rows, double positive, double **out,
                                 struct ft_err *err)
{
    const size_t n = rows->x.n_rows;
    *out = NULL;
    if (positive == 1 || n == 0)
        return FT_OK;
    *out = calloc(n, sizeof(**out));
    if (*out == NULL)
        return ft_fail(err, FT_NOMEM, "model: no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = (rows->weight != NULL ? rows->weight[i] : 1) * (rows->y[i] == 1 ? positive : 1);
    return FT_OK;
}

/* --- boosted trees ---------------------------------------------------------------------------- */

static bool objective_fits(enum gbdt_objective objective, enum model_task task)
{
    switch (objective) {
    case GBDT_LOGISTIC:
        return task != TASK_REGRESS;
    case GBDT_SQUARED:
    case GBDT_ABSOLUTE:
    case GBDT_QUANTILE:
    case GBDT_POISSON:
        return task == TASK_REGRESS;
    default:
        return task == TASK_SURVIVAL;
    }
}

static enum ft_status trees_params(const struct model_spec *spec, struct gbdt_params *p,
                                   struct ft_err *err)
{
    static const enum gbdt_objective own[] = {
        [TASK_CLASSIFY] = GBDT_LOGISTIC, [TASK_REGRESS] = GBDT_SQUARED, [TASK_SURVIVAL] = GBDT_COX};
    if (spec->objective >= GBDT_N_OBJECTIVES ||
        (spec->objective >= 0 && !objective_fits((enum gbdt_objective)spec->objective, spec->task)))
        return ft_fail(err, FT_INVALID, "trees: objective %d does not go with the task %s",
                       spec->objective, model_task_name(spec->task));
    *p = gbdt_params_default(spec->objective >= 0 ? (enum gbdt_objective)spec->objective
                                                  : own[spec->task]);
    p->n_trees = spec->n_trees;
    p->max_leaves = spec->max_leaves;
    p->max_depth = spec->max_depth;
    p->n_bins = spec->n_bins;
    p->rate = spec->rate;
    p->lambda = spec->lambda;
    p->min_child_weight = spec->min_child_weight;
    p->row_sample = spec->row_sample;
    p->col_sample = spec->col_sample;
    p->quantile = spec->quantile;
    p->seed = spec->seed;
    p->alpha = spec->alpha;
    p->monotone = spec->monotone;
    return FT_OK;
}

/* Rows that trees stop early on. */
struct stopping {
    struct gbdt_held_out rows;
    double *weight; /* owned; NULL = those of the rows */
};

static enum ft_status stopping_start(const struct model_spec *spec, const struct model_rows *rows,
                                     struct gbdt_params *p, struct stopping *s, struct ft_err *err)
{
    const struct model_rows *out = rows->held_out;
    *s = (struct stopping){0};
    if (spec->patience == 0)
        return FT_OK;
    if (out == NULL)
        return ft_fail(err, FT_INVALID, "trees: nothing is held out to stop early on");
    const enum ft_status st = weigh_rows(out, p->positive_weight, &s->weight, err);
    s->rows =
        (struct gbdt_held_out){.x = out->x,
                               .labels = {.y = out->y,
                                          .weight = s->weight != NULL ? s->weight : out->weight,
                                          .failed = out->failed,
                                          .entry = out->entry},
                               .patience = spec->patience};
    p->held_out = &s->rows;
    return st;
}

static enum ft_status trees_fit(const struct model_spec *spec, const struct model_rows *rows,
                                struct pool *pool, void **out, struct ft_err *err)
{
    struct gbdt_params p;
    struct stopping stop = {0};
    struct gbdt *g = NULL;
    const struct gbdt_labels labels = {.y = rows->y, .weight = rows->weight};
    enum ft_status st = trees_params(spec, &p, err);
    if (st == FT_OK) {
        p.positive_weight = positive_weight_of(spec, rows);
        p.is_category = spec->is_category;
        st = stopping_start(spec, rows, &p, &stop, err);
    }
    if (st == FT_OK && spec->n_forest > 0)
        st = bagged_fit_beside(&rows->x, rows->bins, &labels, &p, spec->n_forest, pool, &g, err);
    else if (st == FT_OK)
        st = gbdt_fit_binned(&rows->x, rows->bins, &labels, &p, pool, &g, err);
    free(stop.weight);
    *out = g;
    return st;
}

static void trees_predict(const void *fitted, const struct matrix *x, double *out)
{
    gbdt_predict(fitted, x, out);
}

static enum ft_status trees_contributions(const void *fitted, const double *row, double *out,
                                          struct ft_err *err)
{
    return gbdt_contributions(fitted, row, out, err);
}

static size_t trees_n_cols(const void *fitted)
{
    return gbdt_n_cols(fitted);
}

static size_t trees_n_trees(const void *fitted)
{
    return gbdt_n_trees(fitted);
}

static bool trees_fits_task(const void *fitted, enum model_task task)
{
    return objective_fits(gbdt_objective_of(fitted), task);
}

static double trees_answer(const void *fitted, double raw)
{
    return gbdt_answer(fitted, raw);
}

static void trees_write(const void *fitted, struct buf *out)
{
    gbdt_write(fitted, out);
}

static enum ft_status trees_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct gbdt *g = NULL;
    const enum ft_status st = gbdt_read(text, len, &g, err);
    *out = g;
    return st;
}

static void trees_free(void *fitted)
{
    gbdt_free(fitted);
}

/* --- boosted trees with products of columns ----------------------------------------------------
 */

static enum ft_status forms_fit(const struct model_spec *spec, const struct model_rows *rows,
                                struct pool *pool, void **out, struct ft_err *err)
{
    struct gbdt_params p;
    struct products *fitted = NULL;
    enum ft_status st = trees_params(spec, &p, err);
    p.positive_weight = st == FT_OK ? positive_weight_of(spec, rows) : 1;
    if (st == FT_OK)
        st = products_fit(&rows->x, rows->y, rows->weight, &p, pool, &fitted, err);
    *out = fitted;
    return st;
}

static void forms_predict(const void *fitted, const struct matrix *x, double *out)
{
    products_predict(fitted, x, out);
}

static enum ft_status forms_contributions(const void *fitted, const double *row, double *out,
                                          struct ft_err *err)
{
    return products_contributions(fitted, row, out, err);
}

static size_t forms_n_cols(const void *fitted)
{
    return products_n_cols(fitted);
}

static bool forms_fits_task(const void *fitted, enum model_task task)
{
    return trees_fits_task(products_trees(fitted), task);
}

static double forms_answer(const void *fitted, double raw)
{
    return gbdt_answer(products_trees(fitted), raw);
}

static void forms_write(const void *fitted, struct buf *out)
{
    products_write(fitted, out);
}

static enum ft_status forms_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct products *p = NULL;
    const enum ft_status st = products_read(text, len, &p, err);
    *out = p;
    return st;
}

static void forms_free(void *fitted)
{
    products_free(fitted);
}

/* --- linear ----------------------------------------------------------------------------------- */

static enum ft_status line_fit(const struct model_spec *spec, const struct model_rows *rows,
                               struct pool *pool, void **out, struct ft_err *err)
{
    const enum linear_kind kind = spec->kind == MODEL_RIDGE ? LINEAR_RIDGE : LINEAR_LOGISTIC;
    struct linear *m = NULL;
    double *weight = NULL;
    (void)pool;
    enum ft_status st = weigh_rows(rows, positive_weight_of(spec, rows), &weight, err);
    if (st == FT_OK)
        st = linear_fit_net(kind, &rows->x, rows->y, weight != NULL ? weight : rows->weight,
                            spec->lambda, spec->l1_share, &m, err);
    free(weight);
    *out = m;
    return st;
}

static void line_predict(const void *fitted, const struct matrix *x, double *out)
{
    linear_predict(fitted, x, out);
}

static enum ft_status line_contributions(const void *fitted, const double *row, double *out,
                                         struct ft_err *err)
{
    (void)err;
    linear_contributions(fitted, row, out);
    return FT_OK;
}

static size_t line_n_cols(const void *fitted)
{
    return linear_n_cols(fitted);
}

static void line_write(const void *fitted, struct buf *out)
{
    linear_write(fitted, out);
}

static enum ft_status line_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct linear *m = NULL;
    const enum ft_status st = linear_read(text, len, &m, err);
    *out = m;
    return st;
}

static void line_free(void *fitted)
{
    linear_free(fitted);
}

/* --- proportional hazards --------------------------------------------------------------------- */

static enum ft_status hazards_fit(const struct model_spec *spec, const struct model_rows *rows,
                                  struct pool *pool, void **out, struct ft_err *err)
{
    struct cox *m = NULL;
    (void)pool;
    const enum ft_status st =
        cox_fit(&rows->x, rows->y, rows->failed, rows->entry, rows->weight, spec->lambda, &m, err);
    *out = m;
    return st;
}

static void hazards_predict(const void *fitted, const struct matrix *x, double *out)
{
    cox_predict(fitted, x, out);
}

static enum ft_status hazards_contributions(const void *fitted, const double *row, double *out,
                                            struct ft_err *err)
{
    (void)err;
    cox_contributions(fitted, row, out);
    return FT_OK;
}

static double hazards_probability(const void *fitted, const double *row, double age, double t)
{
    return cox_failure_probability(fitted, row, age, t);
}

static size_t hazards_n_cols(const void *fitted)
{
    return cox_n_cols(fitted);
}

static void hazards_write(const void *fitted, struct buf *out)
{
    cox_write(fitted, out);
}

static enum ft_status hazards_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct cox *m = NULL;
    const enum ft_status st = cox_read(text, len, &m, err);
    *out = m;
    return st;
}

static void hazards_free(void *fitted)
{
    cox_free(fitted);
}

/* --- accelerated failure time: the raw prediction is minus the log of the median life ----------
 */

static enum ft_status times_fit(const struct model_spec *spec, const struct model_rows *rows,
                                struct pool *pool, void **out, struct ft_err *err)
{
    struct aft *m = NULL;
    (void)pool;
    const enum ft_status st = aft_fit(spec->distribution, &rows->x, rows->y, rows->failed,
                                      rows->entry, rows->weight, spec->lambda, &m, err);
    *out = m;
    return st;
}

static void times_predict(const void *fitted, const struct matrix *x, double *out)
{
    aft_predict(fitted, x, out);
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = -out[i];
}

static enum ft_status times_contributions(const void *fitted, const double *row, double *out,
                                          struct ft_err *err)
{
    (void)err;
    aft_contributions(fitted, row, out);
    for (size_t j = 0; j <= aft_n_cols(fitted); j++)
        out[j] = -out[j];
    return FT_OK;
}

static double times_probability(const void *fitted, const double *row, double age, double t)
{
    return aft_failure_probability(fitted, row, age, t);
}

static size_t times_n_cols(const void *fitted)
{
    return aft_n_cols(fitted);
}

static void times_write(const void *fitted, struct buf *out)
{
    aft_write(fitted, out);
}

static enum ft_status times_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct aft *m = NULL;
    const enum ft_status st = aft_read(text, len, &m, err);
    *out = m;
    return st;
}

static void times_free(void *fitted)
{
    aft_free(fitted);
}

/* --- Weibull of the age alone ----------------------------------------------------------------- */

struct age_model {
    struct weibull life;
    double horizon;
    size_t n_cols;
};

static const double MIN_PROBABILITY = 1e-12; /* log-odds stay finite */

static enum ft_status age_fit(const struct model_spec *spec, const struct model_rows *rows,
                              struct pool *pool, void **out, struct ft_err *err)
{
    (void)pool;
    if (!(spec->horizon > 0 && isfinite(spec->horizon)))
        return ft_fail(err, FT_INVALID, "weibull_age: horizon %g, expected above 0", spec->horizon);
    if (rows->x.n_cols == 0)
        return ft_fail(err, FT_INVALID, "weibull_age: no columns, expected the age in column 0");
    struct age_model *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "weibull_age: no memory");
    m->horizon = spec->horizon;
    m->n_cols = rows->x.n_cols;
    enum ft_status st = weibull_fit(rows->y, rows->failed, rows->entry, rows->weight,
                                    rows->x.n_rows, &m->life, err);
    if (st == FT_TOO_FEW) /* too few failures to tell a shape: a constant hazard */
        st = weibull_fit_fixed_shape(rows->y, rows->failed, rows->entry, rows->weight,
                                     rows->x.n_rows, 1.0, &m->life, err);
    if (st != FT_OK) {
        free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

static double age_log_odds(const struct age_model *m, double age)
{
    const double known = age > 0 ? age : 0; /* missing and negative ages count as new */
    const double p = weibull_failure_probability(&m->life, known, m->horizon);
    const double inside = fmin(fmax(p, MIN_PROBABILITY), 1 - MIN_PROBABILITY);
    return log(inside / (1 - inside));
}

static void age_predict(const void *fitted, const struct matrix *x, double *out)
{
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = age_log_odds(fitted, matrix_row(x, i)[0]);
}

static enum ft_status age_contributions(const void *fitted, const double *row, double *out,
                                        struct ft_err *err)
{
    const struct age_model *m = fitted;
    (void)err;
    memset(out, 0, m->n_cols * sizeof(*out));
    out[m->n_cols] = age_log_odds(m, 0);
    out[0] = age_log_odds(m, row[0]) - out[m->n_cols];
    return FT_OK;
}

static double age_probability(const void *fitted, const double *row, double age, double t)
{
    (void)row;
    return weibull_failure_probability(&((const struct age_model *)fitted)->life, age, t);
}

static size_t age_n_cols(const void *fitted)
{
    return ((const struct age_model *)fitted)->n_cols;
}

static void age_write(const void *fitted, struct buf *out)
{
    const struct age_model *m = fitted;
    const struct weibull *w = &m->life;
    text_put_size(out, "weibull_age", 1);
    text_put_size(out, "columns", m->n_cols);
    text_put_number(out, "horizon", m->horizon);
    text_put_number(out, "shape", w->shape);
    text_put_number(out, "scale", w->scale);
    text_put_array(out, "cov", &w->cov[0][0], 4);
    text_put_number(out, "log_likelihood", w->log_likelihood);
    text_put_size(out, "units", w->n);
    text_put_size(out, "failures", w->n_failures);
    text_put_size(out, "shape_fixed", w->is_shape_fixed);
}

static enum ft_status age_read_counts(struct text_reader *r, struct age_model *m,
                                      struct ft_err *err)
{
    size_t is_fixed = 0;
    enum ft_status st = text_get_size(r, "units", (size_t)1 << 40, &m->life.n, err);
    if (st == FT_OK)
        st = text_get_size(r, "failures", m->life.n, &m->life.n_failures, err);
    if (st == FT_OK)
        st = text_get_size(r, "shape_fixed", 1, &is_fixed, err);
    if (st == FT_OK)
        st = text_get_end(r, err);
    m->life.is_shape_fixed = is_fixed != 0;
    return st;
}

static enum ft_status age_read_life(struct text_reader *r, struct age_model *m, struct ft_err *err)
{
    struct weibull *w = &m->life;
    double *cov = NULL;
    size_t version = 0;
    enum ft_status st = text_get_size(r, "weibull_age", 1, &version, err);
    if (st == FT_OK)
        st = text_get_size(r, "columns", (size_t)1 << 24, &m->n_cols, err);
    if (st == FT_OK)
        st = text_get_number(r, "horizon", 0, &m->horizon, err);
    if (st == FT_OK)
        st = text_get_number(r, "shape", 0, &w->shape, err);
    if (st == FT_OK)
        st = text_get_number(r, "scale", 0, &w->scale, err);
    if (st == FT_OK)
        st = text_get_array(r, "cov", 4, 1, &cov, err);
    if (st == FT_OK)
        st = text_get_number(r, "log_likelihood", 1, &w->log_likelihood, err);
    if (cov != NULL)
        memcpy(w->cov, cov, sizeof(w->cov));
    free(cov);
    if (st == FT_OK &&
        (version != 1 || m->n_cols == 0 || !(m->horizon > 0) || !(w->shape > 0) || !(w->scale > 0)))
        st = ft_fail(err, FT_INVALID,
                     "weibull_age: version, columns, horizon, shape or scale is "
                     "out of range");
    return st;
}

static enum ft_status age_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct text_reader r;
    *out = NULL;
    struct age_model *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "weibull_age: no memory");
    text_reader_init(&r, text, len, "weibull_age");
    enum ft_status st = age_read_life(&r, m, err);
    if (st == FT_OK)
        st = age_read_counts(&r, m, err);
    if (st != FT_OK) {
        free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

/* --- trees of lives --------------------------------------------------------------------------- */

/* The discrete-time hazard has one column more: the interval's number, free to bend. */
static enum ft_status widen_monotone(const struct model_spec *spec, size_t n_cols,
                                     struct gbdt_params *p, int8_t **wide, struct ft_err *err)
{
    *wide = NULL;
    if (p->objective != GBDT_LOGISTIC)
        return FT_OK;
    if (spec->patience > 0)
        return ft_fail(err, FT_INVALID, "trees: the discrete-time hazard cannot stop early");
    if (spec->monotone == NULL)
        return FT_OK;
    *wide = calloc(n_cols + 1, sizeof(**wide));
    if (*wide == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu columns", n_cols);
    memcpy(*wide, spec->monotone, n_cols * sizeof(**wide));
    p->monotone = *wide;
    return FT_OK;
}

static enum ft_status lives_fit(const struct model_spec *spec, const struct model_rows *rows,
                                struct pool *pool, void **out, struct ft_err *err)
{
    struct gbdt_params p;
    struct stopping stop = {0};
    int8_t *monotone = NULL;
    struct survival_trees *m = NULL;
    const bool has_upper = rows->upper != NULL && spec->objective > GBDT_COX;
    const struct gbdt_labels labels = {.y = rows->y,
                                       .weight = rows->weight,
                                       .failed = has_upper ? NULL : rows->failed,
                                       .upper = has_upper ? rows->upper : NULL,
                                       .entry = rows->entry};
    *out = NULL;
    enum ft_status st = trees_params(spec, &p, err);
    if (st == FT_OK && !has_upper && rows->failed == NULL)
        st = ft_fail(err, FT_INVALID, "trees: no failure flags");
    if (st == FT_OK)
        st = widen_monotone(spec, rows->x.n_cols, &p, &monotone, err);
    if (st == FT_OK)
        st = stopping_start(spec, rows, &p, &stop, err);
    if (st == FT_OK)
        st = survival_trees_fit(&rows->x, &labels, &p, spec->n_intervals, pool, &m, err);
    free(stop.weight);
    free(monotone);
    *out = m;
    return st;
}

static void lives_predict(const void *fitted, const struct matrix *x, double *out)
{
    survival_trees_predict(fitted, x, out);
}

static enum ft_status lives_contributions(const void *fitted, const double *row, double *out,
                                          struct ft_err *err)
{
    return survival_trees_contributions(fitted, row, out, err);
}

static double lives_probability(const void *fitted, const double *row, double age, double t)
{
    return survival_trees_probability(fitted, row, age, t);
}

static size_t lives_n_cols(const void *fitted)
{
    return survival_trees_n_cols(fitted);
}

static size_t lives_n_trees(const void *fitted)
{
    return gbdt_n_trees(survival_trees_forest(fitted));
}

static void lives_write(const void *fitted, struct buf *out)
{
    survival_trees_write(fitted, out);
}

static enum ft_status lives_read(const char *text, size_t len, void **out, struct ft_err *err)
{
    struct survival_trees *m = NULL;
    const enum ft_status st = survival_trees_read(text, len, &m, err);
    *out = m;
    return st;
}

static void lives_free(void *fitted)
{
    survival_trees_free(fitted);
}

/* --- the table -------------------------------------------------------------------------------- */

#define TASKS(task) (1U << (task))
#define LINEAR_OPS                                                                                 \
    .fit = line_fit, .predict = line_predict, .contributions = line_contributions,                 \
    .n_cols = line_n_cols, .write = line_write, .read = line_read, .free = line_free

static const struct model_ops kinds[] = {
    [MODEL_GBDT] = {.name = "gbdt",
                    .tasks = TASKS(TASK_CLASSIFY) | TASKS(TASK_REGRESS),
                    .takes_floats = true,
                    .fit = trees_fit,
                    .predict = trees_predict,
                    .contributions = trees_contributions,
                    .answer = trees_answer,
                    .n_cols = trees_n_cols,
                    .n_trees = trees_n_trees,
                    .fits_task = trees_fits_task,
                    .write = trees_write,
                    .read = trees_read,
                    .free = trees_free},
    [MODEL_LOGISTIC] = {.name = "hazard_logit", .tasks = TASKS(TASK_CLASSIFY), LINEAR_OPS},
    [MODEL_RIDGE] = {.name = "ridge", .tasks = TASKS(TASK_REGRESS), LINEAR_OPS},
    [MODEL_COX] = {.name = "cox",
                   .tasks = TASKS(TASK_SURVIVAL),
                   .fit = hazards_fit,
                   .predict = hazards_predict,
                   .contributions = hazards_contributions,
                   .probability = hazards_probability,
                   .n_cols = hazards_n_cols,
                   .write = hazards_write,
                   .read = hazards_read,
                   .free = hazards_free},
    [MODEL_AFT] = {.name = "aft",
                   .tasks = TASKS(TASK_SURVIVAL),
                   .fit = times_fit,
                   .predict = times_predict,
                   .contributions = times_contributions,
                   .probability = times_probability,
                   .n_cols = times_n_cols,
                   .write = times_write,
                   .read = times_read,
                   .free = times_free},
    [MODEL_WEIBULL_AGE] = {.name = "weibull_age",
                           .tasks = TASKS(TASK_SURVIVAL),
                           .fit = age_fit,
                           .predict = age_predict,
                           .contributions = age_contributions,
                           .probability = age_probability,
                           .n_cols = age_n_cols,
                           .write = age_write,
                           .read = age_read,
                           .free = free},
    [MODEL_GBDT_SURVIVAL] = {.name = "gbdt_survival",
                             .tasks = TASKS(TASK_SURVIVAL),
                             .fit = lives_fit,
                             .predict = lives_predict,
                             .contributions = lives_contributions,
                             .probability = lives_probability,
                             .n_cols = lives_n_cols,
                             .n_trees = lives_n_trees,
                             .write = lives_write,
                             .read = lives_read,
                             .free = lives_free},
    [MODEL_GBDT_PRODUCTS] = {.name = "gbdt_products",
                             .tasks = TASKS(TASK_CLASSIFY) | TASKS(TASK_REGRESS),
                             .fit = forms_fit,
                             .predict = forms_predict,
                             .contributions = forms_contributions,
                             .answer = forms_answer,
                             .n_cols = forms_n_cols,
                             .fits_task = forms_fits_task,
                             .write = forms_write,
                             .read = forms_read,
                             .free = forms_free},
};

const struct model_ops *model_ops_of(enum model_kind kind)
{
    const size_t n = sizeof(kinds) / sizeof(kinds[0]);
    return (size_t)kind < n && kinds[kind].name != NULL ? &kinds[kind] : NULL;
}
