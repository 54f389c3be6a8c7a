#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/planner/assign.h"
#include "app/planner/solver_cbc.h"

#include "tests/plan_problems.h"

#include <stdlib.h>

enum { MAX_JOBS = 5, MAX_DAYS = 5, MAX_CREWS = 2 };

struct problem {
    size_t n_jobs, n_crews;
    int n_days;
    struct assign_job jobs[MAX_JOBS];
    struct assign_crew crews[MAX_CREWS];
    double cost[MAX_JOBS][MAX_DAYS];
    double hours[MAX_CREWS][MAX_DAYS];
};

static void make_problem(struct problem *p, uint64_t seed)
{
    static const char *const skills[] = {"", "mech", "elec"};
    uint64_t k = 0;
    memset(p, 0, sizeof(*p));
    p->n_jobs = 2 + rng_below(seed, 1, k++, 4);
    p->n_crews = 1 + rng_below(seed, 1, k++, 2);
    p->n_days = 3 + (int)rng_below(seed, 1, k++, 3);
    for (size_t c = 0; c < p->n_crews; c++) {
        p->crews[c] = (struct assign_crew){skills[rng_below(seed, 1, k++, 3)], p->hours[c]};
        for (int d = 0; d < p->n_days; d++)
            p->hours[c][d] = rng_below(seed, 1, k++, 5) == 0 ? 0 : 8;
    }
    for (size_t j = 0; j < p->n_jobs; j++) {
        struct assign_job *job = &p->jobs[j];
        const int first = (int)rng_below(seed, 1, k++, 2);
        for (int d = 0; d < p->n_days; d++)
            p->cost[j][d] = rng_below(seed, 1, k++, 8) == 0
                                ? INFINITY
                                : 100 + (double)rng_below(seed, 1, k++, 400);
        *job = (struct assign_job){.hours = 1 + (double)rng_below(seed, 1, k + 0, 11),
                                   .asset_id = 7 + (int64_t)rng_below(seed, 1, k + 1, 3),
                                   .skill = skills[rng_below(seed, 1, k + 2, 3)],
                                   .first_day = first,
                                   .last_day = p->n_days - 1,
                                   .cost = p->cost[j],
                                   .cost_left = 700,
                                   .setup = (double)rng_below(seed, 1, k + 3, 60),
                                   .old_day = (int)rng_below(seed, 1, k + 4, 5) - 2,
                                   .old_crew = -1,
                                   .move_cost = 20};
        k += 5;
        if (job->old_day < 0 || job->old_day >= p->n_days)
            job->old_day = -1;
    }
}

/* Hours that a job takes of each day, written out again on purpose: the test must not share the
 * code it checks. False when the job cannot start there. */
static bool spread(const struct problem *p, size_t j, int day, size_t c, double *take)
{
    double left = p->jobs[j].hours;
    memset(take, 0, MAX_DAYS * sizeof(*take));
    if (p->hours[c][day] == 0)
        return false;
    for (int d = day; d < p->n_days && left > 0; d++) {
        take[d] = fmin(left, p->hours[c][d]);
        left -= take[d];
    }
    return left <= 0;
}

/* Objective of a whole plan, INFINITY when it breaks a rule. code digit: 0 left, else 1 + place. */
static double price(const struct problem *p, const struct assign_place *place)
{
    double used[MAX_CREWS][MAX_DAYS] = {{0}};
    double cost = 0;
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct assign_job *job = &p->jobs[j];
        double take[MAX_DAYS];
        if (place[j].day < 0) {
            cost += job->cost_left;
            continue;
        }
        if (place[j].day < job->first_day || place[j].day > job->last_day ||
            !assign_has_skill(p->crews[place[j].crew].skills, job->skill) ||
            !spread(p, j, place[j].day, (size_t)place[j].crew, take))
            return INFINITY;
        for (int d = 0; d < p->n_days; d++) {
            used[place[j].crew][d] += take[d];
            if (used[place[j].crew][d] > p->hours[place[j].crew][d] + 1e-9)
                return INFINITY;
        }
        cost += job->cost[place[j].day];
        cost += job->old_day >= 0 && job->old_day != place[j].day ? job->move_cost : 0;
    }
    for (int64_t asset = 7; asset < 10; asset++) {
        double setup = INFINITY;
        for (size_t j = 0; j < p->n_jobs; j++)
            if (p->jobs[j].asset_id == asset)
                setup = fmin(setup, p->jobs[j].setup);
        for (int d = 0; d < p->n_days; d++) {
            int n = 0;
            for (size_t j = 0; j < p->n_jobs; j++)
                n += p->jobs[j].asset_id == asset && place[j].day == d;
            cost -= n > 1 ? setup * (n - 1) : 0;
        }
    }
    return cost;
}

