/* A year of the demo plant under four ways to maintain it, with the same parts and the same lives:
 * run to failure; the plant's own fixed-interval rules; the best age rule of each part; and
 * Fettle's decisions. What Fettle knows it learns from two years of history under the plant's
 * rules: a Weibull and a logistic model on daily sensor means for each part, the latter only where
 * it beats the former on assets that it has not seen. Windows, costs and the calendar are the
 * program's own code (predictive_window, weibull_age_replacement, assign_solve); the forecast is a
 * small stand-in for the trained models of the program, and the sensors are daily means with noise.
 *
 * Counted: every failure at C_F, every replacement at C_P (labour, parts, stop), every look that
 * finds nothing at C_i. No credit for younger parts at the end of the year. bench_policy [SEEDS] */
#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/demo/plant.h"
#include "app/lives.h"
#include "app/planner/assign.h"
#include "app/planner/predictive.h"
#include "models/linear.h"
#include "models/weibull.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASSETS = 60,
    PARTS = 3 * ASSETS,
    KINDS = 12, /* 4 classes of 3 components */
    SENSORS = DEMO_MAX_SENSORS,
    HISTORY = 730,
    YEAR = 365,
    WINDOW = 60,
    N_HORIZONS = 4,
    COLS = 2 + SENSORS,
    MAX_ROWS = 6000,
    COOLDOWN = 14,
    MAX_SEEDS = 200
};
#define NOISE 0.5     /* of a daily mean, in spreads of the sensor */
#define SMOOTH 0.3    /* weight of today in the smoothed mean */
#define VISIBLE 0.02  /* a technician sees wear from here on */
#define LOOK_COST 450 /* C_i */
#define RISK_LIMIT 0.1
#define MIN_SAVING 0.03

static const int horizons[N_HORIZONS] = {7, 14, 30, 60};

struct part {
    int asset, kind;
    const struct demo_class *cls;
    const struct demo_component *c;
    uint64_t k;
    double installed, fails, onset;
    bool is_silent;
};

struct plant {
    uint64_t seed;
    struct part parts[PARTS];
    double smooth[ASSETS][SENSORS];
};

/* What was learned about one kind of part. */
struct knowledge {
    struct weibull fit;
    bool has_fit, has_sensors;
    struct linear *model[N_HORIZONS];
    struct age_replacement best;
    double life_rate;
};

enum policy { RUN_TO_FAILURE, OWN_RULES, BEST_AGE, FETTLE, N_POLICIES };

struct job {
    bool is_open, is_age;
    int opened, day, cool_until;
};

struct result {
    double cost;
    int failures, replacements, looks;
};

static double cost_failure(const struct part *p)
{
    return p->c->unplanned_h * p->cls->downtime_per_h + p->c->unplanned_repair;
}

static double cost_planned(const struct part *p)
{
    return p->c->planned_h * p->cls->downtime_per_h + p->c->planned_repair;
}

/* Life number k of a part, drawn as the demo plant draws it: the same for every policy. */
static void install(const struct plant *x, struct part *p, double day)
{
    const uint64_t s = (uint64_t)(p - x->parts) + 1000;
    const double u = 1 - rng_uniform(x->seed, s, 8 * p->k);
    p->installed = day;
    p->fails = day + fmax(2, p->c->scale_d * pow(-log(u), 1 / p->c->shape));
    p->onset = 0.72 + 0.18 * rng_uniform(x->seed, s, 8 * p->k + 1);
    p->is_silent = p->c->mode != DEMO_WEAR || rng_uniform(x->seed, s, 8 * p->k + 2) < 0.12;
    p->k++;
}

static double sign_of(const struct part *p, double day)
{
    const double used = (day - p->installed) / (p->fails - p->installed);
    const double x = (used - p->onset) / (1 - p->onset);
    return p->is_silent || x <= 0 ? 0 : pow(fmin(1, x), 1.8);
}

