/* A year of the demo plant in a closed loop with the program itself: two years of history under the
 * plant's own rules go into a database; then, for each day of the third year, new readings,
 * failures and alarms come in, every asset is scored, the calendar is planned, and what stands on
 * the calendar for the day is done and closed as a technician would. Models are trained as a night
 * does, at the start and every RETRAIN_DAYS. Preventive plans change once, at the start, as their
 * verdicts say. Beside it, with the same lives in the same order: the plant's own fixed-interval
 * rules, and run to failure.
 *
 * Counted from the simulator's truth, alike for all: a failure at C_F, a replacement at C_P, a look
 * that finds nothing at C_i. Sign below VISIBLE: nothing is found. No credit for younger parts at
 * the end. Inspection rounds are the same in all three and left out. bench_year [SEEDS
 * [FIRST_SEED]] */
#include "app/base/clock.h"
#include "app/base/money.h"
#include "app/cases.h"
#include "app/demo/demo.h"
#include "app/night.h"
#include "app/planner/jobs.h"
#include "app/planner/planner.h"
#include "app/scoring.h"
#include "app/site.h"
#include "app/snapshot.h"
#include "app/work_order_json.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASSETS = 60, HISTORY_DAYS = 730, YEAR_DAYS = 365, RETRAIN_DAYS = 91, MAX_WORK = 400 };
#define VISIBLE 0.02    /* wear that a technician sees */
#define LOOK_COST 450.0 /* C_i, as the demo plant has it */
#define APPROVE_AHEAD_MS (2 * MS_PER_DAY)
#define START_MS INT64_C(1767571200000) /* Monday, 5 January 2026 */

struct machine {
    struct demo_asset now; /* as things stand, to the end of the year */
    struct demo_work work[MAX_WORK];
    size_t n_work;
    int64_t id, sensors[DEMO_MAX_SENSORS], components[DEMO_MAX_COMPONENTS];
};

struct year {
    struct demo_options o; /* history and year */
    struct machine machines[ASSETS];
    struct db *db;
    struct pool *pool;
    size_t n_looks, n_stopped, n_changed, n_approved;
};

struct bill {
    double cost;
    size_t n_failures, n_replacements;
};

static struct ft_err err;

static void need(enum ft_status st)
{
    if (st == FT_OK)
        return;
    fprintf(stderr, "bench_year: %s\n", err.msg);
    exit(1);
}

static void simulate(const struct year *y, size_t i, const struct demo_work *work, size_t n,
                     struct demo_asset *out)
{
    const struct demo_decisions d = {.from_ms = START_MS + 1, .work = work, .n = n};
    need(demo_asset_simulate(&y->o, i, work != NULL ? &d : NULL, out, &err));
}

/* What a year costs, from the lives that ended in it. */
static void add_bill(const struct demo_asset *a, struct bill *b)
{
    for (size_t e = 0; e < a->n_events; e++) {
        const struct demo_event *v = &a->events[e];
        if (v->ts_ms <= START_MS || v->component < 0)
            continue;
        const struct demo_component *c = &a->cls->components[v->component];
        const bool has_failed = strcmp(v->kind, "failure") == 0;
        b->n_failures += has_failed;
        b->n_replacements += !has_failed;
        b->cost += has_failed ? c->unplanned_h * a->cls->downtime_per_h + c->unplanned_repair
                              : c->planned_h * a->cls->downtime_per_h + c->planned_repair;
    }
}

static struct bill bill_of(const struct year *y, const struct demo_work *work)
{
    struct bill b = {0};
    for (size_t i = 0; i < ASSETS; i++) {
        struct demo_asset a;
        simulate(y, i, work, 0, &a);
        add_bill(&a, &b);
        demo_asset_clear(&a);
    }
    return b;
}

/* --- the plant in the database ---------------------------------------------------------------- */

static void find_ids(struct year *y)
{
    for (size_t i = 0; i < ASSETS; i++) {
        struct machine *m = &y->machines[i];
        struct asset a;
        need(asset_find(y->db, m->now.key, &a, &err));
        m->id = a.id;
        for (size_t j = 0; j < m->now.cls->n_sensors; j++)
            need(sensor_find(y->db, a.id, m->now.cls->sensors[j].name, &m->sensors[j], &err));
        for (size_t p = 0; p < m->now.cls->n_components; p++)
            need(component_ensure(y->db, a.class_id, m->now.cls->components[p].name,
                                  &m->components[p], &err));
        asset_clear(&a);
    }
}

