/* Assets are simulated in parallel a batch at a time (the batch bounds memory) and written in order
 * by this thread, so the file does not depend on the number of threads. */
#include "app/demo/demo.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/reading_store.h"
#include "db/work_order_store.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char currency[] = "EUR";

enum { BATCH = 16 };

struct batch {
    const struct demo_options *o;
    size_t first;
    struct demo_asset assets[BATCH];
    enum ft_status status[BATCH];
    struct ft_err err[BATCH];
};

static void simulate_one(void *ctx, size_t i)
{
    struct batch *b = ctx;
    b->status[i] = demo_asset_simulate(b->o, b->first + i, NULL, &b->assets[i], &b->err[i]);
}

/* --- classes, components, plans ------------------------------------------------------------------
 */

static enum ft_status write_component(struct db *db, int64_t class_id,
                                      const struct demo_component *c, struct ft_err *err)
{
    int64_t id;
    enum ft_status st = component_ensure(db, class_id, c->name, &id, err);
    if (st != FT_OK)
        return st;
    const struct component row = {
        .id = id,
        .class_id = class_id,
        .name = (char *)c->name,
        .unplanned_h = c->unplanned_h,
        .planned_h = c->planned_h,
        .unplanned_repair_minor = money_from_major(c->unplanned_repair, currency),
        .planned_repair_minor = money_from_major(c->planned_repair, currency),
        .spare = (char *)c->spare,
        .spare_lead_ms = c->spare_lead_d * MS_PER_DAY,
        .skill = (char *)c->skill};
    return component_update(db, &row, err);
}

static enum ft_status write_plan(struct db *db, const struct demo_options *o, int64_t class_id,
                                 const struct demo_class *cls, size_t part, struct ft_err *err)
{
    const struct demo_component *c = &cls->components[part];
    char key[64];
    char name[128];
    int64_t component_id;
    enum ft_status st = component_ensure(db, class_id, c->name, &component_id, err);
    if (st != FT_OK || c->interval_d <= 0)
        return st;
    snprintf(key, sizeof(key), "PM-%s-%s", cls->name, c->name);
    snprintf(name, sizeof(name), "%s", c->plan_name);
    const struct plan row = {.key = key,
                             .name = name,
                             .class_id = class_id,
                             .component_id = component_id,
                             .action = (char *)"replacement",
                             .interval_ms = (int64_t)(c->interval_d * (double)MS_PER_DAY),
                             .tolerance_ms = 7 * MS_PER_DAY,
                             .anchor_ms = o->end_ms - (int64_t)o->n_days * MS_PER_DAY,
                             .is_floating = true,
                             .duration_h = c->planned_h,
                             .cost_minor = money_from_major(c->planned_repair, currency),
                             .skill = (char *)c->skill,
                             .is_active = true};
    int64_t id;
    return plan_put(db, &row, &id, err);
}

static enum ft_status write_class(struct db *db, const struct demo_options *o,
                                  const struct demo_class *cls, struct ft_err *err)
{
    int64_t id;
    enum ft_status st = class_ensure(db, cls->name, &id, err);
    if (st != FT_OK)
        return st;
    const struct asset_class row = {.id = id,
                                    .name = (char *)cls->name,
                                    .downtime_minor_per_h =
                                        money_from_major(cls->downtime_per_h, currency),
                                    .false_alarm_minor = money_from_major(450, currency)};
    st = class_update(db, &row, err);
    for (size_t p = 0; p < cls->n_components && st == FT_OK; p++)
        st = write_component(db, id, &cls->components[p], err);
    for (size_t p = 0; p < cls->n_components && st == FT_OK; p++)
        st = write_plan(db, o, id, cls, p, err);
    return st;
}

/* --- crews and calendar --------------------------------------------------------------------------
 */