static void make_plant(struct plant *x, uint64_t seed)
{
    size_t n_classes;
    const struct demo_class *classes = demo_classes(&n_classes);
    int asset = 0;
    memset(x, 0, sizeof(*x));
    x->seed = seed;
    for (size_t c = 0; c < n_classes; c++)
        for (int i = 0; i < (int)lround(classes[c].share * ASSETS) && asset < ASSETS; i++, asset++)
            for (int j = 0; j < 3; j++) {
                struct part *p = &x->parts[3 * asset + j];
                *p = (struct part){.asset = asset,
                                   .kind = (int)(3 * c) + j,
                                   .cls = &classes[c],
                                   .c = &classes[c].components[j]};
                const double most = p->c->interval_d > 0 ? p->c->interval_d : 1e9;
                const double age = rng_uniform(seed, 7, (uint64_t)(3 * asset + j)) * 0.8 *
                                   fmin(p->c->scale_d, most);
                do
                    install(x, p, -age);
                while (p->fails <= 1);
            }
}

/* Today's smoothed sensors of every asset. */
static void read_sensors(struct plant *x, int day)
{
    for (int a = 0; a < ASSETS; a++)
        for (int j = 0; j < SENSORS; j++) {
            double z =
                NOISE * rng_normal(x->seed, 50 + (uint64_t)j, (uint64_t)a * 10000 + (uint64_t)day);
            for (int i = 0; i < 3; i++)
                z += 0.9 * x->parts[3 * a + i].c->effect[j] * sign_of(&x->parts[3 * a + i], day);
            x->smooth[a][j] += SMOOTH * (z - x->smooth[a][j]);
        }
}

static void features(const struct plant *x, const struct part *p, int day, double *row)
{
    const double age = (day - p->installed) / 100;
    row[0] = age;
    row[1] = age * age;
    for (int j = 0; j < SENSORS; j++)
        row[2 + j] = x->smooth[p->asset][j];
}

/* --- learning --------------------------------------------------------------------------------- */

struct history {
    double row[KINDS][MAX_ROWS][COLS];
    int part[KINDS][MAX_ROWS], day[KINDS][MAX_ROWS];
    size_t n[KINDS];
    double left[PARTS][HISTORY]; /* days until it fails; NaN = taken out before, or not seen */
    double time[KINDS][4000], entry[KINDS][4000];
    bool failed[KINDS][4000];
    size_t n_lives[KINDS];
};

static void end_life(struct history *h, const struct part *p, size_t index, double day, bool failed)
{
    const int k = p->kind;
    const double begin = fmax(0, p->installed);
    if (h->n_lives[k] < 4000 && day > begin) {
        h->time[k][h->n_lives[k]] = day - p->installed;
        h->entry[k][h->n_lives[k]] = begin - p->installed;
        h->failed[k][h->n_lives[k]++] = failed;
    }
    for (int d = (int)ceil(begin); d < day && d < HISTORY; d++)
        h->left[index][d] = failed ? day - d : NAN;
}

/* Two years under the plant's own rules; *x ends as the plant stands then. */
static void live_history(struct plant *x, struct history *h)
{
    memset(h, 0, sizeof(*h));
    for (int day = 0; day < HISTORY; day++) {
        for (size_t i = 0; i < PARTS; i++) {
            struct part *p = &x->parts[i];
            const bool fails = p->fails <= day;
            if (!fails && !(p->c->interval_d > 0 && day - p->installed >= p->c->interval_d))
                continue;
            end_life(h, p, i, day, fails);
            install(x, p, day);
        }
        read_sensors(x, day);
        for (size_t i = 0; i < PARTS && day % 3 == 0 && day > 20; i++) {
            const struct part *p = &x->parts[i];
            const int k = p->kind;
            if (h->n[k] == MAX_ROWS)
                continue;
            features(x, p, day, h->row[k][h->n[k]]);
            h->part[k][h->n[k]] = (int)i;
            h->day[k][h->n[k]++] = day;
        }
    }
    for (size_t i = 0; i < PARTS; i++)
        end_life(h, &x->parts[i], i, HISTORY, false);
}

