/* Verdicts. Everything here is computed from out-of-fold predictions, in row order, by one thread.
 *
 * Rule: a candidate is kept off unless it beats age alone out of fold by more than two standard
 * errors over assets (log loss of the calibrated probability, or squared error of the capped
 * remaining life; proper scores, so a model that only shouts louder does not win), and for failures
 * its PR-AUC is higher too. The best of those that beat it becomes champion. */
#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/rul_odds.h"
#include "app/train_private.h"
#include "app/version.h"
#include "models/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_ISOTONIC_POSITIVES = 100, /* with fewer a step function follows the noise */
    N_RESIDUAL_LEVELS = 33,
    COUNT_BINS = 12
};
/* Advantage over age alone that is more than chance, in standard errors over assets. */
#define MIN_ADVANTAGE_SE 2.0
#define MAX_MODEL_BYTES ((size_t)256 << 20)

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "train: no memory to judge");
}

static void judged_clear(struct train_judged *j)
{
    free(j->raw);
    free(j->y);
    free(j->base);
    free(j->w);
    free(j->p);
    free(j->asset);
}

static enum ft_status collect(const struct train_run *r, size_t c, const double *raw,
                              struct train_judged *j, struct ft_err *err)
{
    const size_t n = r->d.n + 1;
    *j = (struct train_judged){.raw = calloc(n, sizeof(double)),
                               .y = calloc(n, sizeof(double)),
                               .base = calloc(n, sizeof(double)),
                               .w = calloc(n, sizeof(double)),
                               .p = calloc(n, sizeof(double)),
                               .asset = calloc(n, sizeof(size_t))};
    if (j->raw == NULL || j->y == NULL || j->base == NULL || j->w == NULL || j->p == NULL ||
        j->asset == NULL)
        return no_memory(err);
    for (size_t i = 0; i < r->d.n; i++) {
        const double y = r->y[c * r->d.n + i];
        const double base = r->base[c * r->d.n + i];
        if (isnan(y) || isnan(base) || (raw != NULL && isnan(raw[i])))
            continue;
        j->raw[j->n] = raw != NULL ? raw[i] : base;
        j->y[j->n] = y;
        j->base[j->n] = base;
        j->w[j->n] = r->weight != NULL ? r->weight[i] : 1;
        j->asset[j->n] = r->d.rows[i].asset;
        j->n++;
    }
    return FT_OK;
}

static double clip_p(double p)
{
    return fmin(1 - 1e-9, fmax(1e-9, p));
}

static double loss(bool is_rul, double y, double p)
{
    if (is_rul)
        return (y - p) * (y - p);
    return y > 0 ? -log(clip_p(p)) : -log1p(-clip_p(p));
}

/* --- calibration --- */

static double count_positives(const struct train_judged *j)
{
    double n = 0;
    for (size_t i = 0; i < j->n; i++)
        n += j->y[i];
    return n;
}

/* Answers each half of the assets with a calibration fitted on the other half. False when a half
 * cannot be fitted. */
static bool cross_calibrate(const struct train_judged *j, enum calibration_kind kind, double *p)
{
    double *score = calloc(j->n + 1, sizeof(*score));
    double *y = calloc(j->n + 1, sizeof(*y));
    bool is_good = score != NULL && y != NULL;
    for (size_t half = 0; half < 2 && is_good; half++) {
        struct calibration *cal = NULL;
        size_t n = 0;
        for (size_t i = 0; i < j->n; i++)
            if (j->asset[i] % 2 != half) {
                score[n] = j->raw[i];
                y[n++] = j->y[i];
            }
        is_good = n > 0 && calibration_fit(kind, score, y, NULL, n, &cal, NULL) == FT_OK;
        for (size_t i = 0; i < j->n && is_good; i++)
            if (j->asset[i] % 2 == half)
                p[i] = calibration_apply(cal, j->raw[i]);
        calibration_free(cal);
    }
    free(score);
    free(y);
    return is_good;
}

/* Chooses Platt or isotonic by cross-fitted log loss, fills j->p, fits the chosen one on all rows.
 */