static double brute_force(const struct problem *p)
{
    const size_t n_places = (size_t)p->n_days * p->n_crews + 1;
    size_t n_plans = 1;
    double best = INFINITY;
    for (size_t j = 0; j < p->n_jobs; j++)
        n_plans *= n_places;
    for (size_t code = 0; code < n_plans; code++) {
        struct assign_place place[MAX_JOBS];
        size_t rest = code;
        for (size_t j = 0; j < p->n_jobs; j++, rest /= n_places) {
            const int at = (int)(rest % n_places) - 1;
            place[j] =
                (struct assign_place){at < 0 ? -1 : at % p->n_days, at < 0 ? -1 : at / p->n_days};
        }
        best = fmin(best, price(p, place));
    }
    return best;
}

static void test_assign_solve_against_brute_force(void **state)
{
    double sum_best = 0;
    double sum_got = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct problem p;
        struct assign_place place[MAX_JOBS];
        struct assign_result r;
        struct ft_err err;
        make_problem(&p, seed);
        assert_ok(assign_solve(p.jobs, p.n_jobs, p.crews, p.n_crews, p.n_days, place, &r, &err),
                  err);
        const double best = brute_force(&p);
        const double got = price(&p, place);
        assert_true(isfinite(got)); /* no rule is broken */
        assert_close(r.cost, got, 1e-6);
        if (!(r.bound <= best + 1e-6 && best <= got + 1e-6))
            fail_msg("seed %d: bound %g, optimum %g, plan %g", (int)seed, r.bound, best, got);
        sum_best += best;
        sum_got += got;
        free(r.used);
    }
    /* The heuristic stays close to the optimum on average. */
    printf("# gap to the optimum: %.3f %%\n", 100 * (sum_got / sum_best - 1));
    assert_true(sum_got <= 1.02 * sum_best);
}

static void test_assign_solve_fixed_stays_when_full(void **state)
{
    const double hours[3] = {8, 8, 8};
    const double cost[3] = {10, 20, 30};
    const struct assign_crew crew = {"", hours};
    const struct assign_job jobs[2] = {
        {.hours = 8, .asset_id = 1, .last_day = 2, .cost = cost, .cost_left = 1e6, .old_day = -1},
        {.hours = 12,
         .asset_id = 2,
         .last_day = 2,
         .cost = cost,
         .cost_left = 1e6,
         .is_fixed = true},
    };
    struct assign_place place[2];
    struct assign_result r;
    struct ft_err err;
    assert_ok(assign_solve(jobs, 2, &crew, 1, 3, place, &r, &err), err);
    assert_int_equal(place[1].day, 0);
    assert_int_equal(place[0].day, 2); /* the fixed job runs into day 1 */
    assert_close(r.used[1], 4, 1e-9);
    free(r.used);
    const struct assign_job off = {.hours = 1, .cost = cost, .is_fixed = true, .old_day = 3};
    assert_int_equal(assign_solve(&off, 1, &crew, 1, 3, place, &r, &err), FT_INVALID);
}