/* Rows whose outcome within the horizon is known; half: 0 even assets, 1 odd ones, -1 all. */
static size_t select_rows(const struct history *h, int kind, int horizon, int half, double *x,
                          double *y)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n[kind]; i++) {
        const double left = h->left[h->part[kind][i]][h->day[kind][i]];
        const int end = h->day[kind][i] + horizon;
        if ((half >= 0 && h->part[kind][i] / 3 % 2 != half) || (isnan(left) && end > HISTORY))
            continue;
        if (isnan(left)) { /* taken out before it failed: known only if it stayed that long */
            bool stays = true;
            for (int d = h->day[kind][i]; d < end && d < HISTORY; d++)
                stays = stays && isnan(h->left[h->part[kind][i]][d]);
            if (!stays)
                continue;
        }
        memcpy(x + n * COLS, h->row[kind][i], sizeof(h->row[kind][i]));
        y[n++] = left <= horizon;
    }
    return n;
}

static double chance(double log_odds)
{
    return 1 / (1 + exp(-log_odds));
}

/* Does the sensor model beat age alone on the assets that it was not fitted to (Brier, 30 days)? */
static bool beats_age(const struct history *h, int kind, const struct weibull *w, double *x,
                      double *y)
{
    double own = 0;
    double age = 0;
    for (int half = 0; half < 2; half++) {
        struct linear *m = NULL;
        struct ft_err err;
        size_t n = select_rows(h, kind, 30, half, x, y);
        const struct matrix train = {x, n, COLS, COLS};
        if (n < 50 || linear_fit(LINEAR_LOGISTIC, &train, y, NULL, 1, &m, &err) != FT_OK)
            return false;
        n = select_rows(h, kind, 30, 1 - half, x, y);
        for (size_t i = 0; i < n; i++) {
            double log_odds;
            const struct matrix one = {x + i * COLS, 1, COLS, COLS};
            linear_predict(m, &one, &log_odds);
            const double p = weibull_failure_probability(w, 100 * x[i * COLS], 30);
            own += pow(chance(log_odds) - y[i], 2);
            age += pow(p - y[i], 2);
        }
        linear_free(m);
    }
    return own < 0.95 * age;
}

static void learn(const struct plant *plant, const struct history *h, struct knowledge *all)
{
    static double x[MAX_ROWS * COLS];
    static double y[MAX_ROWS];
    for (int k = 0; k < KINDS; k++) {
        struct knowledge *know = &all[k];
        const struct part *p = plant->parts;
        struct ft_err err;
        while (p->kind != k)
            p++;
        *know = (struct knowledge){0};
        know->has_fit = weibull_fit(h->time[k], h->failed[k], h->entry[k], NULL, h->n_lives[k],
                                    &know->fit, &err) == FT_OK;
        if (!know->has_fit)
            continue;
        know->best = weibull_age_replacement(&know->fit, cost_planned(p), cost_failure(p));
        const struct life life = {
            .has_fit = true, .fit = know->fit, .n_failures = know->fit.n_failures};
        know->life_rate = life_cost_rate(&life, cost_planned(p), cost_failure(p));
        know->has_sensors = beats_age(h, k, &know->fit, x, y);
        for (int i = 0; i < N_HORIZONS && know->has_sensors; i++) {
            const size_t n = select_rows(h, k, horizons[i], -1, x, y);
            const struct matrix train = {x, n, COLS, COLS};
            if (linear_fit(LINEAR_LOGISTIC, &train, y, NULL, 1, &know->model[i], &err) != FT_OK)
                know->has_sensors = false;
        }
    }
}

/* --- deciding --------------------------------------------------------------------------------- */

