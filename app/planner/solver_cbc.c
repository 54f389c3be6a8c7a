/* x[j, d, c] = 1: job j starts on day d with crew c. y[a, d] = 1: a job of asset a starts on day d.
 *
 *   min  sum (cost - left - setup) x + sum setup y   (+ left of every job)
 *   s.t. each job at most once; hours of each crew and day; x of a job on a day <= y of its asset
 *
 * so that each further job at the same stop saves one set-up. Pinned jobs take their hours away and
 * keep their stop open. */
#include "app/planner/solver_cbc.h"

#include "app/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FT_WITH_CBC
#include <coin/Cbc_C_Interface.h>

#define EPS_COST 1e-6
#define EPS_HOURS 1e-9

struct start {
    size_t job;
    int day, crew;
};

struct milp {
    const struct assign_job *jobs;
    const struct assign_crew *crews;
    size_t n_jobs, n_crews;
    int n_days;
    const struct assign_place *place; /* where it starts from */
    size_t *asset;                    /* [n_jobs] */
    double *setup;                    /* [n_assets] */
    unsigned *pinned;                 /* [n_assets * n_days] pinned jobs */
    double *room;                     /* [n_crews * n_days] hours less pinned ones */
    size_t n_assets;
    struct start *starts; /* [n_starts], by job */
    size_t n_starts, cap;
    int *stop; /* [n_assets * n_days] column of y; -1 = none needed */
    size_t n_stops;
    double constant; /* what no choice changes */
    int *cols;       /* scratch of one row */
    double *coefs;
    Cbc_Model *model;
};

/* Hours that a job takes of a crew's day when hours are left of it; it fills whole days. */
static double take_of(const struct milp *m, size_t crew, int day, double left)
{
    return fmin(left, m->crews[crew].hours[day]);
}

/* Does the job end within the horizon when it starts there? */
static bool can_end(const struct milp *m, size_t j, int first, size_t crew)
{
    double left = m->jobs[j].hours;
    if (m->crews[crew].hours[first] <= 0)
        return false;
    for (int d = first; d < m->n_days && left > EPS_HOURS; d++)
        left -= take_of(m, crew, d, left);
    return left <= EPS_HOURS;
}

static double start_cost(const struct assign_job *job, int day, int crew)
{
    double cost = job->cost[day];
    if (job->old_day >= 0 && day != job->old_day)
        cost += job->move_cost;
    else if (job->old_day >= 0 && job->old_crew >= 0 && crew != job->old_crew)
        cost += ASSIGN_CREW_SHARE * job->move_cost;
    return cost;
}

static bool add_start(struct milp *m, size_t j, int day, int crew)
{
    if (m->n_starts == m->cap) {
        const size_t cap = m->cap == 0 ? 4096 : 2 * m->cap;
        struct start *starts = realloc(m->starts, cap * sizeof(*starts));
        if (starts == NULL)
            return false;
        m->starts = starts;
        m->cap = cap;
    }
    m->starts[m->n_starts++] = (struct start){j, day, crew};
    return true;
}

