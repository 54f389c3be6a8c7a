/* The board of days and crews: what fits, what it costs, and the list of starts of every job in the
 * order of their cost, so that the cheapest free one is found after a few looks. */
#include "app/planner/assign_board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool board_fits(const struct board *b, size_t j, int day, size_t crew, bool is_empty)
{
    const double *hours = b->crews[crew].hours;
    const double *used = b->used + crew * (size_t)b->n_days;
    double left = b->jobs[j].hours;
    if (hours[day] <= 0)
        return false;
    for (int d = day; d < b->n_days; d++) {
        if (hours[d] <= 0)
            continue;
        const double take = fmin(left, hours[d]);
        if (!is_empty && used[d] + take > hours[d] + ASSIGN_EPS_H)
            return false;
        left -= take;
        if (left <= ASSIGN_EPS_H)
            return true;
    }
    return false;
}

/* Books (sign 1) or frees (-1) the hours and the asset's stop. A fixed job that does not fit is
 * booked on its day all the same. */
static void book(struct board *b, size_t j, int day, size_t crew, double sign)
{
    const double *hours = b->crews[crew].hours;
    double *used = b->used + crew * (size_t)b->n_days;
    double left = b->jobs[j].hours;
    for (int d = day; d < b->n_days && left > ASSIGN_EPS_H; d++) {
        if (hours[d] <= 0)
            continue;
        const double take = fmin(left, hours[d]);
        used[d] += sign * take;
        left -= take;
    }
    if (left > ASSIGN_EPS_H)
        used[day] += sign * left;
    if (fabs(used[day]) < ASSIGN_EPS_H)
        used[day] = 0;
    unsigned *n = &b->count[b->asset[j] * (size_t)b->n_days + (size_t)day];
    *n += sign > 0 ? 1U : ~0U; /* +1 or -1 */
}

void board_put(struct board *b, size_t j, struct assign_place p)
{
    b->place[j] = p;
    if (p.day >= 0)
        book(b, j, p.day, (size_t)p.crew, 1);
}

void board_take_out(struct board *b, size_t j)
{
    if (b->place[j].day >= 0)
        book(b, j, b->place[j].day, (size_t)b->place[j].crew, -1);
    b->place[j] = (struct assign_place){-1, -1};
}

double board_day_cost(const struct board *b, size_t j, int day, int crew)
{
    const struct assign_job *job = &b->jobs[j];
    double cost = job->cost[day];
    if (job->old_day >= 0 && day != job->old_day)
        cost += job->move_cost;
    else if (job->old_day >= 0 && job->old_crew >= 0 && crew != job->old_crew)
        cost += ASSIGN_CREW_SHARE * job->move_cost; /* the same day with other people */
    return cost;
}

/* Does another job of the asset start on the day? */
static bool shares_stop(const struct board *b, size_t j, int day)
{
    return b->count[b->asset[j] * (size_t)b->n_days + (size_t)day] > 0;
}

double board_cost_at(const struct board *b, size_t j, struct assign_place p)
{
    if (p.day < 0)
        return b->jobs[j].cost_left;
    return board_day_cost(b, j, p.day, p.crew) -
           (shares_stop(b, j, p.day) ? b->setup[b->asset[j]] : 0);
}

struct assign_place board_find_best(struct board *b, size_t j, double *cost)
{
    struct assign_place best = {-1, -1};
    const double setup = b->n_of_asset[b->asset[j]] > 1 ? b->setup[b->asset[j]] : 0;
    *cost = b->jobs[j].cost_left;
    for (size_t i = b->first_cell[j]; i < b->first_cell[j + 1]; i++) {
        const struct cell *x = &b->cells[i];
        b->budget--;
        if (x->cost - setup >= *cost - ASSIGN_EPS)
            break; /* from here on no start is cheaper */
        const double at = x->cost - (setup > 0 && shares_stop(b, j, x->day) ? setup : 0);
        if (at < *cost - ASSIGN_EPS && board_fits(b, j, x->day, (size_t)x->crew, false)) {
            *cost = at;
            best = (struct assign_place){x->day, x->crew};
        }
    }
    return best;
}