static void test_assign_solve_large(void **state)
{
    enum { N = 2000, DAYS = 90, CREWS = 10 };
    static double cost[N][DAYS];
    static double hours[CREWS][DAYS];
    static struct assign_job jobs[N];
    static struct assign_place place[N];
    struct assign_crew crews[CREWS];
    static const char *const skills[] = {"mech", "elec", "lube", ""};
    for (size_t c = 0; c < CREWS; c++) {
        crews[c] = (struct assign_crew){skills[c % 3], hours[c]};
        for (int d = 0; d < DAYS; d++)
            hours[c][d] = d % 7 < 5 ? 8 : 0;
    }
    for (size_t j = 0; j < N; j++) {
        const double best = (double)rng_below(1, 2, j, DAYS);
        for (int d = 0; d < DAYS; d++)
            cost[j][d] = 1000 + 30 * fabs(d - best);
        jobs[j] = (struct assign_job){.hours = 1 + (double)rng_below(1, 3, j, 5),
                                      .asset_id = (int64_t)rng_below(1, 4, j, 500),
                                      .skill = skills[rng_below(1, 5, j, 4)],
                                      .last_day = DAYS - 1,
                                      .cost = cost[j],
                                      .cost_left = 6000,
                                      .setup = 50,
                                      .old_day = -1,
                                      .old_crew = -1};
    }
    struct assign_result r;
    struct ft_err err;
    const double start_s = clock_mono_s();
    assert_ok(assign_solve(jobs, N, crews, CREWS, DAYS, place, &r, &err), err);
    const double seconds = clock_mono_s() - start_s;
    printf("# %d jobs: %.2f s, %zu placed, %.1f %% above the bound\n", N, seconds, r.n_placed,
           100 * (r.cost / r.bound - 1));
    for (size_t i = 0; i < CREWS * DAYS; i++)
        assert_true(r.used[i] <= hours[i / DAYS][i % DAYS] + 1e-6);
    free(r.used);
}

static struct plan_problem large;

/* No crew over its hours, no work in a blackout, no job before its spare, no job lost or twice,
 * pinned work where it was, the price as counted by hand. Checked with code of its own. */
static void check_rules(const struct plan_problem *p, const struct assign_place *place,
                        const struct assign_result *r)
{
    static double used[PROBLEM_MAX_CREWS][PROBLEM_MAX_DAYS];
    double cost = 0;
    size_t n_placed = 0;
    memset(used, 0, sizeof(used));
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct assign_job *job = &p->jobs[j];
        double left = job->hours;
        if (job->is_fixed)
            assert_true(place[j].day == job->old_day && place[j].crew == job->old_crew);
        if (place[j].day < 0) {
            cost += job->cost_left;
            continue;
        }
        n_placed++;
        assert_true(place[j].day < p->n_days && (size_t)place[j].crew < p->n_crews);
        assert_true(place[j].day >= p->lead[j]);
        assert_false(p->is_blackout[p->area[j]][place[j].day]);
        assert_true(assign_has_skill(p->crews[place[j].crew].skills, job->skill));
        cost += p->cost[j][place[j].day];
        if (job->old_day >= 0 && place[j].day != job->old_day)
            cost += job->move_cost;
        else if (job->old_day >= 0 && place[j].crew != job->old_crew)
            cost += ASSIGN_CREW_SHARE * job->move_cost;
        for (int d = place[j].day; d < p->n_days && left > 0; d++) {
            const double take = fmin(left, p->hours[place[j].crew][d]);
            used[place[j].crew][d] += take;
            left -= take;
        }
        assert_close(left, 0, 1e-9);
        for (size_t i = 0; i < j; i++) { /* each further job at the stop saves one set-up */
            double setup = INFINITY;
            if (p->jobs[i].asset_id != job->asset_id || place[i].day != place[j].day)
                continue;
            for (size_t k = 0; k < p->n_jobs; k++)
                if (p->jobs[k].asset_id == job->asset_id)
                    setup = fmin(setup, p->jobs[k].setup);
            cost -= setup;
            break;
        }
    }
    for (size_t c = 0; c < p->n_crews; c++)
        for (int d = 0; d < p->n_days; d++) {
            assert_true(used[c][d] <= p->hours[c][d] + 1e-6);
            assert_close(r->used[c * (size_t)p->n_days + (size_t)d], used[c][d], 1e-6);
        }
    assert_int_equal(n_placed, r->n_placed);
    assert_rel(r->cost, cost, 1e-9);
    assert_true(r->bound <= r->cost + 1e-6);
}