static void window_of(const struct plant *x, const struct part *p, const struct knowledge *know,
                      const struct job *job, int day, struct predictive_window *out)
{
    struct forecast f = {.as_of_ms = day * MS_PER_DAY, .n_horizons = N_HORIZONS};
    bool is_workday[WINDOW];
    double row[COLS];
    double before = 0;
    features(x, p, day, row);
    for (int i = 0; i < N_HORIZONS; i++) {
        double log_odds;
        const struct matrix one = {row, 1, COLS, COLS};
        linear_predict(know->model[i], &one, &log_odds);
        f.horizon_ms[i] = horizons[i] * MS_PER_DAY;
        f.p[i] = before = fmax(before, fmin(0.999, chance(log_odds)));
    }
    for (int d = 0; d < WINDOW; d++)
        is_workday[d] = (day + d) % 7 < 5;
    const int lead = (int)p->c->spare_lead_d - (job->is_open ? day - job->opened : 0);
    const struct predictive_input in = {
        .forecast = &f,
        .now_ms = day * MS_PER_DAY,
        .cost_failure = cost_failure(p),
        .cost_planned = cost_planned(p),
        .is_workday = is_workday,
        .inspection_cost = LOOK_COST,
        .life_rate = know->life_rate,
        .p_age_only = weibull_failure_probability(&know->fit, day - p->installed, 30),
        .risk_limit = RISK_LIMIT,
        .n_days = WINDOW,
        .lead_days = lead > 0 ? lead : 0,
        .is_open = job->is_open};
    predictive_window(&in, out);
}

static bool by_age(const struct knowledge *know)
{
    return know->has_fit && know->best.has_optimum && know->best.saving_frac >= MIN_SAVING;
}

/* Puts the open jobs on days: two mechanical crews and an electrical one, 8 h, Monday to Friday. */
static int place(struct job *jobs, const struct plant *x, double cost[PARTS][WINDOW], int day)
{
    static struct assign_job list[PARTS];
    static struct assign_place at[PARTS];
    static double hours[3][WINDOW];
    static size_t part[PARTS];
    const struct assign_crew crews[3] = {
        {"mechanical", hours[0]}, {"mechanical", hours[1]}, {"electrical", hours[2]}};
    struct assign_result r;
    struct ft_err err;
    size_t n = 0;
    for (int c = 0; c < 3; c++)
        for (int d = 0; d < WINDOW; d++)
            hours[c][d] = (day + d) % 7 < 5 ? 8 : 0;
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = &x->parts[i];
        if (!jobs[i].is_open)
            continue;
        const int lead = (int)p->c->spare_lead_d - (day - jobs[i].opened);
        part[n] = i;
        list[n++] = (struct assign_job){
            .hours = p->c->planned_h,
            .asset_id = p->asset,
            .skill = strcmp(p->c->skill, "electrical") == 0 ? "electrical" : "mechanical",
            .first_day = lead > 0 ? lead : 0,
            .last_day = WINDOW - 1,
            .cost = cost[i],
            .cost_left = cost_failure(p) * 2,
            .old_day = -1,
            .old_crew = -1};
    }
    if (n == 0)
        return 0;
    if (assign_solve(list, n, crews, 3, WINDOW, at, &r, &err) != FT_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        jobs[part[i]].day = at[i].day >= 0 ? day + at[i].day : -1;
    free(r.used);
    return 0;
}

/* Opens and ends jobs by today's forecasts and ages; fills what each day costs. */
static bool review(struct plant *x, const struct knowledge *all, struct job *jobs,
                   double cost[PARTS][WINDOW], int day)
{
    bool is_changed = day % 7 == 0;
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = &x->parts[i];
        const struct knowledge *know = &all[p->kind];
        struct job *job = &jobs[i];
        const bool was_open = job->is_open;
        if (know->has_sensors && day >= job->cool_until) {
            struct predictive_window w;
            window_of(x, p, know, job, day, &w);
            job->is_open = w.pays;
            memcpy(cost[i], w.cost, WINDOW * sizeof(double));
        } else if (!know->has_sensors && by_age(know)) {
            const double left = know->best.interval - (day - p->installed);
            job->is_age = true;
            job->is_open = left < (double)p->c->spare_lead_d + 7;
            for (int d = 0; d < WINDOW; d++)
                cost[i][d] = cost_planned(p) * (1 + 0.02 * fabs(d - left));
        }
        if (job->is_open && !was_open)
            job->opened = day;
        is_changed = is_changed || job->is_open != was_open;
    }
    return is_changed;
}

static void renew(struct plant *x, struct part *p, struct job *job, int day)
{
    install(x, p, day);
    const bool is_age = job->is_age;
    *job = (struct job){.is_age = is_age, .day = -1, .cool_until = day + 7};
}