/* Every start that can be cheaper than leaving the job, or that the plan at hand uses. */
static bool list_starts(struct milp *m)
{
    for (size_t j = 0; j < m->n_jobs; j++) {
        const struct assign_job *job = &m->jobs[j];
        if (job->is_fixed)
            continue;
        m->constant += job->cost_left;
        for (int d = job->first_day; d <= job->last_day; d++)
            for (size_t c = 0; c < m->n_crews; c++) {
                const double room = m->room[c * (size_t)m->n_days + (size_t)d];
                const bool is_now = m->place[j].day == d && m->place[j].crew == (int)c;
                if (!isfinite(job->cost[d]) || room <= 0 ||
                    !assign_has_skill(m->crews[c].skills, job->skill) || !can_end(m, j, d, c))
                    continue;
                if (!is_now && start_cost(job, d, (int)c) - m->setup[m->asset[j]] >= job->cost_left)
                    continue;
                if (!add_start(m, j, d, (int)c))
                    return false;
            }
    }
    return true;
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers the assets, takes the pinned jobs off the hours. */
static bool prepare(struct milp *m)
{
    const size_t days = (size_t)m->n_days;
    int64_t *ids = calloc(m->n_jobs + 1, sizeof(*ids));
    m->asset = calloc(m->n_jobs + 1, sizeof(*m->asset));
    m->setup = calloc(m->n_jobs + 1, sizeof(*m->setup));
    m->pinned = calloc(m->n_jobs * days + 1, sizeof(*m->pinned));
    m->stop = calloc(m->n_jobs * days + 1, sizeof(*m->stop));
    m->room = calloc(m->n_crews * days + 1, sizeof(*m->room));
    if (ids == NULL || m->asset == NULL || m->setup == NULL || m->pinned == NULL ||
        m->stop == NULL || m->room == NULL) {
        free(ids);
        return false;
    }
    for (size_t j = 0; j < m->n_jobs; j++)
        ids[j] = m->jobs[j].asset_id;
    qsort(ids, m->n_jobs, sizeof(*ids), compare_int64);
    for (size_t j = 0; j < m->n_jobs; j++)
        if (j == 0 || ids[j] != ids[m->n_assets - 1])
            ids[m->n_assets++] = ids[j];
    for (size_t a = 0; a < m->n_assets; a++)
        m->setup[a] = INFINITY;
    for (size_t j = 0; j < m->n_jobs; j++) {
        const int64_t *at =
            bsearch(&m->jobs[j].asset_id, ids, m->n_assets, sizeof(*ids), compare_int64);
        m->asset[j] = (size_t)(at - ids);
        m->setup[m->asset[j]] = fmin(m->setup[m->asset[j]], m->jobs[j].setup);
    }
    free(ids);
    for (size_t c = 0; c < m->n_crews; c++)
        memcpy(m->room + c * days, m->crews[c].hours, days * sizeof(*m->room));
    for (size_t j = 0; j < m->n_jobs; j++) {
        const struct assign_job *job = &m->jobs[j];
        if (!job->is_fixed)
            continue;
        unsigned *n = &m->pinned[m->asset[j] * days + (size_t)job->old_day];
        m->constant += job->cost[job->old_day] - (*n > 0 ? m->setup[m->asset[j]] : 0);
        (*n)++;
        const size_t base = (size_t)job->old_crew * days;
        double left = job->hours;
        for (int d = job->old_day; d < m->n_days && left > EPS_HOURS; d++) {
            const double take = take_of(m, (size_t)job->old_crew, d, left);
            m->room[base + (size_t)d] -= take;
            left -= take;
        }
    }
    return true;
}

/* Columns: x first, then y where two jobs may share a stop. */
static void add_columns(struct milp *m)
{
    const size_t days = (size_t)m->n_days;
    unsigned *n = calloc(m->n_assets * days + 1, sizeof(*n));
    for (size_t i = 0; i < m->n_assets * days; i++)
        m->stop[i] = -1;
    for (size_t i = 0; i < m->n_starts && n != NULL; i++) { /* jobs that may start there */
        const struct start *s = &m->starts[i];
        const bool is_first = i == 0 || s[-1].job != s->job || s[-1].day != s->day;
        n[m->asset[s->job] * days + (size_t)s->day] += is_first;
    }
    for (size_t i = 0; i < m->n_starts; i++) {
        const struct start *s = &m->starts[i];
        const struct assign_job *job = &m->jobs[s->job];
        const size_t cell = m->asset[s->job] * days + (size_t)s->day;
        const bool shares = n != NULL && (n[cell] > 1 || m->pinned[cell] > 0);
        char name[24];
        snprintf(name, sizeof(name), "x%zu", i);
        Cbc_addCol(m->model, name, 0, 1,
                   start_cost(job, s->day, s->crew) - job->cost_left -
                       (shares ? m->setup[m->asset[s->job]] : 0),
                   1, 0, NULL, NULL);
    }
    for (size_t i = 0; i < m->n_assets * days && n != NULL; i++) {
        if (n[i] < 2 || m->pinned[i] > 0 || !(m->setup[i / days] > 0))
            continue;
        char name[24];
        snprintf(name, sizeof(name), "y%zu", i);
        m->stop[i] = (int)(m->n_starts + m->n_stops++);
        Cbc_addCol(m->model, name, 0, 1, m->setup[i / days], 0, 0, NULL, NULL);
    }
    free(n);
}

/* One row for each job, and one for each job and day that opens a stop. */
static void add_job_rows(struct milp *m)
{
    for (size_t i = 0; i < m->n_starts;) {
        size_t end = i;
        int n = 0;
        for (; end < m->n_starts && m->starts[end].job == m->starts[i].job; end++) {
            m->cols[n] = (int)end;
            m->coefs[n++] = 1;
        }
        Cbc_addRow(m->model, "job", n, m->cols, m->coefs, 'L', 1);
        while (i < end) {
            const struct start *s = &m->starts[i];
            const int y = m->stop[m->asset[s->job] * (size_t)m->n_days + (size_t)s->day];
            for (n = 0; i < end && m->starts[i].day == s->day; i++) {
                m->cols[n] = (int)i;
                m->coefs[n++] = 1;
            }
            if (y < 0)
                continue;
            m->cols[n] = y;
            m->coefs[n++] = -1;
            Cbc_addRow(m->model, "stop", n, m->cols, m->coefs, 'L', 0);
        }
    }
}

/* Hours of each crew and day: first how many starts touch each, then which and with how much. */
static bool add_hour_rows(struct milp *m)
{
    const size_t days = (size_t)m->n_days;
    const size_t cells = m->n_crews * days;
    size_t *first = calloc(cells + 2, sizeof(*first));
    int *cols = NULL;
    double *coefs = NULL;
    for (int pass = 0; pass < 2 && first != NULL; pass++) {
        for (size_t i = 0; i < m->n_starts; i++) {
            const struct start *s = &m->starts[i];
            double left = m->jobs[s->job].hours;
            for (int d = s->day; d < m->n_days && left > EPS_HOURS; d++) {
                const size_t cell = (size_t)s->crew * days + (size_t)d;
                const double take = take_of(m, (size_t)s->crew, d, left);
                left -= take;
                if (take <= 0)
                    continue;
                if (pass == 0) {
                    first[cell + 2]++;
                    continue;
                }
                cols[first[cell + 1]] = (int)i;
                coefs[first[cell + 1]++] = take;
            }
        }
        if (pass == 1)
            break;
        for (size_t cell = 0; cell < cells; cell++)
            first[cell + 2] += first[cell + 1];
        cols = calloc(first[cells + 1] + 1, sizeof(*cols));
        coefs = calloc(first[cells + 1] + 1, sizeof(*coefs));
        if (cols == NULL || coefs == NULL)
            break;
    }
    const bool is_good = cols != NULL && coefs != NULL;
    for (size_t cell = 0; cell < cells && is_good; cell++) {
        const size_t n = first[cell + 1] - first[cell];
        if (n > 0)
            Cbc_addRow(m->model, "hours", (int)n, cols + first[cell], coefs + first[cell], 'L',
                       fmax(0, m->room[cell]));
    }
    free(first);
    free(cols);
    free(coefs);
    return is_good;
}

static bool build(struct milp *m)
{
    add_columns(m);
    const size_t widest = m->n_starts + m->n_stops + 2 * m->n_jobs + 2;
    m->cols = calloc(widest, sizeof(*m->cols));
    m->coefs = calloc(widest, sizeof(*m->coefs));
    if (m->cols == NULL || m->coefs == NULL)
        return false;
    add_job_rows(m);
    return add_hour_rows(m);
}

static void milp_free(struct milp *m)
{
    free(m->asset);
    free(m->setup);
    free(m->pinned);
    free(m->stop);
    free(m->room);
    free(m->starts);
    free(m->cols);
    free(m->coefs);
    if (m->model != NULL)
        Cbc_deleteModel(m->model);
}

/* Runs the solver and takes its plan when that is a whole plan and cheaper. */
static enum ft_status run(struct milp *m, double max_seconds, struct assign_place *place,
                          struct solver_result *out, struct ft_err *err)
{
    char seconds[32];
    double cost;
    double cheaper;
    struct assign_place *found = calloc(m->n_jobs + 1, sizeof(*found));
    if (found == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", m->n_jobs);
    snprintf(seconds, sizeof(seconds), "%.3f", max_seconds);
    Cbc_setParameter(m->model, "log", "0");
    Cbc_setParameter(m->model, "timeMode", "elapsed");
    Cbc_setParameter(m->model, "sec", seconds);
    Cbc_setParameter(m->model, "threads", "0");
    Cbc_solve(m->model);
    const double *x = Cbc_bestSolution(m->model);
    enum ft_status st =
        assign_price(m->jobs, m->n_jobs, m->crews, m->n_crews, m->n_days, place, &cost, err);
    for (size_t j = 0; j < m->n_jobs; j++)
        found[j] = m->jobs[j].is_fixed
                       ? (struct assign_place){m->jobs[j].old_day, m->jobs[j].old_crew}
                       : (struct assign_place){-1, -1};
    for (size_t i = 0; i < m->n_starts && x != NULL; i++)
        if (x[i] > 0.5)
            found[m->starts[i].job] = (struct assign_place){m->starts[i].day, m->starts[i].crew};
    if (st == FT_OK && x != NULL &&
        assign_price(m->jobs, m->n_jobs, m->crews, m->n_crews, m->n_days, found, &cheaper, NULL) ==
            FT_OK &&
        cheaper < cost - EPS_COST * fmax(1, fabs(cost))) {
        memcpy(place, found, m->n_jobs * sizeof(*place));
        cost = cheaper;
        out->is_improved = true;
    }
    out->is_tried = true;
    out->cost = cost;
    out->bound = fmin(cost, Cbc_getBestPossibleObjValue(m->model) + m->constant);
    out->is_proven = Cbc_isProvenOptimal(m->model) != 0 || Cbc_isProvenInfeasible(m->model) != 0;
    if (out->is_proven)
        out->bound = cost;
    free(found);
    return st;
}

bool solver_is_built_in(void)
{
    return true;
}

enum ft_status solver_improve(const struct assign_job *jobs, size_t n_jobs,
                              const struct assign_crew *crews, size_t n_crews, int n_days,
                              double max_seconds, size_t max_columns, struct assign_place *place,
                              struct solver_result *out, struct ft_err *err)
{
    const double start_s = clock_mono_s();
    struct milp m = {.jobs = jobs,
                     .crews = crews,
                     .n_jobs = n_jobs,
                     .n_crews = n_crews,
                     .n_days = n_days,
                     .place = place};
    enum ft_status st = FT_OK;
    *out = (struct solver_result){0};
    if (!prepare(&m) || !list_starts(&m))
        st = ft_fail(err, FT_NOMEM, "plan: no memory for the model");
    out->n_columns = m.n_starts;
    if (st == FT_OK && (max_columns == 0 || m.n_starts <= max_columns) && m.n_starts > 0) {
        m.model = Cbc_newModel();
        st = build(&m) ? run(&m, max_seconds, place, out, err)
                       : ft_fail(err, FT_NOMEM, "plan: no memory for the model");
    }
    milp_free(&m);
    out->seconds = clock_mono_s() - start_s;
    return st;
}

#else

bool solver_is_built_in(void)
{
    return false;
}

enum ft_status solver_improve(const struct assign_job *jobs, size_t n_jobs,
                              const struct assign_crew *crews, size_t n_crews, int n_days,
                              double max_seconds, size_t max_columns, struct assign_place *place,
                              struct solver_result *out, struct ft_err *err)
{
    *out = (struct solver_result){0};
    return FT_OK;
}

#endif