static enum ft_status calibrate(struct train_judged *j, struct calibration **out, const char **name,
                                struct ft_err *err)
{
    enum calibration_kind kind = CALIBRATION_PLATT;
    double *other = calloc(j->n + 1, sizeof(*other));
    *out = NULL;
    if (other == NULL)
        return no_memory(err);
    const bool has_platt = cross_calibrate(j, CALIBRATION_PLATT, j->p);
    if (has_platt && count_positives(j) >= MIN_ISOTONIC_POSITIVES &&
        cross_calibrate(j, CALIBRATION_ISOTONIC, other)) {
        double platt = 0;
        double isotonic = 0;
        for (size_t i = 0; i < j->n; i++) {
            platt += loss(false, j->y[i], j->p[i]);
            isotonic += loss(false, j->y[i], other[i]);
        }
        if (isotonic < platt) {
            kind = CALIBRATION_ISOTONIC;
            memcpy(j->p, other, j->n * sizeof(*other));
        }
    }
    free(other);
    const enum ft_status st = calibration_fit(kind, j->raw, j->y, NULL, j->n, out, err);
    if (st != FT_OK)
        return st;
    *name = kind == CALIBRATION_ISOTONIC ? "isotonic" : "platt";
    for (size_t i = 0; i < j->n && !has_platt; i++)
        j->p[i] = calibration_apply(*out, j->raw[i]);
    return FT_OK;
}

/* Age alone in its best light: the fold-fitted probability as it is, or Platt-calibrated on the
 * other half of the assets when that has the smaller loss. Else a candidate could win by being
 * calibrated only, without seeing anything that age does not. */
static void calibrate_baseline(struct train_judged *j)
{
    struct train_judged b = *j;
    double plain = 0;
    double calibrated = 0;
    double *score = calloc(j->n + 1, sizeof(*score));
    double *p = calloc(j->n + 1, sizeof(*p));
    j->base_pr_auc = metric_pr_auc(j->base, j->y, NULL, j->n);
    if (score != NULL && p != NULL) {
        for (size_t i = 0; i < j->n; i++)
            score[i] = log(clip_p(j->base[i]) / (1 - clip_p(j->base[i])));
        b.raw = score;
        if (cross_calibrate(&b, CALIBRATION_PLATT, p)) {
            for (size_t i = 0; i < j->n; i++) {
                plain += loss(false, j->y[i], j->base[i]);
                calibrated += loss(false, j->y[i], p[i]);
            }
            if (calibrated < plain)
                memcpy(j->base, p, j->n * sizeof(*p));
        }
    }
    free(score);
    free(p);
}

/* --- metrics --- */

/* Mean loss advantage over the baseline per asset and its standard error. */
static void advantage(bool is_rul, const struct train_judged *j, double *mean, double *se)
{
    double sum = 0;
    double squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < j->n;) {
        double d = 0;
        double w = 0;
        const size_t asset = j->asset[i];
        for (; i < j->n && j->asset[i] == asset; i++) {
            d += j->w[i] * (loss(is_rul, j->y[i], j->base[i]) - loss(is_rul, j->y[i], j->p[i]));
            w += j->w[i];
        }
        /* Assets with longer histories count for more in the loss of a failure model. */
        const double v = is_rul ? d / w : d;
        sum += v;
        squares += v * v;
        n++;
    }
    *mean = n > 0 ? sum / (double)n : NAN;
    *se = n > 1 ? sqrt(fmax(0, squares / (double)n - *mean * *mean) / (double)(n - 1)) : INFINITY;
}

static double mean_loss(bool is_rul, const struct train_judged *j, const double *p)
{
    double sum = 0;
    double w = 0;
    for (size_t i = 0; i < j->n; i++) {
        sum += j->w[i] * loss(is_rul, j->y[i], p[i]);
        w += j->w[i];
    }
    return w > 0 ? (is_rul ? sqrt(sum / w) : sum / w) : NAN;
}

static void put_metrics(bool is_rul, const struct train_judged *j, const double *p, cJSON *to)
{
    if (is_rul) {
        json_add_number(to, "rmse", metric_rmse(p, j->y, j->w, j->n));
        json_add_number(to, "mae", metric_mae(p, j->y, j->w, j->n));
        return;
    }
    json_add_number(to, "pr_auc", metric_pr_auc(p, j->y, NULL, j->n));
    json_add_number(to, "roc_auc", metric_roc_auc(p, j->y, NULL, j->n));
    json_add_number(to, "log_loss", mean_loss(false, j, p));
    json_add_number(to, "brier", metric_brier(p, j->y, NULL, j->n));
}