static enum ft_status write_crews(struct db *db, struct ft_err *err)
{
    static const struct {
        const char *name, *skills;
        double hours;
        double rate;
    } crews[] = {{"Mech A", "mechanical", 8, 62},
                 {"Mech B", "mechanical", 8, 62},
                 {"Electrical", "electrical", 8, 68},
                 {"Rounds", "inspection", 4, 55}};
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < sizeof(crews) / sizeof(crews[0]) && st == FT_OK; i++) {
        const struct crew row = {.name = (char *)crews[i].name,
                                 .skills = (char *)crews[i].skills,
                                 .hours_per_day = crews[i].hours,
                                 .weekdays = 62, /* Monday to Friday */
                                 .rate_minor_per_h = money_from_major(crews[i].rate, currency)};
        int64_t id;
        st = crew_put(db, &row, &id, err);
    }
    return st;
}

/* A production stop every second Friday, and one week in which one crew is away. */
static enum ft_status write_calendar(struct db *db, const struct demo_options *o,
                                     struct ft_err *err)
{
    enum ft_status st = FT_OK;
    int64_t id;
    const int64_t today_ms = clock_local_midnight(o->end_ms);
    for (int d = 0, n_fridays = 0; d < 120 && st == FT_OK; d++) {
        const int64_t day_ms = clock_local_add_days(today_ms, d);
        if (clock_to_local(day_ms).weekday != 5 || n_fridays++ % 2 == 0)
            continue;
        const struct calendar_entry stop = {.kind = CALENDAR_STOP,
                                            .start_ms = day_ms,
                                            .end_ms = clock_local_add_days(day_ms, 1),
                                            .note = (char *)"Production stop"};
        st = calendar_put(db, &stop, &id, err);
    }
    struct crew_list crews = {0};
    if (st == FT_OK)
        st = crew_list(db, &crews, err);
    for (size_t i = 0; i < crews.n && st == FT_OK; i++) {
        if (strcmp(crews.items[i].name, "Electrical") != 0)
            continue;
        const struct calendar_entry away = {.kind = CALENDAR_CREW_AWAY,
                                            .start_ms = clock_local_add_days(today_ms, 18),
                                            .end_ms = clock_local_add_days(today_ms, 20),
                                            .crew_id = crews.items[i].id,
                                            .note = (char *)"Training"};
        st = calendar_put(db, &away, &id, err);
    }
    crew_list_free(&crews);
    return st;
}

static enum ft_status write_settings(struct db *db, const struct demo_options *o,
                                     struct ft_err *err)
{
    char seed[32];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)o->seed);
    enum ft_status st = db_setting_set(db, "site_name", "Nordhafen Paper (demo plant)", err);
    if (st == FT_OK)
        st = db_setting_set(db, "currency", currency, err);
    return st == FT_OK ? db_setting_set(db, "demo_seed", seed, err) : st;
}

/* Everything that is not an asset, in one transaction. */
static enum ft_status write_frame(struct db *db, const struct demo_options *o, struct ft_err *err)
{
    struct asset_list assets = {0};
    enum ft_status st = asset_list(db, 0, &assets, err);
    const size_t n = assets.n;
    asset_list_free(&assets);
    if (st != FT_OK)
        return st;
    if (n > 0)
        return ft_fail(err, FT_CONFLICT,
                       "%s already holds %zu assets; the demo plant needs a new file", db_path(db),
                       n);
    st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    size_t n_classes;
    const struct demo_class *classes = demo_classes(&n_classes);
    st = write_settings(db, o, err);
    for (size_t c = 0; c < n_classes && st == FT_OK; c++)
        st = write_class(db, o, &classes[c], err);
    if (st == FT_OK)
        st = write_crews(db, err);
    if (st == FT_OK)
        st = write_calendar(db, o, err);
    if (st == FT_OK)
        return db_commit(db, err);
    db_rollback(db);
    return st;
}

/* --- assets --------------------------------------------------------------------------------------
 */

