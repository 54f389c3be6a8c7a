/* What a night does, in one process. The child of the server is in night_child.c. */
#include "app/night.h"

#include "app/night_report.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/history.h"
#include "app/ledger.h"
#include "app/planner/planner.h"
#include "app/registry.h"
#include "app/scoring.h"
#include "app/site.h"
#include "db/db.h"
#include "db/model_store.h"
#include "db/prediction_store.h"
#include "db/run_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RECIPES = 256, MIN_FAILURES = 3, N_CHANGES = 8, DEFAULT_HORIZON_UNITS = 30 };
#define LEASE_NAME "retrain"
/* A night that takes longer has died without giving its lease back. */
#define LEASE_MS (6 * MS_PER_HOUR)

/* --- recipes --- */

struct recipe {
    char class_name[256];
    bool is_rul;
    bool is_whole; /* failure of the asset as a whole, else every component */
    int64_t horizon_ms;
    double cap_units;
    char trusted[512]; /* what its champion was trained with; "" = nothing */
};

struct recipes {
    struct recipe items[MAX_RECIPES];
    size_t n;
};

static void add_recipe(struct recipes *list, const struct recipe *r)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].class_name, r->class_name) == 0 &&
            list->items[i].is_rul == r->is_rul && list->items[i].is_whole == r->is_whole)
            return; /* the newest champion of a kind comes first and gives horizon and cap */
    if (list->n < MAX_RECIPES)
        list->items[list->n++] = *r;
}

/* Cap and trusted columns of a champion. */
static void read_params(const struct model_row *row, struct recipe *r)
{
    cJSON *params = NULL;
    const char *trusted = "";
    if (row->params == NULL || json_parse(row->params, strlen(row->params), &params, NULL) != FT_OK)
        return;
    (void)json_number(params, "cap", false, &r->cap_units, NULL);
    (void)json_string(params, "trust", false, &trusted, NULL);
    if (!(r->cap_units > 0))
        r->cap_units = 0;
    if (strlen(trusted) < sizeof(r->trusted))
        (void)snprintf(r->trusted, sizeof(r->trusted), "%s", trusted);
    cJSON_Delete(params);
}

static enum ft_status recipes_of_champions(struct db *db, const struct asset_class *cls,
                                           struct recipes *list, struct ft_err *err)
{
    struct model_list models = {0};
    enum ft_status st = model_list(db, cls->id, NULL, "champion", &models, err);
    for (size_t i = 0; i < models.n && st == FT_OK; i++) {
        const struct model_row *m = &models.items[i];
        struct recipe r = {.is_rul = strcmp(m->target, "rul") == 0,
                           .is_whole = m->component_id == 0,
                           .horizon_ms = m->horizon_ms};
        read_params(m, &r);
        (void)snprintf(r.class_name, sizeof(r.class_name), "%s", cls->name);
        add_recipe(list, &r);
    }
    model_list_free(&models);
    return st;
}

/* Without a champion: what the data looks like it can carry. */
static enum ft_status recipe_of_data(struct db *db, const struct asset_class *cls,
                                     struct recipes *list, struct ft_err *err)
{
    struct history *h = NULL;
    struct recipe r = {.horizon_ms = DEFAULT_HORIZON_UNITS *
                                     (cls->cycle_ms > 0 ? cls->cycle_ms : MS_PER_DAY)};
    size_t n_ended = 0;
    size_t n_training = 0;
    enum ft_status st = history_load(db, cls->name, DB_NO_TIME, &h, err);
    if (st != FT_OK)
        return st == FT_TOO_FEW ? FT_OK : st;
    for (size_t a = 0; a < h->n_assets; a++) {
        n_training += !h->assets[a].is_held_out;
        n_ended += !h->assets[a].is_held_out && h->assets[a].is_ended;
    }
    r.is_rul = n_ended >= MIN_FAILURES && 2 * n_ended > n_training;
    r.is_whole = r.is_rul || h->n_components == 0;
    (void)snprintf(r.class_name, sizeof(r.class_name), "%s", cls->name);
    add_recipe(list, &r);
    history_free(h);
    return FT_OK;
}