/* "metric", "folds", "mean", "std", "per_fold" of the fold scores. */
static void put_folds(bool is_rul, const double *scores, size_t k, cJSON *cv)
{
    double sum = 0;
    double squares = 0;
    size_t n = 0;
    json_add_string(cv, "metric", is_rul ? "rmse" : "pr_auc");
    json_add_int(cv, "folds", (int64_t)k);
    cJSON *list = cJSON_CreateArray();
    for (size_t f = 0; f < k; f++) {
        json_add_number(list, NULL, scores[f]);
        if (!isfinite(scores[f]))
            continue;
        sum += scores[f];
        squares += scores[f] * scores[f];
        n++;
    }
    const double mean = n > 0 ? sum / (double)n : NAN;
    json_add_number(cv, "mean", mean);
    json_add_number(cv, "std",
                    n > 1 ? sqrt(fmax(0, (squares - (double)n * mean * mean) / (double)(n - 1)))
                          : NAN);
    if (list != NULL)
        cJSON_AddItemToObject(cv, "per_fold", list);
}

static void baseline_folds(const struct train_run *r, size_t c, double *scores, struct ft_err *err)
{
    double *p = calloc(r->d.n + 1, sizeof(*p));
    double *y = calloc(r->d.n + 1, sizeof(*y));
    double *w = calloc(r->d.n + 1, sizeof(*w));
    for (size_t f = 0; f < r->k && p != NULL && y != NULL && w != NULL; f++) {
        size_t n = 0;
        for (size_t i = 0; i < r->d.n; i++) {
            if (isnan(r->y[c * r->d.n + i]) || isnan(r->base[c * r->d.n + i]) ||
                train_fold_of(r, i) != f)
                continue;
            p[n] = r->base[c * r->d.n + i];
            y[n] = r->y[c * r->d.n + i];
            w[n++] = r->weight != NULL ? r->weight[i] : 1;
        }
        scores[f] = r->o->is_rul ? metric_rmse(p, y, w, n) : metric_pr_auc(p, y, NULL, n);
    }
    free(p);
    free(y);
    free(w);
}

/* --- what scoring needs beside the fit --- */

static int compare_index(const void *pa, const void *pb)
{
    const double *const *a = pa;
    const double *const *b = pb;
    if (**a != **b)
        return **a < **b ? -1 : 1;
    return *a < *b ? -1 : *a > *b;
}