static enum ft_status write_sensors(struct db *db, const struct demo_asset *a, int64_t asset_id,
                                    int64_t *ts_ms, double *value, struct demo_counts *counts,
                                    struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t j = 0; j < a->cls->n_sensors && st == FT_OK; j++) {
        const struct demo_sensor *s = &a->cls->sensors[j];
        struct sensor row = {.asset_id = asset_id,
                             .name = (char *)s->name,
                             .unit = (char *)s->unit,
                             .role = s->is_setting ? SENSOR_ROLE_SETTING : SENSOR_ROLE_SENSOR,
                             .low = NAN,
                             .high = NAN,
                             .rollover = NAN};
        st = sensor_ensure(db, asset_id, s->name, &row.id, err);
        if (st == FT_OK)
            st = sensor_update(db, &row, err);
        size_t n = 0;
        for (size_t i = 0; i < a->n_steps; i++) {
            if (isnan(a->values[j][i]))
                continue;
            ts_ms[n] = a->start_ms + (int64_t)i * a->step_ms;
            value[n++] = a->values[j][i];
        }
        struct reading_counts r = {0};
        if (st == FT_OK)
            st = reading_put(db, row.id, ts_ms, value, n, &r, err);
        counts->n_readings += r.n_new;
        counts->n_sensors++;
    }
    return st;
}

static enum ft_status write_events(struct db *db, const struct demo_asset *a, int64_t asset_id,
                                   int64_t class_id, struct demo_counts *counts, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < a->n_events && st == FT_OK; i++) {
        const struct demo_event *e = &a->events[i];
        struct event row = {
            .asset_id = asset_id,
            .ts_ms = e->ts_ms,
            .code = (char *)e->code,
            .downtime_ms =
                e->downtime_h > 0 ? (int64_t)(e->downtime_h * (double)MS_PER_HOUR) : DB_NO_TIME,
            .cost_minor = e->cost > 0 ? money_from_major(e->cost, currency) : DB_NO_MONEY,
            .source = (char *)"demo"};
        st = event_kind_parse(e->kind, &row.kind, err);
        if (st == FT_OK && e->component >= 0)
            st = component_ensure(db, class_id, a->cls->components[e->component].name,
                                  &row.component_id, err);
        int64_t id;
        bool is_new;
        if (st == FT_OK)
            st = event_put(db, &row, &id, &is_new, err);
        counts->n_events++;
        counts->n_failures += row.kind == EVENT_FAILURE;
    }
    return st;
}

/* Conveyors are looked at every four weeks, each on a day of its own. */
static enum ft_status write_round(struct db *db, const struct demo_asset *a, int64_t asset_id,
                                  struct ft_err *err)
{
    char key[64];
    snprintf(key, sizeof(key), "PM-%s-round", a->key);
    const struct plan row = {.key = key,
                             .name = (char *)"Inspection round",
                             .asset_id = asset_id,
                             .action = (char *)"inspection",
                             .interval_ms = 28 * MS_PER_DAY,
                             .tolerance_ms = 5 * MS_PER_DAY,
                             .anchor_ms = a->start_ms + asset_id * 5 % 28 * MS_PER_DAY,
                             .is_floating = false,
                             .duration_h = 1,
                             .cost_minor = money_from_major(20, currency),
                             .skill = (char *)"inspection",
                             .is_active = true};
    int64_t id;
    return plan_put(db, &row, &id, err);
}

static enum ft_status write_asset(struct db *db, const struct demo_asset *a, int64_t *ts_ms,
                                  double *value, struct demo_counts *counts, struct ft_err *err)
{
    char year[16];
    struct asset row = {.downtime_minor_per_h = DB_NO_MONEY};
    int64_t id;
    enum ft_status st = asset_ensure(db, a->key, a->cls->name, &id, err);
    if (st == FT_OK)
        st = asset_get(db, id, &row, err);
    if (st != FT_OK)
        return st;
    struct asset changed = row;
    changed.name = (char *)a->name;
    changed.area = (char *)a->area;
    changed.commissioned_ms = a->commissioned_ms;
    st = asset_update(db, &changed, err);
    snprintf(year, sizeof(year), "%d", a->year_built);
    if (st == FT_OK)
        st = asset_attribute_set(db, id, "model", a->model, err);
    if (st == FT_OK)
        st = asset_attribute_set(db, id, "year_built", year, err);
    if (st == FT_OK)
        st = write_sensors(db, a, id, ts_ms, value, counts, err);
    if (st == FT_OK)
        st = write_events(db, a, id, row.class_id, counts, err);
    if (st == FT_OK && strcmp(a->cls->name, "conveyor_drive") == 0)
        st = write_round(db, a, id, err);
    asset_clear(&row);
    counts->n_assets++;
    return st;
}

