/* Quality and speed of the planner's heuristic. Fifty seeded problems of 40 to 200 jobs against the
 * optimum that CBC proves (or the best bound it has after SECONDS each), then 2,000 jobs on 90 days
 * and 10 crews. bench_assign [PROBLEMS] [SECONDS] */
#include "tests/plan_problems.h"

#include "app/base/clock.h"
#include "app/planner/solver_cbc.h"

#include <stdio.h>

static struct plan_problem p;

static int solve(struct assign_place *place, struct assign_result *r, double *seconds)
{
    struct ft_err err;
    const double start_s = clock_mono_s();
    const enum ft_status st =
        assign_solve(p.jobs, p.n_jobs, p.crews, p.n_crews, p.n_days, place, r, &err);
    *seconds = clock_mono_s() - start_s;
    if (st != FT_OK)
        fprintf(stderr, "%s\n", err.msg);
    return st == FT_OK ? 0 : 1;
}

static int compare_double(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare_with_optimum(int n, double max_seconds)
{
    enum { MOST = 1000 };
    static double gap[MOST];
    double sum = 0;
    double sum_bound = 0;
    double sum_own = 0;
    int n_proven = 0;
    for (int i = 0; i < n && i < MOST; i++) {
        struct assign_place place[PROBLEM_MAX_JOBS];
        struct assign_result r;
        struct solver_result s;
        struct ft_err err;
        double seconds;
        problem_make(&p, (uint64_t)i + 1, 0, 0, 0);
        if (solve(place, &r, &seconds) != 0)
            return 1;
        if (solver_improve(p.jobs, p.n_jobs, p.crews, p.n_crews, p.n_days, max_seconds, 0, place,
                           &s, &err) != FT_OK) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        gap[i] = 100 * (r.cost - s.cost) / s.cost;
        sum += gap[i];
        sum_bound += 100 * (r.cost - s.bound) / s.bound;
        sum_own += 100 * (r.cost - r.bound) / r.bound;
        n_proven += s.is_proven;
        printf(
            "problem %2d: %3zu jobs %zu crews %2d days: own %.0f in %.3f s, CBC %.0f %s in %.1f s, "
            "gap %.2f %%, own bound %.1f %% below\n",
            i + 1, p.n_jobs, p.n_crews, p.n_days, r.cost, seconds, s.cost,
            s.is_proven ? "proven" : "best known", s.seconds, gap[i],
            100 * (r.cost - r.bound) / r.cost);
        fflush(stdout);
        free(r.used);
    }
    qsort(gap, (size_t)n, sizeof(*gap), compare_double);
    printf(
        "planner against CBC: %d problems, %d proven; gap to CBC's plan mean %.2f %%, median %.2f "
        "%%, worst %.2f %%; to CBC's bound mean %.2f %%; to the own bound mean %.1f %%\n",
        n, n_proven, sum / n, gap[n / 2], gap[n - 1], sum_bound / n, sum_own / n);
    return 0;
}

static int large(void)
{
    static struct assign_place place[PROBLEM_MAX_JOBS];
    double seconds[5];
    struct assign_result r;
    problem_make(&p, 99, 2000, 10, 90);
    for (int i = 0; i < 5; i++) {
        if (solve(place, &r, &seconds[i]) != 0)
            return 1;
        free(r.used);
    }
    qsort(seconds, 5, sizeof(*seconds), compare_double);
    printf(
        "planner, 2000 jobs x 90 days x 10 crews: %.2f s (median of 5), %zu placed, %.1f %% above "
        "the own bound\n",
        seconds[2], r.n_placed, 100 * (r.cost - r.bound) / r.bound);
    return 0;
}

int main(int argc, char **argv)
{
    const int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 50;
    const double max_seconds = argc > 2 ? strtod(argv[2], NULL) : 20;
    if (large() != 0)
        return 1;
    if (!solver_is_built_in()) {
        printf("planner against CBC: this build has no CBC (coinor-libcbc-dev)\n");
        return 0;
    }
    return n > 0 && n <= 1000 ? compare_with_optimum(n, max_seconds) : 1;
}
