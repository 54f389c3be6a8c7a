/* Leaks among what is recorded, before any fit. Windows and slopes cannot look ahead (features.h);
 * a sensor or an attribute can, when somebody filled it in afterwards. So the newest value of each
 * sensor at the rows' instants and each attribute is held against the label. A meter only rises and
 * often stands for age, which may order short and even lives well: it is judged by its name. */
#include "app/leak_guard.h"
#include "app/train_private.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_LEADS = 30, FAR_HORIZONS = 6 };
/* A measured sensor orders at least so many pairs of rows before a failure by what is left, and not
 * more than so many of those long before it. */
static const double least_near = 0.75, most_far = 0.985;

struct ranks {
    double *value, *lead;
    bool *all;
};

/* The recorded thing whose plain value column j is; NULL = the column is derived from it. */
static const char *recorded_name(const struct feature_set *fs, size_t j, bool *is_meter)
{
    static const char last[] = ": last";
    const struct feature_info *info = &fs->infos[j];
    const size_t n = strlen(info->name);
    *is_meter = info->source == FEATURE_METER;
    if (info->source == FEATURE_ATTRIBUTE)
        return fs->attributes[info->index].name;
    if (info->source != FEATURE_SENSOR && info->source != FEATURE_SETTING && !*is_meter)
        return NULL;
    if (n < sizeof(last) || strcmp(info->name + n - (sizeof(last) - 1), last) != 0)
        return NULL;
    return fs->sensors[info->index].name;
}

/* How well column j puts the rows with leads in (from, to] in the order of their lead: 0.5..1. */
static double order_of_leads(const struct matrix *x, size_t j, const int64_t *lead_ms, double from,
                             double to, struct ranks *k)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n_rows; i++) {
        const double lead = (double)lead_ms[i];
        const double v = matrix_value(x, i, j);
        if (lead_ms[i] == DB_NO_TIME || !(lead > from && lead <= to) || !isfinite(v))
            continue;
        k->value[n] = v;
        k->lead[n] = lead;
        k->all[n++] = true;
    }
    const double share = n >= MIN_LEADS ? metric_concordance(k->value, k->lead, k->all, n) : NAN;
    return isfinite(share) ? fmax(share, 1 - share) : NAN;
}

/* Does a column that tells the label alone do what a measurement could? */
static enum ft_status is_measured(const struct train_run *r, const struct matrix *x, size_t c,
                                  size_t j, bool *out, struct ft_err *err)
{
    const size_t n = r->d.n + 1;
    const double h = (double)r->o->horizon_ms;
    struct ranks k = {calloc(n, sizeof(double)), calloc(n, sizeof(double)),
                      calloc(n, sizeof(bool))};
    double *y = calloc(n, sizeof(*y));
    int64_t *lead_ms = calloc(n, sizeof(*lead_ms));
    enum ft_status st = FT_OK;
    *out = false;
    if (k.value == NULL || k.lead == NULL || k.all == NULL || y == NULL || lead_ms == NULL) {
        st = ft_fail(err, FT_NOMEM, "leaks: no memory for %zu rows", r->d.n);
    } else {
        dataset_failure_labels(r->h, &r->d, r->components[c], FAR_HORIZONS * r->o->horizon_ms,
                               r->o->until_ms, y, lead_ms);
        const double near = order_of_leads(x, j, lead_ms, 0, h, &k);
        const double far = order_of_leads(x, j, lead_ms, 2 * h, FAR_HORIZONS * h, &k);
        *out = near >= least_near && !(far >= most_far);
    }
    free(k.value);
    free(k.lead);
    free(k.all);
    free(y);
    free(lead_ms);
    return st;
}

static enum ft_status check_column(const struct train_run *r, const struct matrix *x, size_t c,
                                   size_t j, struct ft_err *err)
{
    const struct feature_set *fs = r->views[FEATURE_VIEW_SENSORS].fs[r->k];
    const double *y = r->y + c * r->d.n;
    bool is_meter;
    bool passes = false;
    const char *name = recorded_name(fs, j, &is_meter);
    struct leak leak;
    if (name == NULL)
        return FT_OK;
    enum ft_status st = leak_check(name, x, j, y, !r->o->is_rul, &leak, err);
    if (st == FT_OK && leak.kind == LEAK_ALONE && !r->o->is_rul)
        st = is_measured(r, x, c, j, &passes, err);
    if (st != FT_OK || leak.kind == LEAK_NONE || passes || (is_meter && leak.kind != LEAK_NAME))
        return st;
    return leak_guard_one(
        fs->infos[j].source == FEATURE_ATTRIBUTE ? "attribute" : "sensor", name, x, j, y,
        !r->o->is_rul, r->o->trusted,
        "it is not known at the time, so leave it out of the import, or vouch for it with --trust",
        err);
}

enum ft_status train_check_leaks(const struct train_run *r, struct ft_err *err)
{
    const struct train_view *v = &r->views[FEATURE_VIEW_SENSORS];
    enum ft_status st = FT_OK;
    if (v->fs[r->k] == NULL)
        return FT_OK;
    const size_t n = v->fs[r->k]->n;
    const struct matrix x = {.n_rows = r->d.n, .n_cols = n, .stride = n, .data32 = v->x[r->k]};
    for (size_t c = 0; c < r->n_components && st == FT_OK; c++)
        for (size_t j = 0; j < n && st == FT_OK; j++)
            st = check_column(r, &x, c, j, err);
    return st;
}