/* The planned work of one day. */
static void do_work(struct plant *x, enum policy policy, const struct knowledge *all,
                    struct job *jobs, int day, struct result *r)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct part *p = &x->parts[i];
        const double age = day - p->installed;
        bool is_due = false;
        if (policy == OWN_RULES)
            is_due = p->c->interval_d > 0 && age >= p->c->interval_d;
        else if (policy == BEST_AGE)
            is_due = by_age(&all[p->kind]) && age >= all[p->kind].best.interval;
        else if (policy == FETTLE)
            is_due = jobs[i].is_open && jobs[i].day == day;
        if (!is_due)
            continue;
        if (policy == FETTLE && !jobs[i].is_age && sign_of(p, day) < VISIBLE) {
            r->looks++;
            r->cost += LOOK_COST;
            jobs[i].is_open = false;
            jobs[i].cool_until = day + COOLDOWN;
            continue;
        }
        r->replacements++;
        r->cost += cost_planned(p);
        renew(x, p, &jobs[i], day);
    }
}

static int live_year(struct plant x, enum policy policy, const struct knowledge *all,
                     struct result *r)
{
    static double cost[PARTS][WINDOW];
    static struct job jobs[PARTS];
    memset(jobs, 0, sizeof(jobs));
    *r = (struct result){0};
    for (int day = HISTORY; day < HISTORY + YEAR; day++) {
        for (size_t i = 0; i < PARTS; i++)
            if (x.parts[i].fails <= day) {
                r->failures++;
                r->cost += cost_failure(&x.parts[i]);
                renew(&x, &x.parts[i], &jobs[i], day);
            }
        read_sensors(&x, day);
        if (policy == FETTLE && review(&x, all, jobs, cost, day) && place(jobs, &x, cost, day) != 0)
            return 1;
        do_work(&x, policy, all, jobs, day, r);
    }
    return 0;
}

static void show(const char *what, const double *share, int n)
{
    double sum = 0;
    double squares = 0;
    double least = INFINITY;
    double most = -INFINITY;
    for (int i = 0; i < n; i++) {
        sum += share[i];
        squares += share[i] * share[i];
        least = fmin(least, share[i]);
        most = fmax(most, share[i]);
    }
    const double mean = sum / n;
    printf("Fettle against %-28s %5.1f %% less (sd %.1f, from %.1f to %.1f over %d seeds)\n", what,
           100 * mean, 100 * sqrt(fmax(0, squares / n - mean * mean)), 100 * least, 100 * most, n);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"run to failure", "the plant's own rules",
                                        "the best age rules"};
    static struct history h;
    static struct plant x;
    static double share[3][MAX_SEEDS];
    const int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
    for (int i = 0; i < n && i < MAX_SEEDS; i++) {
        struct knowledge all[KINDS];
        struct result r[N_POLICIES];
        int n_sensors = 0;
        make_plant(&x, (uint64_t)i + 1);
        live_history(&x, &h);
        learn(&x, &h, all);
        for (int p = 0; p < N_POLICIES; p++)
            if (live_year(x, (enum policy)p, all, &r[p]) != 0)
                return 1;
        for (int p = 0; p < FETTLE; p++)
            share[p][i] = 1 - r[FETTLE].cost / r[p].cost;
        for (int k = 0; k < KINDS; k++) {
            n_sensors += all[k].has_sensors;
            for (int m = 0; m < N_HORIZONS; m++)
                linear_free(all[k].model[m]);
        }
        printf(
            "seed %2d: failure %4.0fk (%d), rules %4.0fk (%d), best age %4.0fk (%d), Fettle %4.0fk "
            "(%d failures, %d replaced, %d looks in vain; %d of %d parts by sensor)\n",
            i + 1, r[0].cost / 1000, r[0].failures, r[1].cost / 1000, r[1].failures,
            r[2].cost / 1000, r[2].failures, r[3].cost / 1000, r[3].failures, r[3].replacements,
            r[3].looks, n_sensors, KINDS);
        fflush(stdout);
    }
    for (int p = 0; p < FETTLE && n > 0; p++)
        show(names[p], share[p], n);
    return 0;
}
