/* Lagrangian bound: the hours of each crew and day get a price, and each job then takes its own
 * cheapest start. For any prices >= 0
 *
 *   L = sum_j min(left, min over starts (cost - share + price x hours)) - sum price x room
 *
 * is below every plan (Geoffrion 1974). A day on which n jobs of an asset may start saves at most
 * setup x (m - 1) for m <= n jobs, that is share = setup (n - 1) / n for each. Prices follow the
 * subgradient with Polyak's step. */
#include "app/planner/assign_board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 300 };
#define CELL_BUDGET 25000000.0 /* starts priced in all rounds */

struct bound {
    const struct board *b;
    double *price, *room, *over; /* [n_crews * n_days] */
    double *share;               /* [n_assets * n_days] */
    double fixed;                /* cost of the pinned jobs */
};

/* Visits the hours that a start takes: their price (sign 0), or adds them to over. */
static double walk(const struct bound *x, size_t j, const struct cell *at, double *over)
{
    const struct board *b = x->b;
    const size_t base = (size_t)at->crew * (size_t)b->n_days;
    const double *hours = b->crews[at->crew].hours;
    double left = b->jobs[j].hours;
    double sum = 0;
    for (int d = at->day; d < b->n_days && left > ASSIGN_EPS_H; d++) {
        const double take = fmin(left, hours[d]);
        sum += take * x->price[base + (size_t)d];
        if (over != NULL)
            over[base + (size_t)d] += take;
        left -= take;
    }
    return sum;
}

static bool prepare(struct bound *x)
{
    const struct board *b = x->b;
    const size_t cells = b->n_crews * (size_t)b->n_days;
    const size_t days = (size_t)b->n_days;
    x->price = calloc(cells + 1, sizeof(*x->price));
    x->room = calloc(cells + 1, sizeof(*x->room));
    x->over = calloc(cells + 1, sizeof(*x->over));
    x->share = calloc(b->n_assets * days + 1, sizeof(*x->share));
    if (x->price == NULL || x->room == NULL || x->over == NULL || x->share == NULL)
        return false;
    for (size_t j = 0; j < b->n_jobs; j++) { /* how many may start: counted in share */
        const size_t base = b->asset[j] * days;
        if (b->jobs[j].is_fixed)
            x->share[base + (size_t)b->jobs[j].old_day]++;
        int seen[ASSIGN_MAX_DAYS] = {0};
        for (size_t i = b->first_cell[j]; i < b->first_cell[j + 1]; i++)
            if (seen[b->cells[i].day]++ == 0)
                x->share[base + (size_t)b->cells[i].day]++;
    }
    for (size_t i = 0; i < b->n_assets * days; i++) {
        const double n = x->share[i];
        x->share[i] = n > 1 ? b->setup[i / days] * (n - 1) / n : 0;
    }
    for (size_t c = 0; c < b->n_crews; c++)
        memcpy(x->room + c * days, b->crews[c].hours, days * sizeof(*x->room));
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_job *job = &b->jobs[j];
        if (!job->is_fixed)
            continue;
        const struct cell at = {0, (int16_t)job->old_day, (int16_t)job->old_crew};
        x->fixed += job->cost[job->old_day] - x->share[b->asset[j] * days + (size_t)job->old_day];
        memset(x->over, 0, cells * sizeof(*x->over));
        walk(x, j, &at, x->over);
        for (size_t i = 0; i < cells; i++)
            x->room[i] -= x->over[i];
    }
    for (size_t i = 0; i < cells; i++)
        x->room[i] = fmax(0, x->room[i]);
    return true;
}

/* L at the present prices; over becomes hours asked for less room. */
static double price_all(struct bound *x)
{
    const struct board *b = x->b;
    const size_t cells = b->n_crews * (size_t)b->n_days;
    double sum = x->fixed;
    memset(x->over, 0, cells * sizeof(*x->over));
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct cell *best = NULL;
        const double *share = x->share + b->asset[j] * (size_t)b->n_days;
        const double most = b->setup[b->asset[j]];
        double least = b->jobs[j].cost_left;
        if (b->jobs[j].is_fixed)
            continue;
        for (size_t i = b->first_cell[j]; i < b->first_cell[j + 1]; i++) {
            const struct cell *at = &b->cells[i];
            if (at->cost - most >= least)
                break; /* prices are not negative: no later start is cheaper */
            const double cost = at->cost - share[at->day] + walk(x, j, at, NULL);
            if (cost < least) {
                least = cost;
                best = at;
            }
        }
        sum += least;
        if (best != NULL)
            walk(x, j, best, x->over);
    }
    for (size_t i = 0; i < cells; i++) {
        sum -= x->price[i] * x->room[i];
        x->over[i] -= x->room[i];
    }
    return sum;
}

/* One step along the subgradient; false when it is zero, that is, the prices are best. */
static bool step(struct bound *x, double gap, double length)
{
    const size_t cells = x->b->n_crews * (size_t)x->b->n_days;
    double norm = 0;
    for (size_t i = 0; i < cells; i++)
        if (x->over[i] > 0 || x->price[i] > 0)
            norm += x->over[i] * x->over[i];
    if (!(norm > 0) || !(gap > 0))
        return false;
    for (size_t i = 0; i < cells; i++)
        x->price[i] = fmax(0, x->price[i] + length * gap / norm * x->over[i]);
    return true;
}

double bound_of(const struct board *b, double cost)
{
    struct bound x = {.b = b};
    const double per_round = (double)b->first_cell[b->n_jobs] + 1;
    const int rounds = (int)fmin(MAX_ROUNDS, fmax(5, CELL_BUDGET / per_round));
    double best = -INFINITY;
    double length = 1;
    int n_same = 0;
    if (prepare(&x)) {
        for (int i = 0; i < rounds; i++) {
            const double now = price_all(&x);
            n_same = now > best ? 0 : n_same + 1;
            best = fmax(best, now);
            if (n_same >= 8) {
                length /= 2;
                n_same = 0;
            }
            if (!step(&x, cost - now, length))
                break;
        }
    }
    free(x.price);
    free(x.room);
    free(x.over);
    free(x.share);
    return isfinite(best) ? fmin(best, cost) : 0;
}
