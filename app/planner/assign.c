/* Greedy by saving per crew hour, then two moves until nothing improves or the budget is spent:
 * take one job out and put it where it is cheapest; or let a job push one other out of its place.
 * The budget counts searches, not seconds, so the plan does not depend on the machine. */
#include "app/planner/assign.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PASSES = 12, BEST_DAYS = 6, SEARCH_BUDGET = 60000 };
#define EPS 1e-7
#define EPS_H 1e-9 /* hours */

struct board {
    const struct assign_job *jobs;
    size_t n_jobs;
    const struct assign_crew *crews;
    size_t n_crews;
    int n_days;
    struct assign_place *place; /* of the caller */
    double *used;               /* [n_crews * n_days] */
    size_t *asset;              /* [n_jobs] index of the job's asset */
    double *setup;              /* [n_assets] */
    unsigned *count;            /* [n_assets * n_days] jobs of the asset that start on the day */
    size_t *n_of_asset;         /* [n_assets] */
    size_t n_assets;
    unsigned char *able; /* [n_jobs * n_crews] */
    long budget;
};

bool assign_has_skill(const char *skills, const char *skill)
{
    if (skill == NULL || skill[0] == '\0' || skills == NULL || skills[0] == '\0')
        return true;
    const size_t len = strlen(skill);
    for (const char *p = skills; *p != '\0';) {
        while (*p == ' ' || *p == ',')
            p++;
        size_t n = strcspn(p, ",");
        const char *next = p + n;
        while (n > 0 && p[n - 1] == ' ')
            n--;
        if (n == len && strncmp(p, skill, n) == 0)
            return true;
        p = next;
    }
    return false;
}

/* Does the job fit when it starts on the day? It takes whole days of the crew until the rest fits
 * into one. is_empty: on a board without other work. */
static bool fits(const struct board *b, size_t j, int day, size_t crew, bool is_empty)
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
        if (!is_empty && used[d] + take > hours[d] + EPS_H)
            return false;
        left -= take;
        if (left <= EPS_H)
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
    for (int d = day; d < b->n_days && left > EPS_H; d++) {
        if (hours[d] <= 0)
            continue;
        const double take = fmin(left, hours[d]);
        used[d] += sign * take;
        left -= take;
    }
    if (left > EPS_H)
        used[day] += sign * left;
    if (fabs(used[day]) < EPS_H)
        used[day] = 0;
    unsigned *n = &b->count[b->asset[j] * (size_t)b->n_days + (size_t)day];
    *n += sign > 0 ? 1U : ~0U; /* +1 or -1 */
}

static void put(struct board *b, size_t j, int day, int crew)
{
    b->place[j] = (struct assign_place){day, crew};
    if (day >= 0)
        book(b, j, day, (size_t)crew, 1);
}

static void take_out(struct board *b, size_t j)
{
    if (b->place[j].day >= 0)
        book(b, j, b->place[j].day, (size_t)b->place[j].crew, -1);
    b->place[j] = (struct assign_place){-1, -1};
}

/* Cost of a day for a job, without set-up shared with others. */
static double day_cost(const struct board *b, size_t j, int day, int crew)
{
    const struct assign_job *job = &b->jobs[j];
    double cost = job->cost[day];
    if (job->old_day >= 0 && day != job->old_day)
        cost += job->move_cost;
    else if (job->old_day >= 0 && job->old_crew >= 0 && crew != job->old_crew)
        cost += 0.25 * job->move_cost; /* the same day with other people */
    return cost;
}

/* Cost of the job where it stands or would stand, with the board as it is without it. */
static double cost_at(const struct board *b, size_t j, int day, int crew)
{
    if (day < 0)
        return b->jobs[j].cost_left;
    const size_t a = b->asset[j];
    const bool shares = b->count[a * (size_t)b->n_days + (size_t)day] > 0;
    return day_cost(b, j, day, crew) - (shares ? b->setup[a] : 0);
}

/* Cheapest place of a job that is not on the board; leaving it is one of them. */
static struct assign_place find_best(struct board *b, size_t j, double *cost)
{
    const struct assign_job *job = &b->jobs[j];
    struct assign_place best = {-1, -1};
    *cost = job->cost_left;
    b->budget--;
    for (int d = job->first_day; d <= job->last_day; d++) {
        if (!isfinite(job->cost[d]))
            continue;
        for (size_t c = 0; c < b->n_crews; c++) {
            if (!b->able[j * b->n_crews + c])
                continue;
            const double x = cost_at(b, j, d, (int)c);
            if (x < *cost - EPS && fits(b, j, d, c, false)) {
                *cost = x;
                best = (struct assign_place){d, (int)c};
            }
        }
    }
    return best;
}