static enum ft_status write_batch(struct db *db, struct batch *b, size_t n, int64_t *ts_ms,
                                  double *value, struct demo_counts *counts, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        if (b->status[i] != FT_OK) {
            st = ft_fail(err, b->status[i], "%s", b->err[i].msg);
            break;
        }
        st = db_begin(db, err);
        if (st != FT_OK)
            break;
        st = write_asset(db, &b->assets[i], ts_ms, value, counts, err);
        if (st == FT_OK)
            st = db_commit(db, err);
        else
            db_rollback(db);
    }
    for (size_t i = 0; i < n; i++)
        if (b->status[i] == FT_OK)
            demo_asset_clear(&b->assets[i]);
    return st;
}

enum ft_status demo_write(struct db *db, const struct demo_options *o, struct pool *pool,
                          bool (*is_interrupted)(void), demo_progress progress, void *ctx,
                          struct demo_counts *counts, struct ft_err *err)
{
    *counts = (struct demo_counts){0};
    enum ft_status st = demo_options_check(o, err);
    if (st == FT_OK)
        st = write_frame(db, o, err);
    if (st != FT_OK)
        return st;
    const size_t n_steps = (size_t)((int64_t)o->n_days * MS_PER_DAY / o->step_ms) + 1;
    int64_t *ts_ms = calloc(n_steps, sizeof(*ts_ms));
    double *value = calloc(n_steps, sizeof(*value));
    struct batch *b = calloc(1, sizeof(*b));
    if (ts_ms == NULL || value == NULL || b == NULL)
        st = ft_fail(err, FT_NOMEM, "demo: no memory for %zu readings", n_steps);
    for (size_t first = 0; first < o->n_assets && st == FT_OK; first += BATCH) {
        const size_t n = o->n_assets - first < BATCH ? o->n_assets - first : BATCH;
        b->o = o;
        b->first = first;
        pool_run(pool, n, simulate_one, b);
        st = write_batch(db, b, n, ts_ms, value, counts, err);
        if (progress != NULL)
            progress(ctx, first + n);
        if (st == FT_OK && is_interrupted != NULL && is_interrupted())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted after %zu of %zu assets", first + n,
                         o->n_assets);
    }
    free(ts_ms);
    free(value);
    free(b);
    return st;
}

/* --- CSV -----------------------------------------------------------------------------------------
 */

struct csv_files {
    FILE *assets, *failures, *replacements, *alarms;
    FILE *readings[8];
};

static enum ft_status open_csv(const char *folder, const char *name, const char *header, FILE **out,
                               struct ft_err *err)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    *out = fopen(path, "w");
    if (*out == NULL)
        return ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    fputs(header, *out);
    return FT_OK;
}

static enum ft_status open_all(const char *folder, struct csv_files *f, struct ft_err *err)
{
    size_t n;
    const struct demo_class *classes = demo_classes(&n);
    enum ft_status st =
        open_csv(folder, "assets.csv", "asset,class,name,area,commissioned,model,year_built\n",
                 &f->assets, err);
    if (st == FT_OK)
        st = open_csv(folder, "failures.csv", "time,asset,component,code\n", &f->failures, err);
    if (st == FT_OK)
        st = open_csv(folder, "replacements.csv", "time,asset,component,code\n", &f->replacements,
                      err);
    if (st == FT_OK)
        st = open_csv(folder, "alarms.csv", "time,asset,code\n", &f->alarms, err);
    for (size_t c = 0; c < n && st == FT_OK; c++) {
        char name[64];
        snprintf(name, sizeof(name), "readings_%s.csv", classes[c].name);
        st = open_csv(folder, name, "time,asset", &f->readings[c], err);
        for (size_t j = 0; j < classes[c].n_sensors && st == FT_OK; j++)
            fprintf(f->readings[c], ",%s%s", classes[c].sensors[j].name,
                    j + 1 == classes[c].n_sensors ? "\n" : "");
    }
    return st;
}

