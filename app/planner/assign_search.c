/* Ruin and recreate (Schrimpf et al. 2000): a handful of jobs that stand near each other, or that
 * nobody placed, are taken out and put back one by one in an order that draws decide; a cheapest
 * start is now and then overlooked on purpose (Christiaens and Vanden Berghe 2020). Plans that are
 * a little dearer are kept for a while, less and less, and the best plan of all is what remains. */
#include "app/planner/assign_board.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RUIN = 24, MIN_RUIN = 2, NEAR_DAYS = 3, SEED = 4711 };
/* Chance to overlook a start that would be the cheapest. */
#define BLINK 0.02
/* A dearer plan is kept when it costs less than this share more than the best, at the start. */
#define WARMTH 0.01

struct search {
    struct board *b;
    uint64_t n_draws;
    size_t *movable; /* [n_movable] jobs that are not pinned and have a start */
    size_t n_movable;
    size_t *pool;  /* [n_jobs] scratch: candidates of one ruin */
    double *worth; /* [n_jobs] what placing saves per hour, on an empty board */
};

static double draw(struct search *s)
{
    return rng_uniform(SEED, 1, s->n_draws++);
}

static size_t draw_below(struct search *s, size_t n)
{
    return (size_t)rng_below(SEED, 2, s->n_draws++, n);
}

/* Jobs to take out, the first of them by chance; returns how many. */
static size_t choose(struct search *s, size_t *ruin, size_t want)
{
    const struct board *b = s->b;
    const size_t seed = s->movable[draw_below(s, s->n_movable)];
    const bool by_asset = draw(s) < 0.15 && b->n_of_asset[b->asset[seed]] > 1;
    struct assign_place at = b->place[seed];
    if (at.day < 0) { /* somebody stands where it would like to be */
        const size_t n = b->first_cell[seed + 1] - b->first_cell[seed];
        const struct cell *x = &b->cells[b->first_cell[seed] + draw_below(s, n < 12 ? n : 12)];
        at = (struct assign_place){x->day, x->crew};
    }
    size_t n = 0;
    for (size_t i = 0; i < s->n_movable; i++) {
        const size_t j = s->movable[i];
        const struct assign_place p = b->place[j];
        const bool is_near = p.day >= 0 && abs(p.day - at.day) <= NEAR_DAYS &&
                             (p.crew == at.crew || b->able[seed * b->n_crews + (size_t)p.crew]);
        const bool is_left = p.day < 0 && draw(s) < 0.3;
        if (j != seed && (by_asset ? b->asset[j] == b->asset[seed] || (is_near && draw(s) < 0.2)
                                   : is_near || is_left))
            s->pool[n++] = j;
    }
    s->b->budget -= (long)(s->n_movable / 4);
    size_t k = 0;
    ruin[k++] = seed;
    while (k < want && n > 0) {
        const size_t i = draw_below(s, n);
        ruin[k++] = s->pool[i];
        s->pool[i] = s->pool[--n];
    }
    return k;
}

/* The order in which they are put back: by worth, by length, or by chance, with some noise. */
static void sort_ruin(struct search *s, size_t *ruin, size_t n)
{
    double key[MAX_RUIN];
    const double kind = draw(s);
    for (size_t i = 0; i < n; i++) {
        const double noise = 0.6 + 0.8 * draw(s);
        const double worth = s->worth[ruin[i]];
        key[i] = kind < 0.4   ? worth * noise
                 : kind < 0.6 ? worth * s->b->jobs[ruin[i]].hours * noise
                 : kind < 0.8 ? s->b->jobs[ruin[i]].hours * noise
                              : noise;
    }
    for (size_t i = 1; i < n; i++) /* few: insertion sort, largest key first */
        for (size_t k = i; k > 0 && key[k] > key[k - 1]; k--) {
            const double x = key[k];
            const size_t j = ruin[k];
            key[k] = key[k - 1];
            ruin[k] = ruin[k - 1];
            key[k - 1] = x;
            ruin[k - 1] = j;
        }
}