/* Cheapest cost of a job alone on an empty board; a part of the bound. */
static double cost_alone(const struct board *b, size_t j)
{
    const struct assign_job *job = &b->jobs[j];
    double best = job->cost_left;
    if (job->is_fixed)
        return job->cost[job->old_day];
    for (int d = job->first_day; d <= job->last_day; d++)
        for (size_t c = 0; c < b->n_crews; c++)
            if (b->able[j * b->n_crews + c] && isfinite(job->cost[d]) &&
                day_cost(b, j, d, (int)c) < best && fits(b, j, d, c, true))
                best = day_cost(b, j, d, (int)c);
    return best;
}

/* --- set-up of the board ---------------------------------------------------------------------- */

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

static enum ft_status check_jobs(const struct board *b, struct ft_err *err)
{
    if (b->n_days < 1 || b->n_days > ASSIGN_MAX_DAYS)
        return ft_fail(err, FT_INVALID, "plan: %d days, expected 1 to %d", b->n_days,
                       ASSIGN_MAX_DAYS);
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_job *job = &b->jobs[j];
        if (job->is_fixed && (job->old_day < 0 || job->old_day >= b->n_days || job->old_crew < 0 ||
                              (size_t)job->old_crew >= b->n_crews))
            return ft_fail(err, FT_INVALID, "plan: fixed job %zu lies outside the plan", j);
        if (job->first_day < 0 || job->last_day >= b->n_days || !(job->hours >= 0))
            return ft_fail(err, FT_INVALID, "plan: job %zu has a window outside the plan", j);
    }
    return FT_OK;
}

static enum ft_status board_new(struct board *b, struct ft_err *err)
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
    b->budget = SEARCH_BUDGET;
    return FT_OK;
}

static void board_free(struct board *b)
{
    free(b->used);
    free(b->asset);
    free(b->setup);
    free(b->n_of_asset);
    free(b->able);
    free(b->count);
}

/* --- search ----------------------------------------------------------------------------------- */

struct ordered {
    double key;
    size_t job;
};

static int compare_ordered(const void *x, const void *y)
{
    const struct ordered *a = x;
    const struct ordered *b = y;
    if (a->key != b->key)
        return a->key < b->key ? 1 : -1;
    return (a->job > b->job) - (a->job < b->job);
}

/* Fixed jobs first, then the rest by what placing saves per crew hour. */
static void greedy(struct board *b, struct ordered *order)
{
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_job *job = &b->jobs[j];
        order[j].job = j;
        order[j].key =
            job->is_fixed ? INFINITY : (job->cost_left - cost_alone(b, j)) / fmax(job->hours, 0.25);
    }
    qsort(order, b->n_jobs, sizeof(*order), compare_ordered);
    for (size_t i = 0; i < b->n_jobs; i++) {
        const size_t j = order[i].job;
        const struct assign_job *job = &b->jobs[j];
        double cost;
        if (job->is_fixed) {
            put(b, j, job->old_day, job->old_crew);
        } else {
            const struct assign_place p = find_best(b, j, &cost);
            put(b, j, p.day, p.crew);
        }
    }
}

/* Takes each job out and puts it where it is cheapest now. Returns how many moved. */
static size_t reinsert_all(struct board *b)
{
    size_t n = 0;
    for (size_t j = 0; j < b->n_jobs && b->budget > 0; j++) {
        const struct assign_place old = b->place[j];
        double cost;
        if (b->jobs[j].is_fixed)
            continue;
        take_out(b, j);
        const double before = cost_at(b, j, old.day, old.crew);
        const struct assign_place p = find_best(b, j, &cost);
        if (cost < before - EPS) {
            put(b, j, p.day, p.crew);
            n++;
        } else {
            put(b, j, old.day, old.crew);
        }
    }
    return n;
}

