#include "app/rul_odds.h"

#include "app/base/json.h"
#include "models/linear.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_EACH = 20 };
/* Values of t as parts of the cap: 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, ... 120 of 125. */
static const double parts[RUL_ODDS_MAX] = {0.008, 0.016, 0.024, 0.04, 0.06, 0.08, 0.12, 0.16,
                                           0.24,  0.36,  0.48,  0.6,  0.72, 0.84, 0.96};
static const double penalty = 1; /* on standardised columns: only to keep clean splits finite */

/* Rows as columns of the regression; weights with the mean 1. */
struct rows {
    double *x, *y, *w;
    size_t n;
};

static enum ft_status fit_one(const struct rows *rows, const double *life, double t, cJSON *out,
                              struct ft_err *err)
{
    const struct matrix x = {.data = rows->x, .n_rows = rows->n, .n_cols = 2, .stride = 2};
    struct linear *m = NULL;
    double b[3];
    size_t n_short = 0;
    for (size_t i = 0; i < rows->n; i++) {
        rows->y[i] = life[i] <= t ? 1 : 0;
        n_short += life[i] <= t;
    }
    if (n_short < MIN_EACH || rows->n - n_short < MIN_EACH)
        return FT_OK;
    const enum ft_status st = linear_fit(LINEAR_LOGISTIC, &x, rows->y, rows->w, penalty, &m, err);
    if (st != FT_OK)
        return st == FT_NOMEM ? st : FT_OK;
    linear_coefficients(m, b);
    linear_free(m);
    cJSON *item = json_add_object(out, NULL);
    json_add_number(item, "t", t);
    json_add_number(item, "a", b[0]);
    json_add_number(item, "b", b[1]);
    json_add_number(item, "c", b[2]);
    return FT_OK;
}

enum ft_status rul_odds_fit(const double *prediction, const double *life, const double *weight,
                            size_t n, double cap, cJSON **out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    double sum = 0;
    struct rows rows = {.x = calloc(2 * n + 1, sizeof(double)),
                        .y = calloc(n + 1, sizeof(double)),
                        .w = calloc(n + 1, sizeof(double)),
                        .n = n};
    *out = cJSON_CreateArray();
    if (rows.x == NULL || rows.y == NULL || rows.w == NULL || *out == NULL) {
        st = ft_fail(err, FT_NOMEM, "odds of a remaining life: no memory for %zu rows", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    for (size_t i = 0; i < n; i++) {
        rows.x[2 * i] = prediction[i];
        rows.x[2 * i + 1] = log1p(fmax(0, prediction[i]));
        rows.w[i] = weight[i] * (double)n / sum;
    }
    for (size_t k = 0; k < RUL_ODDS_MAX && st == FT_OK; k++)
        st = fit_one(&rows, life, parts[k] * cap, *out, err);
out:
    free(rows.x);
    free(rows.y);
    free(rows.w);
    if (st != FT_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return st;
}

size_t rul_odds_levels(const cJSON *odds, double prediction, double t[RUL_ODDS_MAX],
                       double level[RUL_ODDS_MAX])
{
    size_t n = 0;
    double last_t = 0;
    double last = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, odds) {
        double at, a, b, c;
        if (n == RUL_ODDS_MAX || json_number(item, "t", true, &at, NULL) != FT_OK ||
            json_number(item, "a", true, &a, NULL) != FT_OK ||
            json_number(item, "b", true, &b, NULL) != FT_OK ||
            json_number(item, "c", true, &c, NULL) != FT_OK || !(at > last_t))
            return 0;
        const double z = a + b * prediction + c * log1p(fmax(0, prediction));
        last_t = t[n] = at;
        last = level[n++] = fmax(last, 1 / (1 + exp(-z)));
    }
    return n;
}
