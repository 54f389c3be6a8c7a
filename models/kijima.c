#include "models/kijima.h"

#include "models/optim.h"
#include "models/special.h"
#include "models/weibull.h"

#include <math.h>
#include <stdlib.h>

/* Gaps between events, as a Weibull fit wants them once q is given. */
struct gaps {
    const struct recurrent *r;
    int type;
    double *time, *entry;
    bool *failed;
    size_t n;
};

static void add_gap(struct gaps *g, double age, double gap, bool has_failed)
{
    g->entry[g->n] = age;
    g->time[g->n] = age + gap;
    g->failed[g->n++] = has_failed;
}

static void fill_gaps(struct gaps *g, double q)
{
    g->n = 0;
    for (size_t i = 0; i < g->r->n_units; i++) {
        const struct recurrent_unit *u = &g->r->units[i];
        double age = 0, last = 0;
        for (size_t k = 0; k < u->n; k++) {
            const double gap = g->r->times[u->first + k] - last;
            if (!(gap > 0))
                continue;
            add_gap(g, age, gap, true);
            age = g->type == 1 ? age + q * gap : q * (age + gap);
            last += gap;
        }
        if (u->end > last)
            add_gap(g, age, u->end - last, false);
    }
}

static double profile_at(struct gaps *g, double q, struct weibull *w)
{
    fill_gaps(g, q);
    return weibull_fit(g->time, g->failed, g->entry, NULL, g->n, w, NULL) == FT_OK
               ? w->log_likelihood
               : -INFINITY;
}

static double profile_value(void *ctx, double q)
{
    struct weibull w;
    return profile_at(ctx, q, &w);
}

/* Where the profile has fallen to floor between the estimate and a bound of q. */
static double limit_towards(struct gaps *g, double inside, double bound, double floor)
{
    struct weibull w;
    double outside = bound;
    if (profile_at(g, bound, &w) >= floor)
        return bound;
    for (int i = 0; i < 40; i++) {
        const double middle = inside + (outside - inside) / 2;
        *(profile_at(g, middle, &w) >= floor ? &inside : &outside) = middle;
    }
    return inside;
}

static enum ft_status search(struct gaps *g, double confidence, struct kijima *out,
                             struct ft_err *err)
{
    enum { STEPS = 20 };
    struct weibull w;
    double best_value = -INFINITY, q = 0;
    for (int k = 0; k <= STEPS; k++) {
        const double at_k = profile_at(g, (double)k / STEPS, &w);
        if (at_k > best_value) {
            best_value = at_k;
            q = (double)k / STEPS;
        }
    }
    if (isinf(best_value))
        return ft_fail(err, FT_TOO_FEW, "imperfect repair: the gaps between events carry no fit");
    double value = 0;
    const double inner = optim_maximum(profile_value, g, fmax(q - 1.0 / STEPS, 0),
                                       fmin(q + 1.0 / STEPS, 1), 1e-8, &value);
    if (value > best_value)
        q = inner;
    out->log_likelihood = profile_at(g, q, &w);
    out->q = q;
    out->shape = w.shape;
    out->scale = w.scale;
    out->log_likelihood_new = profile_at(g, 0, &w);
    out->log_likelihood_old = profile_at(g, 1, &w);
    const double z = special_normal_quantile(0.5 + confidence / 2);
    const double floor = out->log_likelihood - 0.5 * z * z;
    out->q_limits[0] = limit_towards(g, q, 0, floor);
    out->q_limits[1] = limit_towards(g, q, 1, floor);
    return FT_OK;
}

enum ft_status kijima_fit(const struct recurrent *r, int type, double confidence,
                          struct kijima *out, struct ft_err *err)
{
    struct gaps g = {.r = r, .type = type};
    enum ft_status st = FT_OK;
    *out = (struct kijima){.type = type, .n_events = r->n_events};
    if ((type != 1 && type != 2) || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID, "imperfect repair: type %d, confidence %g", type,
                       confidence);
    for (size_t i = 0; i < r->n_units; i++)
        if (r->units[i].begin > 0)
            return ft_fail(err, FT_INVALID,
                           "imperfect repair: unit %zu is seen from age %g on, its repairs before "
                           "are unknown",
                           i + 1, r->units[i].begin);
    if (r->n_events < 3)
        return ft_fail(err, FT_TOO_FEW, "imperfect repair needs 3 events, there are %zu",
                       r->n_events);
    const size_t cap = r->n_events + r->n_units;
    g.time = calloc(cap, sizeof(double));
    g.entry = calloc(cap, sizeof(double));
    g.failed = calloc(cap, sizeof(bool));
    if (g.time == NULL || g.entry == NULL || g.failed == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu gaps", cap);
    else
        st = search(&g, confidence, out, err);
    free(g.time);
    free(g.entry);
    free(g.failed);
    return st;
}
