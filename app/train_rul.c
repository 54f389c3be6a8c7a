/* Remaining lives out of fold: what the interval and the odds that a model will give are worth. */
#include "app/base/json.h"
#include "app/hazard_curve.h"
#include "app/rul_odds.h"
#include "app/train_private.h"
#include "models/conformal_cross.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>

enum { SOON_UNITS = 30, N_CALIBRATION_BINS = 10, N_PARTS = 5 };

/* Some of the assets, as arrays of their own. */
struct share {
    double *p, *y, *w;
    size_t *asset, *row; /* row: place in the whole */
    size_t n;
};

static void share_clear(struct share *h)
{
    free(h->p);
    free(h->y);
    free(h->w);
    free(h->asset);
    free(h->row);
}

/* The rows of part which of the assets, or all others. */
static enum ft_status share_of(const struct train_judged *j, size_t which, bool is_rest,
                               struct share *h, struct ft_err *err)
{
    const size_t n = j->n + 1;
    *h = (struct share){.p = calloc(n, sizeof(double)),
                        .y = calloc(n, sizeof(double)),
                        .w = calloc(n, sizeof(double)),
                        .asset = calloc(n, sizeof(size_t)),
                        .row = calloc(n, sizeof(size_t))};
    if (h->p == NULL || h->y == NULL || h->w == NULL || h->asset == NULL || h->row == NULL)
        return ft_fail(err, FT_NOMEM, "train: no memory to judge");
    for (size_t i = 0; i < j->n; i++) {
        if ((j->asset[i] % N_PARTS == which) == is_rest)
            continue;
        h->p[h->n] = j->p[i];
        h->y[h->n] = j->y[i];
        h->w[h->n] = j->w[i];
        h->asset[h->n] = j->asset[i];
        h->row[h->n++] = i;
    }
    return FT_OK;
}

/* Answers of all rows, each from a fit on the other parts; has_...: all of them could be fitted.
 */
struct answers {
    double *low, *high, *soon;
    bool has_interval, has_soon;
};

static enum ft_status answer_part(const struct share *from, const struct share *to, double cap,
                                  double coverage, struct answers *a, struct ft_err *err)
{
    struct conformal *band = NULL;
    cJSON *odds = NULL;
    const enum ft_status fitted = conformal_fit(from->p, from->y, from->asset, from->n,
                                                TRAIN_CONFORMAL_BINS, coverage, &band, NULL);
    enum ft_status st = rul_odds_fit(from->p, from->y, from->w, from->n, cap, &odds, err);
    cJSON *table = cJSON_CreateObject();
    if (st == FT_OK && (table == NULL || !cJSON_AddItemToObject(table, "odds", odds))) {
        cJSON_Delete(odds);
        st = ft_fail(err, FT_NOMEM, "train: no memory to judge");
    }
    a->has_interval = a->has_interval && fitted == FT_OK;
    for (size_t i = 0; i < to->n && st == FT_OK; i++) {
        const struct hazard_curve c = hazard_curve_rul(NULL, 0, table, to->p[i], cap, 1000);
        if (fitted == FT_OK)
            conformal_interval(band, to->p[i], &a->low[to->row[i]], &a->high[to->row[i]]);
        a->has_soon = a->has_soon && c.n_levels > 0;
        a->soon[to->row[i]] = hazard_curve_probability(&c, (int64_t)SOON_UNITS * 1000);
    }
    conformal_free(band);
    cJSON_Delete(table);
    return st;
}

static void put_soon(const struct train_judged *j, const double *p, cJSON *cv)
{
    double *y = calloc(j->n + 1, sizeof(*y));
    if (y == NULL)
        return;
    for (size_t i = 0; i < j->n; i++)
        y[i] = j->y[i] <= SOON_UNITS;
    cJSON *soon = json_add_object(cv, "failure_soon");
    json_add_int(soon, "within", SOON_UNITS);
    json_add_number(soon, "pr_auc", metric_pr_auc(p, y, j->w, j->n));
    json_add_number(soon, "brier", metric_brier(p, y, j->w, j->n));
    json_add_number(soon, "calibration_error",
                    metric_calibration_error(p, y, j->n, N_CALIBRATION_BINS));
    free(y);
}

static void put_coverage(const struct train_judged *j, const struct answers *a, double nominal,
                         double cap, cJSON *cv)
{
    for (size_t i = 0; i < j->n; i++) {
        a->low[i] = fmax(0, a->low[i]);
        a->high[i] = fmin(cap, a->high[i]);
    }
    const struct coverage c = coverage_observed(a->low, a->high, j->y, j->w, j->n);
    cJSON *out = json_add_object(cv, "coverage");
    json_add_number(out, "nominal", nominal);
    json_add_number(out, "observed", c.observed);
    json_add_number(cv, "interval_mean_width", c.mean_width);
}

static enum ft_status answer_all(const struct train_judged *j, double cap, double coverage,
                                 struct answers *a, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t part = 0; part < N_PARTS && st == FT_OK; part++) {
        struct share to = {0};
        struct share from = {0};
        st = share_of(j, part, false, &to, err);
        if (st == FT_OK)
            st = share_of(j, part, true, &from, err);
        if (st == FT_OK && to.n > 0)
            st = answer_part(&from, &to, cap, coverage, a, err);
        share_clear(&to);
        share_clear(&from);
    }
    return st;
}

enum ft_status train_rul_metrics(const struct train_judged *j, double cap_units, double coverage,
                                 cJSON *cv, struct ft_err *err)
{
    struct answers a = {.low = calloc(j->n + 1, sizeof(double)),
                        .high = calloc(j->n + 1, sizeof(double)),
                        .soon = calloc(j->n + 1, sizeof(double)),
                        .has_interval = true,
                        .has_soon = cap_units > SOON_UNITS};
    double score = 0;
    double weight = 0;
    enum ft_status st = a.low != NULL && a.high != NULL && a.soon != NULL
                            ? answer_all(j, cap_units, coverage, &a, err)
                            : ft_fail(err, FT_NOMEM, "train: no memory to judge");
    for (size_t i = 0; i < j->n && st == FT_OK; i++) {
        score += j->w[i] * metric_phm08(&j->p[i], &j->y[i], 1);
        weight += j->w[i];
    }
    if (st == FT_OK) {
        json_add_number(cv, "phm08_mean", score / weight);
        if (a.has_interval)
            put_coverage(j, &a, coverage, cap_units, cv);
        if (a.has_soon)
            put_soon(j, a.soon, cv);
    }
    free(a.low);
    free(a.high);
    free(a.soon);
    return st;
}