/* Indexes of v in rising order. */
static size_t *sorted_order(const double *v, size_t n)
{
    const double **at = calloc(n + 1, sizeof(const double *));
    size_t *order = calloc(n + 1, sizeof(*order));
    if (at == NULL || order == NULL) {
        free(at);
        free(order);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        at[i] = v + i;
    if (n > 0)
        qsort(at, n, sizeof(const double *), compare_index);
    for (size_t i = 0; i < n; i++)
        order[i] = (size_t)(at[i] - v);
    free(at);
    return order;
}

/* Weighted quantile of residuals (truth - prediction) of rows order[from..to). */
static double residual_quantile(const struct train_judged *j, const size_t *order, size_t from,
                                size_t to, double q, double *scratch)
{
    const size_t n = to - from;
    for (size_t i = 0; i < n; i++)
        scratch[i] = j->y[order[from + i]] - j->p[order[from + i]];
    size_t *rank = sorted_order(scratch, n);
    if (rank == NULL)
        return 0;
    double total = 0;
    double sum = 0;
    double out = n > 0 ? scratch[rank[n - 1]] : 0;
    for (size_t i = 0; i < n; i++)
        total += j->w[order[from + i]];
    for (size_t i = 0; i < n; i++) {
        sum += j->w[order[from + rank[i]]];
        if (sum >= q * total) {
            out = scratch[rank[i]];
            break;
        }
    }
    free(rank);
    return out;
}

/* From which scoring reads P(remaining life <= t): the odds (app/rul_odds.h), and for few rows the
 * distribution of out-of-fold residuals in bins of the prediction: {"edges","levels",
 * "residuals":[[..]..],"odds":[..]}. */
static cJSON *residual_table(const struct train_judged *j, double cap_units)
{
    cJSON *odds = NULL;
    cJSON *out = cJSON_CreateObject();
    size_t *order = sorted_order(j->p, j->n);
    double *scratch = calloc(j->n + 1, sizeof(*scratch));
    if (order == NULL || scratch == NULL || out == NULL) {
        free(order);
        free(scratch);
        cJSON_Delete(out);
        return NULL;
    }
    size_t n_bins = j->n / 200;
    n_bins = n_bins < 1 ? 1 : n_bins > TRAIN_CONFORMAL_BINS ? TRAIN_CONFORMAL_BINS : n_bins;
    cJSON *edges = json_add_array(out, "edges");
    cJSON *levels = json_add_array(out, "levels");
    cJSON *table = json_add_array(out, "residuals");
    for (size_t q = 0; q < N_RESIDUAL_LEVELS; q++)
        json_add_number(levels, NULL, ((double)q + 0.5) / N_RESIDUAL_LEVELS);
    for (size_t b = 0; b < n_bins; b++) {
        const size_t from = j->n * b / n_bins;
        const size_t to = j->n * (b + 1) / n_bins;
        if (b > 0)
            json_add_number(edges, NULL, j->p[order[from]]);
        cJSON *row = json_add_array(table, NULL);
        for (size_t q = 0; q < N_RESIDUAL_LEVELS; q++)
            json_add_number(row, NULL,
                            residual_quantile(j, order, from, to,
                                              ((double)q + 0.5) / N_RESIDUAL_LEVELS, scratch));
    }
    free(order);
    free(scratch);
    if (rul_odds_fit(j->p, j->y, j->w, j->n, cap_units, &odds, NULL) == FT_OK &&
        !cJSON_AddItemToObject(out, "odds", odds))
        cJSON_Delete(odds);
    return out;
}

/* How often bins of the calibrated probability came true: [{"p","n","failed"}], from which scoring
 * takes the limits of a probability. */
static cJSON *count_table(const struct train_judged *j)
{
    cJSON *out = cJSON_CreateArray();
    size_t *order = sorted_order(j->p, j->n);
    for (size_t b = 0; b < COUNT_BINS && order != NULL && j->n > 0; b++) {
        /* Finer towards the top, where the decisions are: each bin holds half of what is left. */
        const size_t from = b == 0 ? 0 : j->n - (j->n >> b);
        const size_t to = b + 1 == COUNT_BINS ? j->n : j->n - (j->n >> (b + 1));
        double p = 0;
        double y = 0;
        if (to <= from)
            continue;
        for (size_t i = from; i < to; i++) {
            p += j->p[order[i]];
            y += j->y[order[i]];
        }
        cJSON *bin = json_add_object(out, NULL);
        json_add_number(bin, "p", p / (double)(to - from));
        json_add_int(bin, "n", (int64_t)(to - from));
        json_add_number(bin, "failed", y);
    }
    free(order);
    return out;
}

/* --- one candidate --- */

static void fingerprint(const struct train_run *r, size_t c, size_t m, char out[HASH_HEX_SIZE])
{
    /* Chained hash of each part, so that no second copy of the matrix is needed. */
    char parts[3 * HASH_HEX_SIZE];
    hash_sha256(train_matrix_of(r, m, r->k),
                r->d.n * train_features_of(r, m, r->k)->n * sizeof(float), parts);
    hash_sha256(r->y + c * r->d.n, r->d.n * sizeof(double), parts + HASH_HEX_SIZE);
    hash_sha256(r->weight != NULL ? (const void *)r->weight : "",
                r->weight != NULL ? r->d.n * sizeof(double) : 0, parts + 2 * (size_t)HASH_HEX_SIZE);
    hash_sha256(parts, sizeof(parts), out);
}

static char *print_and_delete(cJSON *json)
{
    char *text = json != NULL ? json_print(json, false) : NULL;
    cJSON_Delete(json);
    return text;
}

static char *names_text(const struct feature_set *fs)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < fs->n && list != NULL; i++)
        json_add_string(list, NULL, fs->infos[i].name);
    return print_and_delete(list);
}

static enum ft_status attach(struct model *m, const char *key, char *value, struct ft_err *err)
{
    if (value == NULL)
        return no_memory(err);
    const enum ft_status st = model_set_text(m, key, value, err);
    free(value);
    return st;
}

static char *number_text(double v)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%.17g", v);
    return strdup(text);
}