static enum ft_status find_recipes(struct db *db, struct recipes *list, struct ft_err *err)
{
    struct asset_class_list classes = {0};
    enum ft_status st = class_list(db, &classes, err);
    for (size_t i = 0; i < classes.n && st == FT_OK; i++) {
        const size_t before = list->n;
        st = recipes_of_champions(db, &classes.items[i], list, err);
        if (st == FT_OK && list->n == before)
            st = recipe_of_data(db, &classes.items[i], list, err);
    }
    asset_class_list_free(&classes);
    return st;
}

/* --- training --- */

void night_result_free(struct night_result *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        train_result_free(r->results[i]);
    free(r->results);
    cJSON_Delete(r->skipped);
    free(r);
}

static enum ft_status train_recipe(struct db *db, const struct recipe *recipe,
                                   const struct night_options *options, struct pool *pool,
                                   bool (*is_interrupted)(void), train_progress progress, void *ctx,
                                   struct night_result *r, struct ft_err *err)
{
    const struct train_options o = {.class_name = recipe->class_name,
                                    .is_rul = recipe->is_rul,
                                    .component = recipe->is_whole ? NULL : "all",
                                    .horizon_ms = recipe->horizon_ms,
                                    .cap_units = recipe->cap_units,
                                    .until_ms = DB_NO_TIME,
                                    .trusted = recipe->trusted[0] != '\0' ? recipe->trusted : NULL,
                                    .seed = (uint64_t)options->seed};
    struct ft_err why = {0};
    if (progress != NULL)
        progress(ctx, recipe->class_name, 0, 0);
    const enum ft_status st =
        train_job_run(db, &o, pool, is_interrupted, progress, ctx, &r->results[r->n], &why);
    if (st == FT_OK) {
        r->n++;
        return FT_OK;
    }
    if (st != FT_TOO_FEW && st != FT_REFUSED)
        return ft_fail(err, st, "class %.100s: %.300s", recipe->class_name, why.msg);
    cJSON *item = json_add_object(r->skipped, NULL);
    json_add_string(item, "class", recipe->class_name);
    json_add_string(item, "target", recipe->is_rul ? "rul" : "failure");
    json_add_string(item, "reason", why.msg);
    return FT_OK;
}

enum ft_status night_train(struct db *reader, const struct night_options *options,
                           bool (*is_interrupted)(void), train_progress progress, void *ctx,
                           struct night_result **out, struct ft_err *err)
{
    struct pool *pool = NULL;
    struct recipes *list = calloc(1, sizeof(*list));
    struct night_result *r = calloc(1, sizeof(*r));
    const double start = clock_mono_s();
    enum ft_status st = FT_OK;
    *out = NULL;
    if (list == NULL || r == NULL || (r->skipped = cJSON_CreateArray()) == NULL)
        st = ft_fail(err, FT_NOMEM, "night: no memory");
    if (st == FT_OK)
        st = pool_new(options->n_threads, &pool, err);
    if (st == FT_OK)
        st = find_recipes(reader, list, err);
    if (st == FT_OK) {
        r->results = calloc(list->n + 1, sizeof(struct train_result *));
        if (r->results == NULL)
            st = ft_fail(err, FT_NOMEM, "night: no memory");
    }
    for (size_t i = 0; st == FT_OK && i < list->n; i++)
        st = train_recipe(reader, &list->items[i], options, pool, is_interrupted, progress, ctx, r,
                          err);
    if (st == FT_OK) {
        r->seconds = clock_mono_s() - start;
        r->cores_used = r->seconds > 0 ? pool_busy_s(pool) / r->seconds : 0;
        *out = r;
        r = NULL;
    }
    pool_free(pool);
    night_result_free(r);
    free(list);
    return st;
}

/* --- applying --- */

/* Chance of failure within 30 days (30 cycles) of each asset as a whole. */
struct risks {
    int64_t *asset_id;
    double *p;
    size_t n;
};