double board_cost_alone(const struct board *b, size_t j)
{
    const struct assign_job *job = &b->jobs[j];
    if (job->is_fixed)
        return job->cost[job->old_day];
    return b->first_cell[j] < b->first_cell[j + 1] &&
                   b->cells[b->first_cell[j]].cost < job->cost_left
               ? b->cells[b->first_cell[j]].cost
               : job->cost_left;
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers the assets 0..n_assets-1; their set-up is the least of their jobs'. ids is scratch. */
static void index_assets(struct board *b, int64_t *ids)
{
    for (size_t j = 0; j < b->n_jobs; j++)
        ids[j] = b->jobs[j].asset_id;
    qsort(ids, b->n_jobs, sizeof(*ids), compare_int64);
    for (size_t j = 0; j < b->n_jobs; j++)
        if (j == 0 || ids[j] != ids[b->n_assets - 1])
            ids[b->n_assets++] = ids[j];
    for (size_t j = 0; j < b->n_jobs; j++) {
        const int64_t *at =
            bsearch(&b->jobs[j].asset_id, ids, b->n_assets, sizeof(*ids), compare_int64);
        const size_t a = (size_t)(at - ids);
        b->asset[j] = a;
        b->setup[a] =
            b->n_of_asset[a] == 0 ? b->jobs[j].setup : fmin(b->setup[a], b->jobs[j].setup);
        b->n_of_asset[a]++;
    }
}

enum ft_status board_new(struct board *b, struct ft_err *err)
{
    const size_t n = b->n_jobs > 0 ? b->n_jobs : 1;
    const size_t days = (size_t)b->n_days;
    b->used = calloc(b->n_crews * days + 1, sizeof(*b->used));
    b->asset = calloc(n, sizeof(*b->asset));
    b->setup = calloc(n, sizeof(*b->setup));
    b->n_of_asset = calloc(n, sizeof(*b->n_of_asset));
    b->able = calloc(n, b->n_crews + 1);
    int64_t *ids = calloc(n, sizeof(*ids));
    if (b->used == NULL || b->asset == NULL || b->setup == NULL || b->n_of_asset == NULL ||
        b->able == NULL || ids == NULL) {
        free(ids);
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", b->n_jobs);
    }
    if (b->n_jobs > 0)
        index_assets(b, ids);
    free(ids);
    b->count = calloc(b->n_assets * days + 1, sizeof(*b->count));
    if (b->count == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu assets", b->n_assets);
    for (size_t j = 0; j < b->n_jobs; j++)
        for (size_t c = 0; c < b->n_crews; c++)
            b->able[j * b->n_crews + c] =
                assign_has_skill(b->crews[c].skills, b->jobs[j].skill) ? 1 : 0;
    return FT_OK;
}

void board_free(struct board *b)
{
    free(b->used);
    free(b->asset);
    free(b->setup);
    free(b->n_of_asset);
    free(b->able);
    free(b->cells);
    free(b->first_cell);
    free(b->count);
}

static int compare_cells(const void *x, const void *y)
{
    const struct cell *a = x;
    const struct cell *b = y;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->day != b->day ? a->day - b->day : a->crew - b->crew;
}

/* Starts of a job that can be cheaper than leaving it; only counted when cells is NULL. */
static size_t list_job(const struct board *b, size_t j, struct cell *cells)
{
    const struct assign_job *job = &b->jobs[j];
    const double setup = b->n_of_asset[b->asset[j]] > 1 ? b->setup[b->asset[j]] : 0;
    size_t n = 0;
    for (int d = job->first_day; d <= job->last_day && !job->is_fixed; d++)
        for (size_t c = 0; c < b->n_crews; c++) {
            if (!isfinite(job->cost[d]) || !b->able[j * b->n_crews + c])
                continue;
            const double cost = board_day_cost(b, j, d, (int)c);
            if (cost - setup >= job->cost_left || !board_fits(b, j, d, c, true))
                continue;
            if (cells != NULL)
                cells[n] = (struct cell){cost, (int16_t)d, (int16_t)c};
            n++;
        }
    return n;
}

enum ft_status board_list_cells(struct board *b, struct ft_err *err)
{
    b->first_cell = calloc(b->n_jobs + 1, sizeof(*b->first_cell));
    if (b->first_cell == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", b->n_jobs);
    for (size_t j = 0; j < b->n_jobs; j++)
        b->first_cell[j + 1] = b->first_cell[j] + list_job(b, j, NULL);
    b->cells = calloc(b->first_cell[b->n_jobs] + 1, sizeof(*b->cells));
    if (b->cells == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu starts", b->first_cell[b->n_jobs]);
    for (size_t j = 0; j < b->n_jobs; j++) {
        const size_t n = list_job(b, j, b->cells + b->first_cell[j]);
        qsort(b->cells + b->first_cell[j], n, sizeof(*b->cells), compare_cells);
    }
    return FT_OK;
}