/* Lets job j take (day, crew) from job k, which goes to its next best place. */
static bool push_out(struct board *b, size_t j, size_t k, int day, int crew)
{
    const struct assign_place old_j = b->place[j];
    const struct assign_place old_k = b->place[k];
    double cost_k;
    take_out(b, j);
    const double before_j = cost_at(b, j, old_j.day, old_j.crew);
    take_out(b, k);
    /* A stop that both shared is counted once: in before_j, taken while k stood there. */
    const double before = before_j + cost_at(b, k, old_k.day, old_k.crew);
    if (fits(b, j, day, (size_t)crew, false)) {
        const double cost_j = cost_at(b, j, day, crew);
        put(b, j, day, crew);
        const struct assign_place p = find_best(b, k, &cost_k);
        if (cost_j + cost_k < before - EPS) {
            put(b, k, p.day, p.crew);
            return true;
        }
        take_out(b, j);
    }
    put(b, k, old_k.day, old_k.crew);
    put(b, j, old_j.day, old_j.crew);
    return false;
}

/* Tries to get job j onto one (day, crew) by pushing another job out. */
static bool push_any(struct board *b, size_t j, int day, int crew)
{
    for (size_t k = 0; k < b->n_jobs && b->budget > 0; k++)
        if (k != j && !b->jobs[k].is_fixed && b->place[k].day == day && b->place[k].crew == crew &&
            push_out(b, j, k, day, crew))
            return true;
    return false;
}

/* For each job that stands worse than it could alone: its cheapest days, by force. */
static size_t push_all(struct board *b)
{
    size_t n = 0;
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_job *job = &b->jobs[j];
        if (job->is_fixed)
            continue;
        for (int tried = 0, d = -1; tried < BEST_DAYS && b->budget > 0; tried++) {
            const struct assign_place now = b->place[j];
            const double present = now.day < 0 ? job->cost_left : day_cost(b, j, now.day, now.crew);
            /* The next cheapest day after d, in the order of cost. */
            const double floor_cost = d < 0 ? -INFINITY : job->cost[d];
            int next = -1;
            for (int x = job->first_day; x <= job->last_day; x++) {
                const bool is_after =
                    job->cost[x] > floor_cost || (job->cost[x] == floor_cost && x > d);
                if (is_after && isfinite(job->cost[x]) &&
                    (next < 0 || job->cost[x] < job->cost[next]))
                    next = x;
            }
            d = next;
            if (d < 0 || job->cost[d] >= present - EPS)
                break;
            bool done = false;
            for (size_t c = 0; c < b->n_crews && !done; c++)
                done = b->able[j * b->n_crews + c] && b->crews[c].hours[d] > 0 &&
                       push_any(b, j, d, (int)c);
            if (done) {
                n++;
                break;
            }
        }
    }
    return n;
}

static void improve(struct board *b, struct assign_result *out)
{
    for (int pass = 0; pass < MAX_PASSES && b->budget > 0; pass++) {
        size_t n = reinsert_all(b);
        n += push_all(b);
        out->n_moves += n;
        if (n == 0)
            break;
    }
}

static void sum_up(const struct board *b, struct assign_result *out)
{
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_place p = b->place[j];
        out->cost += p.day < 0 ? b->jobs[j].cost_left : day_cost(b, j, p.day, p.crew);
        out->n_placed += p.day >= 0;
        out->bound += cost_alone(b, j);
    }
    for (size_t a = 0; a < b->n_assets; a++) {
        out->bound -= b->setup[a] * (double)(b->n_of_asset[a] - 1);
        for (int d = 0; d < b->n_days; d++) {
            const unsigned n = b->count[a * (size_t)b->n_days + (size_t)d];
            out->cost -= n > 1 ? b->setup[a] * (double)(n - 1) : 0;
        }
    }
}

enum ft_status assign_solve(const struct assign_job *jobs, size_t n_jobs,
                            const struct assign_crew *crews, size_t n_crews, int n_days,
                            struct assign_place *place, struct assign_result *out,
                            struct ft_err *err)
{
    struct board b = {.jobs = jobs,
                      .n_jobs = n_jobs,
                      .crews = crews,
                      .n_crews = n_crews,
                      .n_days = n_days,
                      .place = place};
    struct ordered *order = NULL;
    memset(out, 0, sizeof(*out));
    enum ft_status st = check_jobs(&b, err);
    if (st == FT_OK)
        st = board_new(&b, err);
    if (st != FT_OK)
        goto out;
    order = calloc(n_jobs > 0 ? n_jobs : 1, sizeof(*order));
    if (order == NULL) {
        st = ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", n_jobs);
        goto out;
    }
    for (size_t j = 0; j < n_jobs; j++)
        place[j] = (struct assign_place){-1, -1};
    greedy(&b, order);
    improve(&b, out);
    sum_up(&b, out);
    out->used = b.used;
    b.used = NULL;
out:
    free(order);
    board_free(&b);
    return st;
}