static void risks_clear(struct risks *r)
{
    free(r->asset_id);
    free(r->p);
    *r = (struct risks){0};
}

static enum ft_status risks_load(struct db *db, struct risks *out, struct ft_err *err)
{
    struct forecast_row_list rows = {0};
    *out = (struct risks){0};
    enum ft_status st = forecast_list(db, 0, 0, &rows, err);
    if (st != FT_OK)
        return st;
    out->asset_id = calloc(rows.n + 1, sizeof(*out->asset_id));
    out->p = calloc(rows.n + 1, sizeof(*out->p));
    if (out->asset_id == NULL || out->p == NULL)
        st = ft_fail(err, FT_NOMEM, "night: no memory");
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        struct forecast f;
        cJSON *json = NULL;
        if (rows.items[i].component_id != 0 ||
            json_parse(rows.items[i].body, strlen(rows.items[i].body), &json, NULL) != FT_OK)
            continue;
        if (forecast_from_json(json, &f, NULL) == FT_OK && f.n_horizons > 0) {
            out->asset_id[out->n] = rows.items[i].asset_id;
            out->p[out->n++] = forecast_probability(&f, 30 * MS_PER_DAY);
        }
        cJSON_Delete(json);
    }
    forecast_row_list_free(&rows);
    return st;
}

struct change {
    int64_t asset_id;
    double before, after;
};

static int compare_changes(const void *pa, const void *pb)
{
    const struct change *a = pa;
    const struct change *b = pb;
    const double da = fabs(a->after - a->before);
    const double db = fabs(b->after - b->before);
    if (da != db)
        return da > db ? -1 : 1;
    return a->asset_id < b->asset_id ? -1 : a->asset_id > b->asset_id;
}

/* The assets whose chance of failure changed most over the night. */
static void put_changes(struct db *db, const struct risks *before, const struct risks *after,
                        cJSON *report)
{
    struct change *changes = calloc(after->n + 1, sizeof(*changes));
    size_t n = 0;
    cJSON *list = json_add_array(report, "changes");
    for (size_t i = 0; changes != NULL && i < after->n; i++)
        for (size_t k = 0; k < before->n; k++)
            if (before->asset_id[k] == after->asset_id[i])
                changes[n++] = (struct change){after->asset_id[i], before->p[k], after->p[i]};
    if (n > 0)
        qsort(changes, n, sizeof(*changes), compare_changes);
    for (size_t i = 0; i < n && i < N_CHANGES; i++) {
        struct asset asset;
        if (fabs(changes[i].after - changes[i].before) < 0.005 ||
            asset_get(db, changes[i].asset_id, &asset, NULL) != FT_OK)
            continue;
        cJSON *item = json_add_object(list, NULL);
        json_add_string(item, "asset", asset.key);
        json_add_number(item, "p_before", changes[i].before);
        json_add_number(item, "p_after", changes[i].after);
        asset_clear(&asset);
    }
    free(changes);
}

/* All models of the night in one transaction: a crash leaves the old champions. */
static enum ft_status store_results(struct db *db, struct night_result *r, int64_t run_id,
                                    int64_t now_ms, struct registry_counts *counts,
                                    struct ft_err *err)
{
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < r->n && st == FT_OK; i++)
        st = registry_apply(db, r->results[i], run_id, REGISTRY_NIGHT, now_ms, counts, err);
    if (st == FT_OK)
        return db_commit(db, err);
    db_rollback(db);
    return st;
}

/* Seconds since *start, which becomes now. */
static double lap(double *start)
{
    const double now = clock_mono_s();
    const double seconds = now - *start;
    *start = now;
    return seconds;
}

