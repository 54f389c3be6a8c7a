/* fettle demo: a seeded plant with known truth: makes it, trains, plans. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/pool.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/demo/demo.h"
#include "app/night.h"
#include "db/db.h"

#include <stdio.h>

struct demo_flags {
    int64_t seed, n_assets, n_days, step_ms, end_ms;
    const char *truth, *csv;
    bool no_train, as_json;
};

static void on_asset(void *ctx, size_t done)
{
    cli_progress_set(ctx, (int64_t)done);
}

static int write_files(const struct demo_flags *f, const struct demo_options *o)
{
    struct ft_err err;
    struct demo_counts counts;
    if (demo_write_csv(f->csv, o, &counts, &err) != FT_OK)
        return cli_fail(&err);
    fprintf(stderr, "wrote %zu assets, %lld readings, %zu failures to %s\n", counts.n_assets,
            (long long)counts.n_readings, counts.n_failures, f->csv);
    return 0;
}

static enum ft_status make_plant(const struct demo_options *o, struct db *db, struct pool *pool,
                                 struct demo_counts *counts, struct ft_err *err)
{
    struct cli_progress *bar =
        cli_progress_new("Making the demo plant", (int64_t)o->n_assets, "assets");
    const enum ft_status st =
        demo_write(db, o, pool, cli_is_interrupted, on_asset, bar, counts, err);
    cli_progress_end(bar);
    return st;
}

/* The bar of the training: the class in hand, fits done. Called from the pool's threads. */
static void on_training(void *ctx, const char *stage, size_t done, size_t total)
{
    if (done <= 1) {
        char what[96];
        snprintf(what, sizeof(what), "Training %s", stage);
        cli_progress_stage(ctx, what, (int64_t)total);
    }
    cli_progress_set(ctx, (int64_t)done);
}

/* What a night does, once: trains every class, promotes, forecasts, plans. */
static enum ft_status train_and_plan(struct db *db, const struct demo_flags *f, struct ft_err *err)
{
    const struct night_options o = {.seed = f->seed};
    struct cli_progress *bar = cli_progress_new("Training", 0, "fits");
    const enum ft_status st = night_run(db, &o, cli_is_interrupted, on_training, bar, NULL, err);
    cli_progress_end(bar);
    return st;
}

static enum ft_status make_database(const struct demo_flags *f, const struct demo_options *o,
                                    struct pool *pool, struct demo_counts *counts,
                                    struct ft_err *err)
{
    struct db *db = NULL;
    enum ft_status st = db_open_writer(cli_db_path(), true, &db, err);
    if (st == FT_OK)
        st = make_plant(o, db, pool, counts, err);
    if (st == FT_OK && f->truth != NULL)
        st = demo_write_truth(f->truth, o, err);
    if (st == FT_OK && !f->no_train)
        st = train_and_plan(db, f, err);
    db_close(db);
    return st;
}

static int report(const struct demo_flags *f, const struct demo_counts *n, double seconds)
{
    if (!f->as_json) {
        printf("Demo plant in %s: %zu assets, %zu sensors, %lld readings, %zu events of which %zu "
               "failures, in %.1f s.\n",
               cli_db_path(), n->n_assets, n->n_sensors, (long long)n->n_readings, n->n_events,
               n->n_failures, seconds);
        return 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "db", cli_db_path());
    json_add_int(out, "seed", f->seed);
    json_add_int(out, "assets", (int64_t)n->n_assets);
    json_add_int(out, "sensors", (int64_t)n->n_sensors);
    json_add_int(out, "readings", n->n_readings);
    json_add_int(out, "events", (int64_t)n->n_events);
    json_add_int(out, "failures", (int64_t)n->n_failures);
    json_add_number(out, "seconds", seconds);
    const int code = cli_print_json(out);
    cJSON_Delete(out);
    return code;
}

static int run_demo(const struct demo_flags *f, const struct demo_options *o)
{
    struct ft_err err;
    struct pool *pool = NULL;
    struct demo_counts counts;
    const double start_s = clock_mono_s();
    enum ft_status st = pool_new(0, &pool, &err);
    if (st == FT_OK)
        st = make_database(f, o, pool, &counts, &err);
    pool_free(pool);
    return st == FT_OK ? report(f, &counts, clock_mono_s() - start_s) : cli_fail(&err);
}

int cmd_demo(int argc, char **argv)
{
    struct demo_options o = demo_options_default(clock_now_ms());
    struct demo_flags f = {.seed = (int64_t)o.seed,
                           .n_assets = (int64_t)o.n_assets,
                           .n_days = (int64_t)o.n_days,
                           .step_ms = o.step_ms,
                           .end_ms = o.end_ms};
    const struct cli_flag flags[] = {
        {"--seed", CLI_INT, &f.seed, "N", "random seed; the same seed makes the same plant (1)"},
        {"--assets", CLI_INT, &f.n_assets, "N", "number of machines, 4 to 5000 (60)"},
        {"--days", CLI_INT, &f.n_days, "N", "days of history, 30 to 3650 (365)"},
        {"--step", CLI_DURATION, &f.step_ms, "DUR", "time between two readings (1h)"},
        {"--end", CLI_INSTANT, &f.end_ms, "TIME", "instant of the last reading (now)"},
        {"--no-train", CLI_BOOL, &f.no_train, NULL, "only make the plant"},
        {"--truth", CLI_STRING, &f.truth, "FILE", "also write the hidden truth as CSV"},
        {"--csv", CLI_STRING, &f.csv, "DIR", "write CSV files into this folder, no database"},
        {"--json", CLI_BOOL, &f.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle demo\nfettle demo --db plant.db --seed 7 --assets 24 --days 180\n"
                    "fettle demo --csv folder --assets 16 --days 180 --step 6h",
        .synopsis = "fettle demo [--db F] [--seed N] [--assets N] [--days N]",
        .text =
            "Makes a plant of pumps, compressors, conveyor drives and machining centres whose\n"
            "parts wear, trains on it and plans. The truth is known, so forecasts can be judged.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (f.n_assets < 0 || f.n_days < 0 || f.seed < 0)
        return cli_usage_error("--seed, --assets and --days are not negative");
    o = (struct demo_options){.seed = (uint64_t)f.seed,
                              .n_assets = (size_t)f.n_assets,
                              .n_days = (size_t)f.n_days,
                              .step_ms = f.step_ms,
                              .end_ms = f.end_ms};
    struct ft_err err;
    if (demo_options_check(&o, &err) != FT_OK)
        return cli_usage_error("%s", err.msg);
    if (f.csv != NULL)
        return write_files(&f, &o);
    return run_demo(&f, &o);
}
