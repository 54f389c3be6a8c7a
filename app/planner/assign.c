/* Greedy by saving per crew hour, then the search of assign_search.c. The budget counts looks at
 * starts, not seconds, so the plan does not depend on the machine. */
#include "app/planner/assign.h"

#include "app/planner/assign_board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Starts that the search looks at: per job, and at most. */
#define SEARCH_PER_JOB 100000
#define SEARCH_MOST 16000000

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
        order[j].key = job->is_fixed
                           ? INFINITY
                           : (job->cost_left - board_cost_alone(b, j)) / fmax(job->hours, 0.25);
    }
    qsort(order, b->n_jobs, sizeof(*order), compare_ordered);
    for (size_t i = 0; i < b->n_jobs; i++) {
        const size_t j = order[i].job;
        const struct assign_job *job = &b->jobs[j];
        double cost;
        if (job->is_fixed) {
            board_put(b, j, (struct assign_place){job->old_day, job->old_crew});
        } else {
            board_put(b, j, board_find_best(b, j, &cost));
        }
    }
}

static void sum_up(const struct board *b, struct assign_result *out)
{
    for (size_t j = 0; j < b->n_jobs; j++) {
        const struct assign_place p = b->place[j];
        out->cost += p.day < 0 ? b->jobs[j].cost_left : board_day_cost(b, j, p.day, p.crew);
        out->n_placed += p.day >= 0;
    }
    for (size_t a = 0; a < b->n_assets; a++) {
        for (int d = 0; d < b->n_days; d++) {
            const unsigned n = b->count[a * (size_t)b->n_days + (size_t)d];
            out->cost -= n > 1 ? b->setup[a] * (double)(n - 1) : 0;
        }
    }
}

/* Why the job cannot stand there; NULL = it can. The board holds the jobs before it. */
static const char *find_breach(const struct board *b, size_t j, struct assign_place p)
{
    const struct assign_job *job = &b->jobs[j];
    if (p.day < 0)
        return job->is_fixed ? "is pinned and left out" : NULL;
    if (p.day >= b->n_days || p.crew < 0 || (size_t)p.crew >= b->n_crews)
        return "stands outside the plan";
    if (job->is_fixed)
        return p.day != job->old_day || p.crew != job->old_crew ? "is pinned elsewhere" : NULL;
    if (p.day < job->first_day || p.day > job->last_day)
        return "stands outside its days";
    if (!isfinite(job->cost[p.day]))
        return "stands on a forbidden day";
    if (!b->able[j * b->n_crews + (size_t)p.crew])
        return "has a crew without the skill";
    return board_fits(b, j, p.day, (size_t)p.crew, false) ? NULL : "exceeds the hours of its crew";
}

enum ft_status assign_recount(const struct assign_job *jobs, size_t n_jobs,
                              const struct assign_crew *crews, size_t n_crews, int n_days,
                              const struct assign_place *place, struct assign_result *out,
                              struct ft_err *err)
{
    struct board b = {
        .jobs = jobs, .n_jobs = n_jobs, .crews = crews, .n_crews = n_crews, .n_days = n_days};
    memset(out, 0, sizeof(*out));
    b.place = calloc(n_jobs + 1, sizeof(*b.place));
    enum ft_status st =
        b.place != NULL ? check_jobs(&b, err) : ft_fail(err, FT_NOMEM, "plan: no memory");
    if (st == FT_OK)
        st = board_new(&b, err);
    for (size_t j = 0; j < n_jobs && st == FT_OK; j++)
        b.place[j] = (struct assign_place){-1, -1};
    for (int pass = 0; pass < 2; pass++) { /* pinned jobs are there first */
        for (size_t j = 0; j < n_jobs && st == FT_OK; j++) {
            if (jobs[j].is_fixed != (pass == 0))
                continue;
            const char *breach = find_breach(&b, j, place[j]);
            if (breach != NULL)
                st = ft_fail(err, FT_CONFLICT, "plan: job %zu %s", j, breach);
            else
                board_put(&b, j, place[j]);
        }
    }
    if (st == FT_OK) {
        sum_up(&b, out);
        out->used = b.used;
        b.used = NULL;
    }
    free(b.place);
    board_free(&b);
    return st;
}

enum ft_status assign_price(const struct assign_job *jobs, size_t n_jobs,
                            const struct assign_crew *crews, size_t n_crews, int n_days,
                            const struct assign_place *place, double *cost, struct ft_err *err)
{
    struct assign_result r;
    const enum ft_status st = assign_recount(jobs, n_jobs, crews, n_crews, n_days, place, &r, err);
    *cost = r.cost;
    free(r.used);
    return st;
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
    if (st == FT_OK)
        st = board_list_cells(&b, err);
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
    b.budget = (long)fmin(SEARCH_MOST, SEARCH_PER_JOB * (double)n_jobs);
    out->n_moves = search_improve(&b);
    sum_up(&b, out);
    out->bound = bound_of(&b, out->cost);
    out->used = b.used;
    b.used = NULL;
out:
    free(order);
    board_free(&b);
    return st;
}