static void ingest_readings(struct year *y, int64_t after_ms, int64_t upto_ms)
{
    static struct reading_point points[ASSETS * DEMO_MAX_SENSORS * 48];
    struct reading_counts c = {0};
    size_t n = 0;
    for (size_t i = 0; i < ASSETS; i++) {
        const struct machine *m = &y->machines[i];
        const struct demo_asset *a = &m->now;
        for (size_t k = (size_t)((after_ms - a->start_ms) / a->step_ms) + 1;
             k < a->n_steps && a->start_ms + (int64_t)k * a->step_ms <= upto_ms; k++)
            for (size_t j = 0; j < a->cls->n_sensors; j++)
                if (!isnan(a->values[j][k]))
                    points[n++] = (struct reading_point){
                        m->sensors[j], a->start_ms + (int64_t)k * a->step_ms, a->values[j][k]};
    }
    need(reading_append(y->db, points, n, NULL, &c, &err));
}

static void close_order(struct year *y, struct work_order *w, const char *outcome, const char *part,
                        double cost, int64_t now_ms)
{
    int64_t event_id = 0;
    const struct work_order_outcome o = {.outcome = outcome,
                                         .component_name = part,
                                         .ended_ms = now_ms,
                                         .downtime_ms = DB_NO_TIME,
                                         .cost_minor = money_from_major(cost, "EUR"),
                                         .labour_h = NAN};
    need(work_order_close(y->db, w, &o, now_ms, &event_id, &err));
}

/* Work that was approved for a part which failed before: the technician books the failure on it. */
static bool book_on_order(struct year *y, const struct machine *m, const struct demo_event *v)
{
    const struct work_order_filter filter = {.asset_id = m->id, .status = "approved,scheduled"};
    struct work_order_list list = {0};
    bool is_booked = false;
    if (v->component < 0)
        return false;
    need(work_order_list(y->db, &filter, &list, &err));
    for (size_t i = 0; i < list.n && !is_booked; i++)
        if (list.items[i].component_id == m->components[v->component]) {
            close_order(y, &list.items[i], "had_failed", NULL, v->cost, v->ts_ms);
            is_booked = true;
        }
    work_order_list_free(&list);
    return is_booked;
}

/* Failures and alarms; replacements come from closed work orders. */
static void ingest_events(struct year *y, int64_t after_ms, int64_t upto_ms)
{
    static char source[] = "bench";
    for (size_t i = 0; i < ASSETS; i++) {
        const struct machine *m = &y->machines[i];
        for (size_t e = 0; e < m->now.n_events; e++) {
            struct demo_event *v = &m->now.events[e];
            int64_t id = 0;
            bool is_new = false;
            if (v->ts_ms <= after_ms || v->ts_ms > upto_ms || strcmp(v->kind, "replacement") == 0 ||
                (strcmp(v->kind, "failure") == 0 && book_on_order(y, m, v)))
                continue;
            struct event row = {
                .asset_id = m->id,
                .component_id = v->component >= 0 ? m->components[v->component] : 0,
                .ts_ms = v->ts_ms,
                .code = v->code,
                .downtime_ms =
                    v->downtime_h > 0 ? (int64_t)(v->downtime_h * (double)MS_PER_HOUR) : DB_NO_TIME,
                .cost_minor = v->cost > 0 ? money_from_major(v->cost, "EUR") : DB_NO_MONEY,
                .source = source};
            need(event_kind_parse(v->kind, &row.kind, &err));
            need(event_put(y->db, &row, &id, &is_new, &err));
        }
    }
}

/* --- the people ------------------------------------------------------------------------------- */

/* The planner does with the preventive plans what their verdicts say. */
static void follow_verdicts(struct year *y)
{
    struct snapshot s;
    struct jobs j;
    need(snapshot_load(y->db, START_MS, &s, &err));
    need(jobs_judge_plans(y->db, &s, &j, &err));
    for (size_t i = 0; i < j.n_plans; i++) {
        struct plan p = *j.plans[i].plan;
        const struct preventive_verdict *v = &j.plans[i].verdict;
        int64_t id = 0;
        if (v->advice == PREVENTIVE_KEEP || strcmp(p.action, "replacement") != 0)
            continue;
        if (v->advice == PREVENTIVE_STOP)
            p.is_active = false;
        else
            p.interval_ms = (int64_t)(v->best_interval_d * (double)MS_PER_DAY);
        y->n_stopped += v->advice == PREVENTIVE_STOP;
        y->n_changed += v->advice != PREVENTIVE_STOP;
        need(plan_put(y->db, &p, &id, &err));
    }
    jobs_free(&j);
    snapshot_free(&s);
}