/* As board_find_best(), but overlooks a start now and then. */
static struct assign_place find_blinking(struct search *s, size_t j, double *cost)
{
    struct board *b = s->b;
    struct assign_place best = {-1, -1};
    const double setup = b->n_of_asset[b->asset[j]] > 1 ? b->setup[b->asset[j]] : 0;
    *cost = b->jobs[j].cost_left;
    for (size_t i = b->first_cell[j]; i < b->first_cell[j + 1]; i++) {
        const struct cell *x = &b->cells[i];
        const struct assign_place p = {x->day, x->crew};
        b->budget--;
        if (x->cost - setup >= *cost - ASSIGN_EPS)
            break;
        const double at = board_cost_at(b, j, p);
        if (at < *cost - ASSIGN_EPS && board_fits(b, j, x->day, (size_t)x->crew, false) &&
            draw(s) >= BLINK) {
            *cost = at;
            best = p;
        }
    }
    return best;
}

/* One round; returns what the plan costs more than before when the change is kept, else 0. */
static double round_of(struct search *s, double allowance, bool *is_kept)
{
    struct board *b = s->b;
    size_t ruin[MAX_RUIN];
    struct assign_place old[MAX_RUIN];
    double change = 0;
    const size_t want = MIN_RUIN + draw_below(s, MAX_RUIN - MIN_RUIN + 1);
    const size_t n = choose(s, ruin, want);
    sort_ruin(s, ruin, n);
    for (size_t i = 0; i < n; i++) {
        old[i] = b->place[ruin[i]];
        board_take_out(b, ruin[i]);
        change -= board_cost_at(b, ruin[i], old[i]);
    }
    for (size_t i = 0; i < n; i++) {
        double cost;
        const struct assign_place p = find_blinking(s, ruin[i], &cost);
        change += cost;
        board_put(b, ruin[i], p);
    }
    *is_kept = change < allowance;
    if (*is_kept)
        return change;
    for (size_t i = 0; i < n; i++)
        board_take_out(b, ruin[i]);
    for (size_t i = 0; i < n; i++)
        board_put(b, ruin[i], old[i]);
    return 0;
}

static size_t run(struct search *s, struct assign_place *best)
{
    struct board *b = s->b;
    double now = 0; /* against the plan that came in */
    double least = 0;
    double scale = 0; /* mean worth of a job, for the warmth */
    size_t n_better = 0;
    const double budget = (double)b->budget;
    for (size_t i = 0; i < s->n_movable; i++)
        scale += b->jobs[s->movable[i]].cost_left - board_cost_alone(b, s->movable[i]);
    memcpy(best, b->place, b->n_jobs * sizeof(*best));
    while (b->budget > 0) {
        bool is_kept;
        const double left = (double)b->budget / budget;
        const double warmth = WARMTH * left * left * scale / sqrt((double)s->n_movable);
        const double change = round_of(s, least + warmth - now, &is_kept);
        now += change;
        if (is_kept && now < least - ASSIGN_EPS) {
            least = now;
            n_better++;
            memcpy(best, b->place, b->n_jobs * sizeof(*best));
        }
    }
    for (size_t j = 0; j < b->n_jobs; j++)
        board_take_out(b, j);
    for (size_t j = 0; j < b->n_jobs; j++)
        board_put(b, j, best[j]);
    return n_better;
}

size_t search_improve(struct board *b)
{
    struct search s = {.b = b};
    size_t n_better = 0;
    struct assign_place *best = calloc(b->n_jobs + 1, sizeof(*best));
    s.movable = calloc(b->n_jobs + 1, sizeof(*s.movable));
    s.pool = calloc(b->n_jobs + 1, sizeof(*s.pool));
    s.worth = calloc(b->n_jobs + 1, sizeof(*s.worth));
    /* Without the memory the greedy plan stands: a plan is always better than none. */
    if (best != NULL && s.movable != NULL && s.pool != NULL && s.worth != NULL) {
        for (size_t j = 0; j < b->n_jobs; j++) {
            s.worth[j] =
                (b->jobs[j].cost_left - board_cost_alone(b, j)) / fmax(b->jobs[j].hours, 0.25);
            if (!b->jobs[j].is_fixed && b->first_cell[j] < b->first_cell[j + 1])
                s.movable[s.n_movable++] = j;
        }
        if (s.n_movable > 1)
            n_better = run(&s, best);
    }
    free(best);
    free(s.movable);
    free(s.pool);
    free(s.worth);
    return n_better;
}
