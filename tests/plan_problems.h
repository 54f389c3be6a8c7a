/* A seeded set of planning problems, for the bench against proven optima and for the property
 * tests. Predictive jobs with a cost curve, preventive ones around a due date, repairs that cost
 * more each day; crews with skills, weekends and days away; blackouts, production stops, spares
 * that come later, jobs of one asset that share a set-up, jobs that stand somewhere already, pinned
 * ones. */
#ifndef TESTS_PLAN_PROBLEMS_H
#define TESTS_PLAN_PROBLEMS_H

#include "app/base/rng.h"
#include "app/planner/assign.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEM_MAX_JOBS = 2000, PROBLEM_MAX_DAYS = 90, PROBLEM_MAX_CREWS = 10 };

struct plan_problem {
    size_t n_jobs, n_crews;
    int n_days;
    struct assign_job jobs[PROBLEM_MAX_JOBS];
    struct assign_crew crews[PROBLEM_MAX_CREWS];
    double cost[PROBLEM_MAX_JOBS][PROBLEM_MAX_DAYS];
    double hours[PROBLEM_MAX_CREWS][PROBLEM_MAX_DAYS];
    bool is_blackout[3][PROBLEM_MAX_DAYS]; /* of an area */
    int area[PROBLEM_MAX_JOBS];
    int lead[PROBLEM_MAX_JOBS]; /* the spare is not here before this day */
};

struct plan_draw {
    uint64_t seed, k;
};

static inline double draw(struct plan_draw *d, double low, double high)
{
    return low + (high - low) * rng_uniform(d->seed, 77, d->k++);
}

static inline int draw_int(struct plan_draw *d, int low, int high)
{
    return low + (int)rng_below(d->seed, 78, d->k++, (uint64_t)(high - low + 1));
}

static inline void problem_crews(struct plan_problem *p, struct plan_draw *d)
{
    static const char *const skills[] = {"mech", "elec", "mech,lube", "elec,inspection",
                                         "mech,elec"};
    for (size_t c = 0; c < p->n_crews; c++) {
        p->crews[c] =
            (struct assign_crew){skills[c < 2 ? c : (size_t)draw_int(d, 0, 4)], p->hours[c]};
        for (int i = 0; i < p->n_days; i++)
            p->hours[c][i] = i % 7 >= 5 || draw(d, 0, 1) < 0.04 ? 0 : 8;
    }
    for (int a = 0; a < 3; a++) {
        const int first = draw_int(d, 0, p->n_days - 1);
        for (int i = first; i < first + 3 && i < p->n_days; i++)
            p->is_blackout[a][i] = true;
    }
}

static inline void problem_costs(struct plan_problem *p, struct plan_draw *d, size_t j)
{
    struct assign_job *job = &p->jobs[j];
    const double kind = draw(d, 0, 1);
    const double planned = draw(d, 500, 6000);
    const double due = draw(d, 0, p->n_days - 1);
    if (kind < 0.3) { /* predictive: the planned job, the risk until then, life thrown away */
        const double failure = planned * draw(d, 3, 8);
        const double rate = draw(d, 0.002, 0.03);
        for (int i = 0; i < p->n_days; i++) {
            const double f = 1 - exp(-rate * pow(i + 1, 1.3));
            p->cost[j][i] = planned * (1 - f) + failure * f + planned * 0.004 * (p->n_days - i);
        }
        job->cost_left = p->cost[j][p->n_days - 1] + 0.5 * failure;
    } else if (kind < 0.9) { /* preventive: a due date with a tolerance */
        const double tolerance = draw(d, 2, 7);
        for (int i = 0; i < p->n_days; i++) {
            const double off = fabs(i - due);
            p->cost[j][i] =
                planned * (1 + 0.15 * off / tolerance + fmax(0, off - tolerance) / tolerance);
        }
        job->cost_left = planned * 4;
    } else {
        for (int i = 0; i < p->n_days; i++)
            p->cost[j][i] = 40 * (i + 1);
        job->cost_left = 80 * p->n_days;
    }
    const int stop = draw_int(d, 0, p->n_days - 1);
    if (draw(d, 0, 1) < 0.3)
        p->cost[j][stop] -= 0.3 * fmin(p->cost[j][stop], planned);
    for (int i = 0; i < p->n_days; i++)
        if (p->is_blackout[p->area[j]][i])
            p->cost[j][i] = INFINITY;
    job->setup = 0.1 * planned;
    job->move_cost = 0.03 * planned;
}

static inline void problem_job(struct plan_problem *p, struct plan_draw *d, size_t j)
{
    static const char *const skills[] = {"mech", "mech", "elec", "elec", ""};
    struct assign_job *job = &p->jobs[j];
    const double hours = draw(d, 0, 1) < 0.08 ? draw(d, 9, 20) : draw(d, 0.5, 7);
    *job = (struct assign_job){.hours = floor(4 * hours) / 4,
                               .asset_id = 100 + draw_int(d, 0, (int)p->n_jobs * 2 / 3),
                               .skill = skills[draw_int(d, 0, 4)],
                               .last_day = p->n_days - 1,
                               .cost = p->cost[j],
                               .old_day = -1,
                               .old_crew = -1};
    p->area[j] = (int)(job->asset_id % 3);
    p->lead[j] = draw(d, 0, 1) < 0.15 ? draw_int(d, 1, p->n_days / 2) : 0;
    job->first_day = p->lead[j];
    problem_costs(p, d, j);
    if (draw(d, 0, 1) < 0.3) {
        job->old_day = draw_int(d, 0, p->n_days - 1);
        job->old_crew = draw_int(d, 0, (int)p->n_crews - 1);
        job->is_fixed = draw(d, 0, 1) < 0.1 && isfinite(p->cost[j][job->old_day]) &&
                        job->old_day >= p->lead[j] && job->hours <= 8 &&
                        p->hours[job->old_crew][job->old_day] > 0 &&
                        assign_has_skill(p->crews[job->old_crew].skills, job->skill);
    }
}

/* n_jobs 0: 40 to 200 jobs, 2 to 6 crews, days so that 50 to 110 % of the hours are asked for. A
 * pinned job is dropped when its crew's day would overflow, so that a plan within all hours exists.
 */
static inline void problem_make(struct plan_problem *p, uint64_t seed, size_t n_jobs,
                                size_t n_crews, int n_days)
{
    struct plan_draw d = {seed, 0};
    static double pinned[PROBLEM_MAX_CREWS][PROBLEM_MAX_DAYS];
    memset(p, 0, sizeof(*p));
    memset(pinned, 0, sizeof(pinned));
    p->n_jobs = n_jobs != 0 ? n_jobs : (size_t)draw_int(&d, 40, 200);
    p->n_crews = n_crews != 0 ? n_crews : (size_t)draw_int(&d, 2, 6);
    const double load = draw(&d, 0.5, 1.1);
    const double days = (double)p->n_jobs * 4.6 / (load * (double)p->n_crews * 8 * 5 / 7);
    p->n_days = n_days != 0 ? n_days : (int)fmin(PROBLEM_MAX_DAYS, fmax(10, ceil(days)));
    problem_crews(p, &d);
    for (size_t j = 0; j < p->n_jobs; j++) {
        struct assign_job *job = &p->jobs[j];
        problem_job(p, &d, j);
        if (!job->is_fixed)
            continue;
        double *used = &pinned[job->old_crew][job->old_day];
        if (*used + job->hours > 8)
            job->is_fixed = false;
        else
            *used += job->hours;
    }
}

#endif
