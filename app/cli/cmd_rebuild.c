/* fettle rebuild: drops what is derived and computes it again from the raw facts. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/retention.h"
#include "app/scoring.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/prediction_store.h"

#include <stdio.h>

/* Hours of readings that can be computed again. */
static enum ft_status rebuild_hours(struct db *db, struct retention *r, struct ft_err *err)
{
    enum ft_status st = reading_tier_forget(db, err);
    while (st == FT_OK && !r->is_done)
        st = retention_step(db, r, err);
    return st;
}

/* forecast_replace() with no row empties a class. */
static enum ft_status drop_forecasts(struct db *db, struct ft_err *err)
{
    struct asset_class_list classes = {0};
    enum ft_status st = class_list(db, &classes, err);
    if (st == FT_OK)
        st = db_begin(db, err);
    if (st == FT_OK) {
        for (size_t i = 0; i < classes.n && st == FT_OK; i++)
            st = forecast_replace(db, classes.items[i].id, NULL, 0, clock_now_ms(), err);
        if (st == FT_OK)
            st = db_commit(db, err);
        else
            db_rollback(db);
    }
    asset_class_list_free(&classes);
    return st;
}

static enum ft_status run_rebuild(bool as_json, struct ft_err *err)
{
    struct db *db = NULL;
    struct pool *pool = NULL;
    size_t n = 0;
    struct site site;
    struct retention hours = {.now_ms = clock_now_ms()};
    const double start = clock_mono_s();
    enum ft_status st = db_open_writer(cli_db_path(), false, &db, err);
    if (st == FT_OK)
        st = site_use_zone(db, err);
    if (st == FT_OK)
        st = site_load(db, &site, err);
    if (st == FT_OK)
        st = pool_new(0, &pool, err);
    if (st == FT_OK)
        st = drop_forecasts(db, err);
    if (st == FT_OK)
        st = scoring_all(db, pool, site.now_ms, &n, err);
    if (st == FT_OK)
        st = rebuild_hours(db, &hours, err);
    if (st == FT_OK && as_json) {
        cJSON *out = cJSON_CreateObject();
        json_add_int(out, "forecasts", (int64_t)n);
        json_add_int(out, "hours", hours.counts.n_hours);
        json_add_number(out, "seconds", clock_mono_s() - start);
        (void)cli_print_json(out);
        cJSON_Delete(out);
    } else if (st == FT_OK) {
        printf("%zu forecasts and %lld hours of readings rebuilt in %.1f s\n", n,
               (long long)hours.counts.n_hours, clock_mono_s() - start);
    }
    pool_free(pool);
    db_close(db);
    return st;
}

int cmd_rebuild(int argc, char **argv)
{
    bool as_json = false;
    const struct cli_flag flags[] = {{"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle rebuild",
        .synopsis = "fettle rebuild [--json]",
        .text = "Raw facts, models, work orders and the ledger are never touched.",
        .flags = flags,
        .n_flags = 1};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    struct ft_err err = {0};
    const enum ft_status st = run_rebuild(as_json, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