static enum ft_status close_all(struct csv_files *f, enum ft_status st, struct ft_err *err)
{
    FILE *all[4 + 8] = {f->assets, f->failures, f->replacements, f->alarms};
    memcpy(all + 4, f->readings, sizeof(f->readings));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] != NULL && fclose(all[i]) != 0 && st == FT_OK)
            st = ft_fail(err, FT_IO, "a demo CSV file cannot be written: %s", strerror(errno));
    return st;
}

static void put_csv_asset(const struct csv_files *f, size_t class_index, const struct demo_asset *a,
                          struct demo_counts *counts)
{
    char when[CLOCK_TEXT_SIZE];
    clock_format_utc(a->commissioned_ms, when);
    fprintf(f->assets, "%s,%s,%s,%s,%s,%s,%d\n", a->key, a->cls->name, a->name, a->area, when,
            a->model, a->year_built);
    for (size_t i = 0; i < a->n_steps; i++) {
        clock_format_utc(a->start_ms + (int64_t)i * a->step_ms, when);
        fprintf(f->readings[class_index], "%s,%s", when, a->key);
        for (size_t j = 0; j < a->cls->n_sensors; j++) {
            if (isnan(a->values[j][i]))
                fputc(',', f->readings[class_index]);
            else
                fprintf(f->readings[class_index], ",%.10g", a->values[j][i]);
            counts->n_readings += !isnan(a->values[j][i]);
        }
        fputc('\n', f->readings[class_index]);
    }
    for (size_t i = 0; i < a->n_events; i++) {
        const struct demo_event *e = &a->events[i];
        clock_format_utc(e->ts_ms, when);
        if (e->component < 0) {
            fprintf(f->alarms, "%s,%s,%s\n", when, a->key, e->code);
            continue;
        }
        const bool failed = strcmp(e->kind, "failure") == 0;
        fprintf(failed ? f->failures : f->replacements, "%s,%s,%s,%s\n", when, a->key,
                a->cls->components[e->component].name, e->code);
        counts->n_failures += failed;
    }
    counts->n_assets++;
    counts->n_sensors += a->cls->n_sensors;
    counts->n_events += a->n_events;
}

enum ft_status demo_write_csv(const char *folder, const struct demo_options *o,
                              struct demo_counts *counts, struct ft_err *err)
{
    struct csv_files f = {0};
    size_t n_classes;
    const struct demo_class *classes = demo_classes(&n_classes);
    *counts = (struct demo_counts){0};
    enum ft_status st = demo_options_check(o, err);
    if (st != FT_OK)
        return st;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return ft_fail(err, FT_IO, "%s: %s", folder, strerror(errno));
    st = open_all(folder, &f, err);
    for (size_t i = 0; i < o->n_assets && st == FT_OK; i++) {
        struct demo_asset a;
        st = demo_asset_simulate(o, i, NULL, &a, err);
        if (st != FT_OK)
            break;
        put_csv_asset(&f, (size_t)(a.cls - classes), &a, counts);
        demo_asset_clear(&a);
    }
    return close_all(&f, st, err);
}

enum ft_status demo_write_truth(const char *path, const struct demo_options *o, struct ft_err *err)
{
    enum ft_status st = demo_options_check(o, err);
    if (st != FT_OK)
        return st;
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    fputs("asset,component,installed,fails,wear,sign,silent\n", f);
    for (size_t i = 0; i < o->n_assets && st == FT_OK; i++) {
        struct demo_asset a;
        st = demo_asset_simulate(o, i, NULL, &a, err);
        for (size_t p = 0; st == FT_OK && p < a.cls->n_components; p++) {
            char installed[CLOCK_TEXT_SIZE];
            char fails[CLOCK_TEXT_SIZE];
            clock_format_utc(a.truth[p].installed_ms, installed);
            clock_format_utc(a.truth[p].fails_ms, fails);
            fprintf(f, "%s,%s,%s,%s,%.3f,%.3f,%d\n", a.key, a.cls->components[p].name, installed,
                    fails, a.truth[p].wear, a.truth[p].sign, a.truth[p].is_silent);
        }
        if (st == FT_OK)
            demo_asset_clear(&a);
    }
    if (fclose(f) != 0 && st == FT_OK)
        st = ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    return st;
}