static char *params_text(const struct train_run *r, size_t c, size_t m)
{
    const struct model_spec spec = train_spec_of(r, c, m, r->k);
    cJSON *p = cJSON_CreateObject();
    json_add_string(p, "kind", model_kind_name(spec.kind));
    json_add_string(p, "view", r->candidates[m].view == FEATURE_VIEW_HEALTH ? "health" : "sensors");
    json_add_int(p, "folds", (int64_t)r->k);
    if (r->o->is_rul)
        json_add_number(p, "cap", r->cap_units);
    else
        json_add_int(p, "horizon_ms", r->o->horizon_ms);
    if (r->o->trusted != NULL)
        json_add_string(p, "trust", r->o->trusted);
    json_add_number(p, "lambda", spec.lambda);
    if (spec.kind == MODEL_GBDT || spec.kind == MODEL_GBDT_PRODUCTS) {
        json_add_int(p, "trees", (int64_t)spec.n_trees);
        if (spec.n_forest > 0)
            json_add_int(p, "forest_trees", (int64_t)spec.n_forest);
        json_add_int(p, "depth", (int64_t)spec.max_depth);
        json_add_int(p, "leaves", (int64_t)spec.max_leaves);
        json_add_int(p, "bins", (int64_t)spec.n_bins);
        json_add_number(p, "rate", spec.rate);
        json_add_number(p, "row_sample", spec.row_sample);
        json_add_number(p, "col_sample", spec.col_sample);
        json_add_number(p, "min_child_weight", spec.min_child_weight);
    }
    return print_and_delete(p);
}

static enum ft_status attach_all(struct train_run *r, size_t c, size_t candidate, struct model *m,
                                 const struct train_judged *j, const struct train_model *t,
                                 struct ft_err *err)
{
    const size_t component = r->components[c];
    enum ft_status st = attach(m, "features", strdup(t->features), err);
    if (st == FT_OK)
        st = attach(m, "feature_set",
                    print_and_delete(features_to_json(train_features_of(r, candidate, r->k))), err);
    if (st == FT_OK)
        st = attach(m, "fingerprint", strdup(t->fingerprint), err);
    if (st == FT_OK)
        st = attach(m, "metrics", strdup(t->metrics), err);
    if (st == FT_OK)
        st = attach(m, "params", strdup(t->params), err);
    if (st == FT_OK)
        st = attach(m, "seed", number_text((double)r->o->seed), err);
    if (st == FT_OK)
        st = attach(m, "build", strdup(FETTLE_VERSION), err);
    if (st == FT_OK)
        st = attach(m, "class", strdup(r->h->class_name), err);
    if (st == FT_OK && component != HISTORY_NO_INDEX)
        st = attach(m, "component", strdup(r->h->components[component].name), err);
    if (st == FT_OK)
        st = attach(m, "target", strdup(r->o->is_rul ? "rul" : "failure"), err);
    if (st == FT_OK)
        st = attach(m, "unit_ms", number_text(dataset_unit_ms(r->h)), err);
    if (st == FT_OK && r->o->is_rul)
        st = attach(m, "cap", number_text(r->cap_units), err);
    if (st == FT_OK && r->o->is_rul)
        st = attach(m, "residuals", print_and_delete(residual_table(j, r->cap_units)), err);
    if (st == FT_OK && !r->o->is_rul)
        st = attach(m, "horizon_ms", number_text((double)r->o->horizon_ms), err);
    if (st == FT_OK && !r->o->is_rul)
        st = attach(m, "counts", print_and_delete(count_table(j)), err);
    return st;
}

/* Sentence on the verdict. */
static char *verdict_text(bool is_rul, const struct train_judged *j, double mean, double se,
                          bool beats)
{
    char text[400];
    const double own = mean_loss(is_rul, j, j->p);
    const double base = mean_loss(is_rul, j, j->base);
    if (is_rul)
        (void)snprintf(text, sizeof(text),
                       "%s age alone out of fold: RMSE %.2f against %.2f (advantage %.1f standard "
                       "errors over assets)",
                       beats ? "beats" : "kept off, does not beat", own, base, mean / se);
    else
        (void)snprintf(text, sizeof(text),
                       "%s age alone out of fold: log loss %.5f against %.5f (advantage %.1f "
                       "standard errors over assets), PR-AUC %.3f against %.3f",
                       beats ? "beats" : "kept off, does not beat", own, base,
                       se > 0 && isfinite(se) ? mean / se : 0,
                       metric_pr_auc(j->raw, j->y, NULL, j->n), j->base_pr_auc);
    return strdup(text);
}