static void test_assign_solve_keeps_all_rules(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        static struct assign_place place[PROBLEM_MAX_JOBS];
        struct assign_result r;
        struct ft_err err;
        double cost;
        problem_make(&large, seed, seed % 3 == 0 ? 0 : 20 + 5 * seed, 0, 0);
        assert_ok(assign_solve(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                               place, &r, &err),
                  err);
        check_rules(&large, place, &r);
        assert_ok(assign_price(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                               place, &cost, &err),
                  err);
        assert_rel(cost, r.cost, 1e-9);
        free(r.used);
    }
}

static void test_assign_solve_is_repeatable(void **state)
{
    static struct assign_place place[2][PROBLEM_MAX_JOBS];
    struct ft_err err;
    problem_make(&large, 5, 60, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct assign_result r;
        assert_ok(assign_solve(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                               place[i], &r, &err),
                  err);
        free(r.used);
    }
    assert_memory_equal(place[0], place[1], large.n_jobs * sizeof(place[0][0]));
}

static void test_assign_price_refuses(void **state)
{
    static struct assign_place place[PROBLEM_MAX_JOBS];
    struct ft_err err;
    double cost;
    problem_make(&large, 3, 30, 2, 20);
    for (size_t j = 0; j < large.n_jobs; j++) {
        large.jobs[j].is_fixed = false;
        place[j] = (struct assign_place){0, 0};
    }
    assert_int_equal(assign_price(large.jobs, large.n_jobs, large.crews, large.n_crews,
                                  large.n_days, place, &cost, &err),
                     FT_CONFLICT);
    for (size_t j = 0; j < large.n_jobs; j++)
        place[j] = (struct assign_place){-1, -1};
    place[4] = (struct assign_place){99, 0};
    assert_int_equal(assign_price(large.jobs, large.n_jobs, large.crews, large.n_crews,
                                  large.n_days, place, &cost, &err),
                     FT_CONFLICT);
    assert_non_null(strstr(err.msg, "job 4 stands outside"));
}

/* The exact solver proves small problems, never makes a plan dearer, and keeps all rules; the own
 * heuristic is within 3 % of the optimum on average. */
static void test_solver_improve_agrees(void **state)
{
    double sum_own = 0;
    double sum_best = 0;
    if (!solver_is_built_in()) {
        printf("SKIP: this build has no CBC (coinor-libcbc-dev)\n");
        skip();
    }
    for (uint64_t seed = 101; seed <= 106; seed++) {
        static struct assign_place place[PROBLEM_MAX_JOBS];
        struct assign_result r;
        struct solver_result s;
        struct ft_err err;
        problem_make(&large, seed, 24, 2, 12);
        assert_ok(assign_solve(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                               place, &r, &err),
                  err);
        assert_ok(solver_improve(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                                 60, 0, place, &s, &err),
                  err);
        assert_true(s.is_tried && s.is_proven);
        assert_true(s.cost <= r.cost + 1e-6 && r.bound <= s.cost + 1e-6 &&
                    s.bound <= s.cost + 1e-6);
        double cost;
        assert_ok(assign_price(large.jobs, large.n_jobs, large.crews, large.n_crews, large.n_days,
                               place, &cost, &err),
                  err);
        assert_rel(cost, s.cost, 1e-9);
        sum_own += r.cost;
        sum_best += s.cost;
        free(r.used);
    }
    printf("# gap to the proven optimum: %.3f %%\n", 100 * (sum_own / sum_best - 1));
    assert_true(sum_own <= 1.03 * sum_best);
}

static void test_assign_has_skill_lists(void **state)
{
    assert_true(assign_has_skill("mech, elec", "elec"));
    assert_true(assign_has_skill("", "elec"));
    assert_true(assign_has_skill("mech", NULL));
    assert_false(assign_has_skill("mechanic", "mech"));
    assert_false(assign_has_skill("mech", "mechanic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assign_solve_against_brute_force),
        cmocka_unit_test(test_assign_solve_fixed_stays_when_full),
        cmocka_unit_test(test_assign_solve_large),
        cmocka_unit_test(test_assign_solve_keeps_all_rules),
        cmocka_unit_test(test_assign_solve_is_repeatable),
        cmocka_unit_test(test_assign_price_refuses),
        cmocka_unit_test(test_solver_improve_agrees),
        cmocka_unit_test(test_assign_has_skill_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
