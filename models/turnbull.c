#include "models/turnbull.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_STEPS = 50000, MAX_WORK = 200000000 };
static const double TOLERANCE = 1e-6;

/* Begins and ends in one order. A life in (a, b] begins just after a, a known age at it, and both
 * end at b: with the same age, a known age begins, then ends come, then later begins. */
enum kind { BEGIN_AT, END, BEGIN_AFTER };

struct edge {
    double age;
    enum kind kind;
    size_t unit;
};

static int compare_edges(const void *x, const void *y)
{
    const struct edge *a = x;
    const struct edge *b = y;
    if (a->age != b->age)
        return a->age < b->age ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* The innermost intervals that a unit's set covers: [from, upto). */
struct cover {
    size_t from, upto;
    double weight;
};

static size_t make_edges(const struct life_data *d, struct edge *edges)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const bool is_interval = life_data_is_interval(d, i),
                   is_exact = d->failed[i] && !is_interval;
        if (life_data_weight(d, i) <= 0)
            continue;
        edges[n++] = (struct edge){d->time[i], is_exact ? BEGIN_AT : BEGIN_AFTER, i};
        edges[n++] = (struct edge){is_interval ? d->upper[i]
                                   : is_exact  ? d->time[i]
                                               : INFINITY,
                                   END, i};
    }
    qsort(edges, n, sizeof(*edges), compare_edges);
    return n;
}

/* Finds the innermost intervals; a unit covers those whose begin is not before its own and whose
 * end is not after its own. */
static size_t find_points(const struct edge *edges, size_t n, struct turnbull_point *points,
                          struct cover *cover)
{
    size_t n_points = 0;
    for (size_t k = 0; k < n; k++) {
        if (edges[k].kind != END) {
            cover[edges[k].unit].from = n_points; /* the next one found is inside */
            continue;
        }
        if (k > 0 && edges[k - 1].kind != END)
            points[n_points++] =
                (struct turnbull_point){.lower = edges[k - 1].age, .upper = edges[k].age};
        cover[edges[k].unit].upto = n_points;
    }
    return n_points;
}

/* One step; returns by how much the conditions of an optimum fail: each p > 0 has a share of 1. */
static double step(const struct cover *cover, size_t n_units, double total,
                   struct turnbull_point *points, size_t n_points, double *sum, double *gain)
{
    double worst = 0;
    sum[0] = 0;
    for (size_t j = 0; j < n_points; j++) {
        sum[j + 1] = sum[j] + points[j].probability;
        gain[j] = 0;
    }
    gain[n_points] = 0;
    for (size_t i = 0; i < n_units; i++) {
        if (cover[i].weight <= 0)
            continue;
        const double share = cover[i].weight / (sum[cover[i].upto] - sum[cover[i].from]);
        gain[cover[i].from] += share;
        gain[cover[i].upto] -= share;
    }
    double at = 0;
    for (size_t j = 0; j < n_points; j++) {
        at += gain[j];
        const double ratio = at / total;
        worst = fmax(worst, points[j].probability > 1e-9 ? fabs(ratio - 1) : ratio - 1);
        points[j].probability *= ratio;
    }
    return worst;
}

/* Drops what got no probability; fills the survival. */
static size_t finish(struct turnbull_point *points, size_t n_points)
{
    size_t n = 0;
    double total = 0, survival = 1;
    for (size_t j = 0; j < n_points; j++)
        if (points[j].probability > 1e-9) {
            total += points[j].probability;
            points[n++] = points[j];
        }
    for (size_t j = 0; j < n; j++) {
        points[j].probability /= total;
        survival -= points[j].probability;
        points[j].survival = j + 1 == n ? 0 : fmax(survival, 0);
    }
    return n;
}

static enum ft_status check(const struct life_data *d, struct ft_err *err)
{
    struct life_totals totals;
    const enum ft_status st = life_data_totals(d, &totals, err);
    for (size_t i = 0; st == FT_OK && i < d->n; i++)
        if (life_data_entry(d, i) > 0)
            return ft_fail(err, FT_INVALID,
                           "unit %zu: a Turnbull estimate does not take left truncation", i + 1);
    return st;
}

enum ft_status turnbull(const struct life_data *data, struct turnbull_point **points,
                        size_t *n_points, struct turnbull_result *result, struct ft_err *err)
{
    *points = NULL;
    *n_points = 0;
    *result = (struct turnbull_result){0};
    enum ft_status st = check(data, err);
    if (st != FT_OK)
        return st;
    const size_t n = data->n;
    struct edge *edges = calloc(2 * n, sizeof(*edges));
    struct cover *cover = calloc(n, sizeof(*cover));
    struct turnbull_point *out = calloc(n, sizeof(*out));
    double *sum = calloc(2 * (n + 1), sizeof(*sum));
    if (edges == NULL || cover == NULL || out == NULL || sum == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu units", n);
        goto out;
    }
    double total = 0;
    const size_t m = find_points(edges, make_edges(data, edges), out, cover);
    for (size_t i = 0; i < n; i++) {
        cover[i].weight = life_data_weight(data, i);
        total += cover[i].weight;
    }
    for (size_t j = 0; j < m; j++)
        out[j].probability = 1 / (double)m;
    while (result->n_steps < MAX_STEPS && result->n_steps * n < MAX_WORK && !result->is_converged) {
        result->is_converged = step(cover, n, total, out, m, sum, sum + n + 1) < TOLERANCE;
        result->n_steps++;
    }
    *n_points = finish(out, m);
    *points = out;
    out = NULL;
out:
    free(edges);
    free(cover);
    free(out);
    free(sum);
    return st;
}