/* Calibration of a failure model, conformal band of a rul model; fills j->p. */
static enum ft_status fit_attachments(struct train_run *r, struct model *model,
                                      struct train_judged *j, cJSON *cv, struct ft_err *err)
{
    if (r->o->is_rul) {
        struct conformal *band = NULL;
        for (size_t i = 0; i < j->n; i++)
            j->p[i] = fmin(r->cap_units, fmax(0, j->raw[i]));
        /* Few units cannot carry a high coverage (19 for 0.9): then a lower one is stated. */
        static const double coverages[] = {TRAIN_COVERAGE, 0.8, 0.5};
        enum ft_status st = FT_TOO_FEW;
        for (size_t i = 0; i < 3 && st == FT_TOO_FEW; i++)
            st = conformal_fit(j->p, j->y, j->asset, j->n, TRAIN_CONFORMAL_BINS, coverages[i],
                               &band, err);
        if (st != FT_OK)
            return st;
        model_set_conformal(model, band);
        return train_rul_metrics(j, r->cap_units, conformal_coverage(band), cv, err);
    }
    struct calibration *cal = NULL;
    const char *name = "";
    const enum ft_status st = calibrate(j, &cal, &name, err);
    if (st != FT_OK)
        return st;
    model_set_calibration(model, cal);
    calibrate_baseline(j);
    json_add_string(cv, "calibration", name);
    json_add_number(cv, "calibration_error", metric_calibration_error(j->p, j->y, j->n, 10));
    return FT_OK;
}

/* The score, whether it beats age alone, and the metrics JSON. */
static enum ft_status give_verdict(bool is_rul, const struct train_judged *j, cJSON *cv,
                                   struct train_model *t, struct ft_err *err)
{
    double mean;
    double se;
    cJSON *metrics = cJSON_CreateObject();
    const double pr_auc = is_rul ? NAN : metric_pr_auc(j->raw, j->y, NULL, j->n);
    advantage(is_rul, j, &mean, &se);
    t->score = mean_loss(is_rul, j, j->p);
    t->score_se = se;
    t->beats_baseline = mean > MIN_ADVANTAGE_SE * se && (is_rul || pr_auc > j->base_pr_auc);
    t->reason = verdict_text(is_rul, j, mean, se, t->beats_baseline);
    put_metrics(is_rul, j, j->p, cv);
    if (!is_rul) {
        /* Ranking is that of the raw score; a step calibration would add ties. */
        cJSON_ReplaceItemInObjectCaseSensitive(cv, "pr_auc", cJSON_CreateNumber(pr_auc));
        const struct threshold_metrics at = metric_best_f1(j->p, j->y, j->n);
        json_add_number(cv, "threshold", at.threshold);
        json_add_number(cv, "precision", at.precision); /* of rows; the ROI page uses both */
        json_add_number(cv, "recall", at.recall);
    }
    cJSON *copy = cJSON_Duplicate(cv, true);
    if (copy != NULL && !cJSON_AddItemToObject(metrics, "cv", copy))
        cJSON_Delete(copy);
    json_add_number(metrics, "score", t->score);
    json_add_string(metrics, "score_metric", is_rul ? "rmse" : "log_loss");
    json_add_int(metrics, "rows", (int64_t)j->n);
    if (!is_rul)
        json_add_int(metrics, "positives", (int64_t)count_positives(j));
    cJSON *base = json_add_object(metrics, "baseline");
    json_add_string(base, "kind", "weibull_age");
    put_metrics(is_rul, j, j->base, base);
    if (!is_rul)
        cJSON_ReplaceItemInObjectCaseSensitive(base, "pr_auc", cJSON_CreateNumber(j->base_pr_auc));
    t->metrics = print_and_delete(metrics);
    return t->metrics != NULL && t->reason != NULL ? FT_OK : no_memory(err);
}

/* Writes the model file. */
static enum ft_status save_model(const struct model *model, struct train_model *t,
                                 struct ft_err *err)
{
    struct buf body;
    char hex[HASH_HEX_SIZE];
    buf_init(&body, MAX_MODEL_BYTES);
    enum ft_status st = model_save(model, &body, err);
    if (st == FT_OK)
        st = buf_status(&body, err);
    if (st == FT_OK) {
        t->body = buf_take(&body, &t->body_len);
        hash_sha256(t->body, t->body_len, hex);
        t->sha256 = strdup(hex);
        if (t->sha256 == NULL)
            st = no_memory(err);
    }
    buf_free(&body);
    return st;
}