static struct machine *machine_of(struct year *y, int64_t asset_id)
{
    for (size_t i = 0; i < ASSETS; i++)
        if (y->machines[i].id == asset_id)
            return &y->machines[i];
    return NULL;
}

/* Approves each case on the day on which its spare must be ordered to be there on the best day. */
static void approve(struct year *y, int64_t now_ms)
{
    struct snapshot s;
    need(snapshot_load(y->db, now_ms, &s, &err));
    for (size_t i = 0; i < s.n_forecasts; i++) {
        const struct forecast *f = &s.forecasts[i].f;
        const struct component *part = catalog_component(&s.catalog, f->component_id);
        const int64_t lead_ms = part != NULL ? part->spare_lead_ms : 0;
        const struct case_decision yes = {.action = CASE_APPROVE, .until_ms = DB_NO_TIME};
        for (size_t k = 0; k < s.cases.n; k++) {
            struct risk_case *c = &s.cases.items[k];
            struct snapshot_case now;
            if (c->asset_id != f->asset_id || c->component_id != f->component_id ||
                strcmp(c->state, "open") != 0)
                continue;
            snapshot_case(&s, f, &now);
            if (now.window.best * MS_PER_DAY > lead_ms + APPROVE_AHEAD_MS)
                continue;
            need(cases_decide(y->db, &s, c, &yes, &err));
            y->n_approved++;
        }
    }
    snapshot_free(&s);
}

/* The part that the work order names; of the asset as a whole the one with the clearest sign. */
static int part_of(const struct machine *m, const struct work_order *w, int64_t now_ms)
{
    int best = -1;
    for (size_t p = 0; p < m->now.cls->n_components; p++) {
        if (m->components[p] == w->component_id)
            return (int)p;
        if (best < 0 || demo_sign(demo_life_at(&m->now, p, now_ms), now_ms) >
                            demo_sign(demo_life_at(&m->now, (size_t)best, now_ms), now_ms))
            best = (int)p;
    }
    return best;
}

static void carry_out(struct year *y, struct work_order *w, int64_t now_ms)
{
    struct machine *m = machine_of(y, w->asset_id);
    const bool is_predictive = strcmp(w->kind, "predictive") == 0;
    if (m == NULL || (!is_predictive && w->component_id == 0)) { /* an inspection round */
        close_order(y, w, "nothing_found", NULL, 0, now_ms);
        return;
    }
    const int part = part_of(m, w, now_ms);
    const struct demo_component *c = &m->now.cls->components[part];
    const struct demo_life *l = demo_life_at(&m->now, (size_t)part, now_ms);
    if (is_predictive && demo_sign(l, now_ms) < VISIBLE) {
        y->n_looks++;
        close_order(y, w, "nothing_found", NULL, LOOK_COST, now_ms);
        return;
    }
    if (m->n_work == MAX_WORK || l->installed_ms >= now_ms)
        return;
    close_order(y, w, "confirmed", c->name, c->planned_repair, now_ms);
    m->work[m->n_work++] = (struct demo_work){part, now_ms};
    demo_asset_clear(&m->now);
    simulate(y, (size_t)(m - y->machines), m->work, m->n_work, &m->now);
}

