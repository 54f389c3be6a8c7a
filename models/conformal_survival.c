/* Each unit has mass one. That of the seen failures is their IPCW weight; what the weights leave of
 * the number of units belongs to lives longer than any seen and lies above every score. As in split
 * conformal bands one more unit, the new one, may lie anywhere: it counts against every bound. */
#include "models/conformal_survival.h"

#include <math.h>
#include <stdlib.h>

struct row {
    double score, weight;
    size_t group, i;
};

static int by_group(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

static int by_score(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->score != q->score)
        return p->score < q->score ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

void censoring_weights(const struct censoring *c, const double *time, const bool *failed, size_t n,
                       double *out)
{
    for (size_t i = 0; i < n; i++) {
        const double g = failed[i] ? censoring_uncensored_before(c, time[i]) : 0;
        out[i] = g > 0 ? 1 / g : 0;
    }
}

/* Divides the weights by the rows of their unit; returns the number of units. */
static size_t share_units(struct row *rows, size_t n)
{
    size_t n_units = 0;
    qsort(rows, n, sizeof(*rows), by_group);
    for (size_t i = 0, end = 0; i < n; i = end, n_units++) {
        while (end < n && rows[end].group == rows[i].group)
            end++;
        for (size_t k = i; k < end; k++)
            rows[k].weight /= (double)(end - i);
    }
    return n_units;
}

/* The greatest score with at most mass - 1 below it: a new unit lies under it with probability <=
 * mass / (units + 1). False when there is none. */
static bool bound_below(const struct row *rows, size_t n, double mass, double *bound)
{
    double below = 0;
    bool is_found = false;
    for (size_t k = 0; k < n && below <= mass - 1 + 1e-9; k++) {
        if (!(rows[k].weight > 0))
            continue;
        *bound = rows[k].score;
        is_found = true;
        below += rows[k].weight;
    }
    return is_found && mass >= 1 - 1e-9;
}

/* The smallest score with at least this mass at or below it; infinite when censoring hides it. */
static double bound_above(const struct row *rows, size_t n, double mass)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += rows[k].weight;
        if (rows[k].weight > 0 && sum >= mass - 1e-9)
            return rows[k].score;
    }
    return INFINITY;
}

static enum ft_status find_bounds(const struct row *rows, size_t n, struct survival_band *out,
                                  struct ft_err *err)
{
    const double units = (double)out->n_units + 1, miss = 1 - out->coverage;
    if (!bound_below(rows, n, units * miss / 2, &out->lower) ||
        !bound_below(rows, n, units * miss, &out->floor))
        return ft_fail(
            err, FT_TOO_FEW,
            "survival band: %zu units with %zu failures are too few for a coverage of %g "
            "(needs %.0f units)",
            out->n_units, out->n_failures, out->coverage, ceil((1 + out->coverage) / miss - 1e-9));
    out->upper = bound_above(rows, n, units * (1 - miss / 2));
    return FT_OK;
}

enum ft_status conformal_survival_fit(const double *score, const double *time, const bool *failed,
                                      const size_t *group, size_t n, const struct censoring *c,
                                      double coverage, struct survival_band *out,
                                      struct ft_err *err)
{
    *out = (struct survival_band){.coverage = coverage};
    if (!(coverage > 0 && coverage < 1))
        return ft_fail(err, FT_INVALID, "survival band: coverage %g, expected inside (0, 1)",
                       coverage);
    struct row *rows = calloc(n > 0 ? n : 1, sizeof(*rows));
    double *weight = calloc(n > 0 ? n : 1, sizeof(*weight));
    enum ft_status st = FT_OK;
    if (rows == NULL || weight == NULL)
        st = ft_fail(err, FT_NOMEM, "survival band: no memory for %zu rows", n);
    for (size_t i = 0; st == FT_OK && i < n; i++)
        if (isnan(score[i]))
            st = ft_fail(err, FT_INVALID, "survival band, row %zu: the score is not a number",
                         i + 1);
    if (st == FT_OK) {
        censoring_weights(c, time, failed, n, weight);
        for (size_t i = 0; i < n; i++) {
            rows[i] = (struct row){score[i], weight[i], group != NULL ? group[i] : i, i};
            out->n_failures += weight[i] > 0;
        }
        out->n_units = share_units(rows, n);
        qsort(rows, n, sizeof(*rows), by_score);
        st = find_bounds(rows, n, out, err);
    }
    free(rows);
    free(weight);
    return st;
}