/* Calibrates or bands the refit model, judges it and writes its file. */
static enum ft_status finish_model(struct train_run *r, size_t c, size_t m, struct train_judged *j,
                                   cJSON *cv, struct train_model *t, struct ft_err *err)
{
    struct train_cell *refit = train_cell_at(r, c, m, r->k);
    char hex[HASH_HEX_SIZE];
    enum ft_status st = fit_attachments(r, refit->model, j, cv, err);
    if (st == FT_OK)
        st = give_verdict(r->o->is_rul, j, cv, t, err);
    if (st != FT_OK)
        return st;
    fingerprint(r, c, m, hex);
    t->params = params_text(r, c, m);
    t->features = names_text(train_features_of(r, m, r->k));
    t->fingerprint = strdup(hex);
    if (t->params == NULL || t->features == NULL || t->fingerprint == NULL)
        return no_memory(err);
    st = attach_all(r, c, m, refit->model, j, t, err);
    return st == FT_OK ? save_model(refit->model, t, err) : st;
}

static double cell_seconds(const struct train_run *r, size_t c, size_t m)
{
    double sum = 0;
    for (size_t f = 0; f <= r->k; f++)
        sum += train_cell_at(r, c, m, f)->seconds;
    return sum;
}

/* Why a candidate has no answer: the first fit that failed. */
static const struct train_cell *failed_cell(const struct train_run *r, size_t c, size_t m)
{
    for (size_t f = 0; f <= r->k; f++) {
        const struct train_cell *cell = train_cell_at(r, c, m, r->k - f);
        if (cell->status != FT_OK)
            return cell;
    }
    return NULL;
}

/* --- one component --- */

static cJSON *baseline_json(const struct train_run *r, size_t c, const double *scores,
                            struct ft_err *err)
{
    struct train_judged j = {0};
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "kind", "weibull_age");
    cJSON *cv = json_add_object(out, "cv");
    if (collect(r, c, NULL, &j, err) == FT_OK && j.n > 0) {
        put_folds(r->o->is_rul, scores, r->k, cv);
        put_metrics(r->o->is_rul, &j, j.base, cv);
    }
    judged_clear(&j);
    if (r->has_age[c * (r->k + 1) + r->k]) {
        const struct age_model *a = &r->ages[c * (r->k + 1) + r->k];
        json_add_number(out, "shape", a->life.shape);
        json_add_number(out, "scale", a->life.scale);
        json_add_int(out, "failures", (int64_t)a->n_failures);
    }
    return out;
}

static enum ft_status judge_candidate(struct train_run *r, size_t c, size_t m,
                                      struct train_result *result, cJSON *list, size_t *index,
                                      struct ft_err *err)
{
    struct train_judged j = {0};
    double scores[TRAIN_MAX_FOLDS];
    cJSON *item = json_add_object(list, NULL);
    json_add_string(item, "kind", r->candidates[m].name);
    cJSON *cv = json_add_object(item, "cv");
    for (size_t f = 0; f < r->k; f++)
        scores[f] = train_cell_at(r, c, m, f)->test_score;
    put_folds(r->o->is_rul, scores, r->k, cv);
    json_add_number(item, "seconds", cell_seconds(r, c, m));
    *index = SIZE_MAX;
    const struct train_cell *failed = failed_cell(r, c, m);
    const bool has_refit = train_cell_at(r, c, m, r->k)->model != NULL;
    enum ft_status st = collect(r, c, train_oof_at(r, c, m), &j, err);
    if (st != FT_OK)
        goto out;
    if (!has_refit || j.n == 0) {
        json_add_string(item, "reason", failed != NULL ? failed->err.msg : "no fold to judge by");
        json_add_null(item, "model");
        goto out;
    }
    struct train_model *t = &result->models[result->n_models];
    (void)snprintf(t->kind, sizeof(t->kind), "%s", r->candidates[m].name);
    t->component_id =
        r->components[c] != HISTORY_NO_INDEX ? r->h->components[r->components[c]].id : 0;
    struct ft_err why = {0};
    st = finish_model(r, c, m, &j, cv, t, &why);
    if (st == FT_TOO_FEW || st == FT_INVALID) {
        /* A candidate that cannot be calibrated is no candidate; the others go on. */
        json_add_string(item, "reason", why.msg);
        json_add_null(item, "model");
        free(t->body);
        free(t->sha256);
        free(t->metrics);
        free(t->params);
        free(t->features);
        free(t->fingerprint);
        free(t->reason);
        *t = (struct train_model){0};
        st = FT_OK;
        goto out;
    }
    if (st != FT_OK) {
        st = ft_fail(err, st, "%s", why.msg);
        result->n_models++;
        goto out;
    }
    *index = result->n_models++;
    json_add_int(item, "model", (int64_t)*index);
out:
    judged_clear(&j);
    return st;
}