/* What stands on the calendar for the day. */
static void do_day(struct year *y, int64_t day_ms, int64_t now_ms)
{
    const struct work_order_filter open = {.status = "draft,approved,scheduled"};
    struct work_order_list list = {0};
    need(work_order_list(y->db, &open, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        if (list.items[i].scheduled_ms >= day_ms &&
            list.items[i].scheduled_ms < day_ms + MS_PER_DAY)
            carry_out(y, &list.items[i], now_ms);
    work_order_list_free(&list);
}

/* --- the year --------------------------------------------------------------------------------- */

static void train(struct year *y, int64_t now_ms)
{
    const struct night_options o = {.seed = 1, .now_ms = now_ms};
    need(night_run(y->db, &o, NULL, NULL, NULL, NULL, &err));
}

static void begin(struct year *y, const char *path)
{
    struct demo_options past = y->o;
    struct demo_counts counts;
    past.n_days = HISTORY_DAYS;
    past.end_ms = START_MS;
    need(db_open_writer(path, true, &y->db, &err));
    need(demo_write(y->db, &past, y->pool, NULL, NULL, NULL, &counts, &err));
    need(db_setting_set(y->db, "plan_solver_seconds", "0", &err)); /* the heuristic alone: quick */
    need(site_use_zone(y->db, &err));
    for (size_t i = 0; i < ASSETS; i++) {
        static const struct demo_work none;
        simulate(y, i, &none, 0, &y->machines[i].now);
    }
    find_ids(y);
    train(y, START_MS);
    follow_verdicts(y);
}

static void live(struct year *y)
{
    int64_t before_ms = START_MS;
    for (int d = 0; d < YEAR_DAYS; d++) {
        const int64_t day_ms = START_MS + d * MS_PER_DAY;
        const int64_t now_ms = day_ms + 5 * MS_PER_HOUR;
        const struct planner_options options = {.now_ms = now_ms};
        struct planner_summary s;
        ingest_readings(y, before_ms, now_ms);
        ingest_events(y, before_ms, now_ms);
        before_ms = now_ms;
        if (d > 0 && d % RETRAIN_DAYS == 0)
            train(y, now_ms);
        else
            need(scoring_all(y->db, y->pool, now_ms, NULL, &err));
        need(planner_run(y->db, &options, &s, &err));
        approve(y, now_ms);
        do_day(y, day_ms, now_ms);
    }
}

static double less_than(const struct bill *a, const struct bill *b)
{
    return 100 * (1 - a->cost / b->cost);
}

/* Savings in per cent against the plant's rules and against run to failure. */
static void run_seed(uint64_t seed, double share[2])
{
    static struct year y;
    static const struct demo_work none;
    char folder[] = "/tmp/fettle-year-XXXXXX", path[80], cleanup[120];
    struct bill own = {0};
    memset(&y, 0, sizeof(y));
    if (mkdtemp(folder) == NULL)
        exit(1);
    snprintf(path, sizeof(path), "%s/year.db", folder);
    y.o = (struct demo_options){.seed = seed,
                                .n_assets = ASSETS,
                                .n_days = HISTORY_DAYS + YEAR_DAYS,
                                .step_ms = MS_PER_HOUR,
                                .end_ms = START_MS + YEAR_DAYS * MS_PER_DAY};
    const double start_s = clock_mono_s();
    need(pool_new(0, &y.pool, &err));
    const struct bill rules = bill_of(&y, NULL), failure = bill_of(&y, &none);
    begin(&y, path);
    live(&y);
    for (size_t i = 0; i < ASSETS; i++) {
        add_bill(&y.machines[i].now, &own);
        demo_asset_clear(&y.machines[i].now);
    }
    own.cost += (double)y.n_looks * LOOK_COST;
    share[0] = less_than(&own, &rules);
    share[1] = less_than(&own, &failure);
    printf(
        "seed %2llu: run to failure %4.0fk (%zu failures), own rules %4.0fk (%zu, %zu replaced), "
        "Fettle %4.0fk (%zu, %zu replaced, %zu cases approved, %zu looks in vain; %zu plans "
        "stopped, %zu changed): "
        "%.1f %% and %.1f %% less, %.0f s\n",
        (unsigned long long)seed, failure.cost / 1000, failure.n_failures, rules.cost / 1000,
        rules.n_failures, rules.n_replacements, own.cost / 1000, own.n_failures, own.n_replacements,
        y.n_approved, y.n_looks, y.n_stopped, y.n_changed, share[0], share[1],
        clock_mono_s() - start_s);
    fflush(stdout);
    db_close(y.db);
    pool_free(y.pool);
    snprintf(cleanup, sizeof(cleanup), "rm -rf %s", folder);
    if (system(cleanup) != 0)
        fprintf(stderr, "bench_year: cannot remove %s\n", folder);
}

int main(int argc, char **argv)
{
    static const char *const against[] = {"the plant's own rules", "run to failure"};
    const int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
    const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    double sum[2] = {0}, squares[2] = {0};
    for (int i = 0; i < n; i++) {
        double share[2];
        run_seed(first + (uint64_t)i, share);
        for (int k = 0; k < 2; k++) {
            sum[k] += share[k];
            squares[k] += share[k] * share[k];
        }
    }
    for (int k = 0; k < 2 && n > 0; k++) {
        const double mean = sum[k] / n;
        printf("closed loop against %-22s %5.1f %% less (sd %.1f over %d seeds)\n", against[k],
               mean, sqrt(fmax(0, squares[k] / n - mean * mean)), n);
    }
    return 0;
}