static enum ft_status write_all(struct db *db, struct night_result *r,
                                const struct night_options *o, int64_t run_id, cJSON *report,
                                struct ft_err *err)
{
    struct site site;
    struct registry_counts counts = {0};
    struct planner_summary plan = {0};
    struct risks before = {0};
    struct risks after = {0};
    struct pool *pool = NULL;
    size_t n_forecasts = 0;
    enum ft_status st = site_load(db, &site, err);
    const int64_t now = o->now_ms != 0 ? o->now_ms : site.now_ms;
    const struct planner_options planning = {.now_ms = now};
    struct night_times t = {.train_s = r->seconds};
    double start = clock_mono_s();
    if (st == FT_OK)
        st = risks_load(db, &before, err);
    if (st == FT_OK)
        st = store_results(db, r, run_id, now, &counts, err);
    t.store_s = lap(&start);
    if (st == FT_OK)
        st = pool_new(o->n_threads, &pool, err);
    if (st == FT_OK)
        st = scoring_all(db, pool, now, &n_forecasts, err);
    if (st == FT_OK)
        st = risks_load(db, &after, err);
    t.score_s = lap(&start);
    if (st == FT_OK)
        st = planner_run(db, &planning, &plan, err);
    t.plan_s = lap(&start);
    if (st == FT_OK) {
        json_add_instant(report, "now", now);
        night_report_training(db, r, &counts, report);
        night_report_stages(db, &t, &counts, n_forecasts, &plan, report);
        put_changes(db, &before, &after, report);
    }
    pool_free(pool);
    risks_clear(&before);
    risks_clear(&after);
    return st;
}

enum ft_status night_write(struct db *db, struct night_result *r,
                           const struct night_options *options, char **report, struct ft_err *err)
{
    int64_t run_id = options->run_id;
    cJSON *json = cJSON_CreateObject();
    enum ft_status st = json == NULL ? ft_fail(err, FT_NOMEM, "night: no memory") : FT_OK;
    if (report != NULL)
        *report = NULL;
    if (st == FT_OK && run_id == 0)
        st = run_start(db, "retrain", &run_id, err);
    if (st == FT_OK) {
        st = write_all(db, r, options, run_id, json, err);
        json_add_int(json, "run_id", run_id);
        char *text = st == FT_OK ? json_print(json, false) : NULL;
        struct ft_err ignored;
        if (st == FT_OK)
            st = run_finish(db, run_id, "done", text, err);
        else
            (void)run_finish(db, run_id, "failed", NULL, &ignored);
        if (st == FT_OK && report != NULL)
            *report = text;
        else
            free(text);
    }
    cJSON_Delete(json);
    return st;
}

/* --- lease and the whole night --- */

enum ft_status night_lease_take(struct db *db, const char *holder, struct ft_err *err)
{
    const int64_t now = clock_now_ms();
    return lease_take(db, LEASE_NAME, holder, now, now + LEASE_MS, err);
}

void night_lease_release(struct db *db, const char *holder)
{
    (void)lease_release(db, LEASE_NAME, holder, NULL);
}

int64_t night_last_ms(struct db *db)
{
    enum { LOOK_BACK = 50 };
    struct run_list list = {0};
    int64_t last = DB_NO_TIME;
    if (run_list(db, "retrain", LOOK_BACK, &list, NULL) != FT_OK)
        return DB_NO_TIME;
    for (size_t i = 0; i < list.n && last == DB_NO_TIME; i++)
        if (strcmp(list.items[i].state, "done") == 0)
            last = list.items[i].started_ms;
    run_list_free(&list);
    return last;
}

enum ft_status night_run(struct db *db, const struct night_options *options,
                         bool (*is_interrupted)(void), train_progress progress, void *ctx,
                         char **report, struct ft_err *err)
{
    struct night_options o = *options;
    struct night_result *r = NULL;
    enum ft_status st = FT_OK;
    if (report != NULL)
        *report = NULL;
    if (o.run_id == 0)
        st = run_start(db, "retrain", &o.run_id, err);
    if (st != FT_OK)
        return st;
    st = night_train(db, &o, is_interrupted, progress, ctx, &r, err);
    if (st == FT_OK)
        st = night_write(db, r, &o, report, err);
    else
        (void)run_finish(db, o.run_id, st == FT_INTERRUPTED ? "interrupted" : "failed", NULL, NULL);
    night_result_free(r);
    return st;
}