/* Marks the champion among the component's candidates and completes their reasons. */
static enum ft_status choose(struct train_run *r, size_t c, struct train_result *result,
                             const size_t *index, cJSON *component, cJSON *list, cJSON *baseline,
                             struct ft_err *err)
{
    struct train_model *best = NULL;
    for (size_t m = 0; m < r->n_candidates; m++) {
        struct train_model *t = index[m] != SIZE_MAX ? &result->models[index[m]] : NULL;
        if (t != NULL && t->beats_baseline && (best == NULL || t->score < best->score))
            best = t;
    }
    for (size_t m = 0; m < r->n_candidates; m++) {
        struct train_model *t = index[m] != SIZE_MAX ? &result->models[index[m]] : NULL;
        cJSON *item = cJSON_GetArrayItem(list, (int)m);
        cJSON_AddItemToObject(item, "baseline", cJSON_Duplicate(baseline, true));
        json_add_bool(item, "champion", t != NULL && t == best);
        if (t == NULL)
            continue;
        t->is_champion = t == best;
        char text[700];
        if (t == best)
            (void)snprintf(text, sizeof(text), "champion: %s", t->reason);
        else if (t->beats_baseline)
            (void)snprintf(text, sizeof(text), "%s; %s is better (%s %.5g against %.5g)", t->reason,
                           best->kind, r->o->is_rul ? "RMSE" : "log loss", best->score, t->score);
        else
            (void)snprintf(text, sizeof(text), "%s", t->reason);
        free(t->reason);
        t->reason = strdup(text);
        if (t->reason == NULL)
            return no_memory(err);
        json_add_string(item, "reason", t->reason);
    }
    json_add_bool(component, "champion", best != NULL);
    json_add_string(component, "reason",
                    best != NULL ? best->reason
                                 : "no candidate beats age alone: the age-only model speaks");
    return FT_OK;
}

/* The baseline stands in the list of candidates too: it ran, and it speaks when the others are off.
 */
static void list_baseline(cJSON *list, const cJSON *baseline)
{
    cJSON *item = cJSON_Duplicate(baseline, true);
    if (item == NULL)
        return;
    json_add_number(item, "seconds", 0);
    json_add_bool(item, "champion", false);
    json_add_string(item, "reason", "the baseline: it speaks where no champion does");
    if (!cJSON_AddItemToArray(list, item))
        cJSON_Delete(item);
}

static enum ft_status judge_component(struct train_run *r, size_t c, struct train_result *result,
                                      cJSON *components, struct ft_err *err)
{
    size_t index[TRAIN_MAX_CANDIDATES];
    double scores[TRAIN_MAX_FOLDS] = {0};
    int64_t n_rows = 0;
    int64_t n_positives = 0;
    cJSON *out = json_add_object(components, NULL);
    const size_t component = r->components[c];
    if (component != HISTORY_NO_INDEX)
        json_add_string(out, "component", r->h->components[component].name);
    else
        json_add_null(out, "component");
    for (size_t i = 0; i < r->d.n; i++) {
        n_rows += !isnan(r->y[c * r->d.n + i]);
        n_positives += r->y[c * r->d.n + i] > 0;
    }
    json_add_int(out, "rows", n_rows);
    if (!r->o->is_rul)
        json_add_int(out, "positives", n_positives);
    for (size_t f = 0; f < r->k; f++)
        scores[f] = NAN;
    baseline_folds(r, c, scores, err);
    cJSON *baseline = baseline_json(r, c, scores, err);
    cJSON *list = json_add_array(out, "candidates");
    enum ft_status st = FT_OK;
    for (size_t m = 0; m < r->n_candidates && st == FT_OK; m++)
        st = judge_candidate(r, c, m, result, list, &index[m], err);
    if (st == FT_OK)
        st = choose(r, c, result, index, out, list, baseline, err);
    list_baseline(list, baseline);
    if (baseline != NULL)
        cJSON_AddItemToObject(out, "baseline", baseline);
    return st;
}

enum ft_status train_judge(struct train_run *r, struct train_result *result, struct ft_err *err)
{
    cJSON *components = json_add_array(result->report, "components");
    result->models = calloc(r->n_components * r->n_candidates + 1, sizeof(*result->models));
    if (result->models == NULL || components == NULL)
        return no_memory(err);
    enum ft_status st = FT_OK;
    for (size_t c = 0; c < r->n_components && st == FT_OK; c++)
        st = judge_component(r, c, result, components, err);
    return st;
}
