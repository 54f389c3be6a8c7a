/* fettle train: candidates of one class, their verdicts, the new champion. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/class_arg.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/registry.h"
#include "app/site.h"
#include "app/train_job.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/run_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct train_flags {
    const char *class_name, *target, *component, *models, *cap, *folds_by, *trusted;
    int64_t horizon_ms, until_ms, memory, folds, threads, seed;
    bool as_json;
};

static enum ft_status parse_kinds(const char *list, unsigned *kinds, struct ft_err *err)
{
    *kinds = 0;
    while (list != NULL && *list != '\0') {
        char word[32] = "";
        const size_t len = strcspn(list, ",");
        if (len < sizeof(word))
            memcpy(word, list, len);
        const int kind = model_kind_by_name(strcmp(word, "logistic") == 0 ? "hazard_logit" : word);
        if (kind < 0)
            return ft_fail(err, FT_INVALID,
                           "--models: \"%.*s\"; expected gbdt, gbdt_products, hazard_logit, ridge, "
                           "weibull_age",
                           (int)len, list);
        *kinds |= 1U << kind;
        list += len + (list[len] == ',');
    }
    return FT_OK;
}

/* A plain number counts cycles (days in a class that counts time), anything else is a duration. */
static enum ft_status parse_cap(struct db *db, const struct train_flags *f, double *cap,
                                struct ft_err *err)
{
    struct asset_class cls;
    char *end;
    int64_t dur_ms;
    *cap = 0;
    if (f->cap == NULL)
        return FT_OK;
    const double number = strtod(f->cap, &end);
    if (end != f->cap && *end == '\0') {
        if (!(number > 0) || !isfinite(number))
            return ft_fail(err, FT_INVALID, "--cap: \"%s\", expected a number above 0", f->cap);
        *cap = number;
        return FT_OK;
    }
    enum ft_status st = clock_parse_duration(f->cap, &dur_ms, err);
    if (st != FT_OK)
        return ft_err_prefix(err, "--cap");
    st = class_find(db, f->class_name, &cls, err);
    if (st != FT_OK)
        return st;
    *cap = (double)dur_ms / (double)(cls.cycle_ms > 0 ? cls.cycle_ms : MS_PER_DAY);
    asset_class_clear(&cls);
    return FT_OK;
}

static void show_progress(void *ctx, const char *stage, size_t done, size_t total)
{
    struct cli_progress *bar = ctx;
    if (done == 0)
        cli_progress_stage(bar, stage, (int64_t)total);
    else {
        if (done == 1)
            cli_progress_stage(bar, "fits", (int64_t)total);
        cli_progress_set(bar, (int64_t)done);
    }
}

static double number_of(const cJSON *o, const char *key)
{
    double v = NAN;
    if (o != NULL)
        (void)json_number(o, key, false, &v, NULL);
    return v;
}

/* What the folds say of a champion's interval and of its chance of failing soon. */
static void print_lives(const cJSON *cv)
{
    const cJSON *coverage = json_get(cv, "coverage");
    const cJSON *soon = json_get(cv, "failure_soon");
    if (coverage != NULL)
        printf("    out of fold: interval %.0f %% stated, %.1f %% observed, %.1f wide on average\n",
               100 * number_of(coverage, "nominal"), 100 * number_of(coverage, "observed"),
               number_of(cv, "interval_mean_width"));
    if (soon != NULL)
        printf("    out of fold: failure within %.0f: PR-AUC %.3f, calibration error %.3f\n",
               number_of(soon, "within"), number_of(soon, "pr_auc"),
               number_of(soon, "calibration_error"));
}

static void print_candidates(const cJSON *component)
{
    const cJSON *item;
    const cJSON *name = json_get(component, "component");
    printf("%s\n", cJSON_IsString(name) ? name->valuestring : "the asset as a whole");
    cJSON_ArrayForEach (item, json_get(component, "candidates")) {
        const cJSON *cv = json_get(item, "cv");
        const char *kind = "";
        const char *reason = "";
        const char *metric = "";
        double mean = NAN;
        bool is_champion = false;
        (void)json_string(item, "kind", false, &kind, NULL);
        (void)json_string(item, "reason", false, &reason, NULL);
        (void)json_bool(item, "champion", false, &is_champion, NULL);
        if (cv != NULL) {
            (void)json_string(cv, "metric", false, &metric, NULL);
            (void)json_number(cv, "mean", false, &mean, NULL);
        }
        printf("  %c %-13s %s %8.4f  %s\n", is_champion ? '*' : ' ', kind, metric, mean, reason);
        if (is_champion && cv != NULL)
            print_lives(cv);
    }
}

static void print_report(const cJSON *report)
{
    const cJSON *component;
    double seconds = NAN;
    double cores = NAN;
    cJSON_ArrayForEach (component, json_get(report, "components")) {
        print_candidates(component);
    }
    (void)json_number(report, "seconds", false, &seconds, NULL);
    (void)json_number(report, "cores_used", false, &cores, NULL);
    printf("%.1f s, %.2f cores used; * is the champion\n", seconds, cores);
}

/* Trains with the writer connection itself: it reads its own snapshot, and no other process may
 * write meanwhile. */
static enum ft_status train_and_store(struct db *db, const struct train_flags *f,
                                      struct train_options *o, int64_t run_id, char **report,
                                      struct ft_err *err)
{
    struct pool *pool = NULL;
    struct train_result *result = NULL;
    struct cli_progress *bar = cli_progress_new("train", 0, "fits");
    enum ft_status st = pool_new((size_t)f->threads, &pool, err);
    if (st == FT_OK)
        st = train_job_run(db, o, pool, cli_is_interrupted, show_progress, bar, &result, err);
    cli_progress_end(bar);
    if (st == FT_OK)
        st = db_begin(db, err);
    if (st == FT_OK) {
        st = registry_apply(db, result, run_id, REGISTRY_TRAIN, clock_now_ms(), NULL, err);
        if (st == FT_OK) {
            *report = json_print(result->report, false);
            st = run_finish(db, run_id, "done", *report, err);
        }
        if (st == FT_OK)
            st = db_commit(db, err);
        else
            db_rollback(db);
    }
    if (st == FT_OK && f->as_json)
        (void)cli_print_json(result->report);
    else if (st == FT_OK)
        print_report(result->report);
    train_result_free(result);
    pool_free(pool);
    return st;
}

static enum ft_status run_train(const struct train_flags *flags, struct ft_err *err)
{
    struct train_flags f = *flags;
    char class_name[256] = "";
    struct db *db = NULL;
    char *report = NULL;
    int64_t run_id = 0;
    struct train_options o = {.is_rul = strcmp(f.target, "rul") == 0,
                              .component = f.component,
                              .horizon_ms = f.horizon_ms,
                              .folds = (size_t)f.folds,
                              .until_ms = f.until_ms,
                              .is_by_time = f.folds_by != NULL && strcmp(f.folds_by, "time") == 0,
                              .seed = (uint64_t)f.seed,
                              .trusted = f.trusted,
                              .memory_bytes = f.memory};
    enum ft_status st = parse_kinds(f.models, &o.kinds, err);
    if (st == FT_OK && f.folds_by != NULL && !o.is_by_time && strcmp(f.folds_by, "asset") != 0)
        st = ft_fail(err, FT_INVALID, "--folds-by %.20s: expected asset or time", f.folds_by);
    if (st == FT_OK)
        st = db_open_writer(cli_db_path(), false, &db, err);
    if (st == FT_OK)
        st = site_use_zone(db, err);
    if (st == FT_OK)
        st = class_arg(db, f.class_name, class_name, sizeof(class_name), err);
    f.class_name = class_name;
    if (st == FT_OK)
        st = parse_cap(db, &f, &o.cap_units, err);
    if (st == FT_OK)
        st = run_start(db, "train", &run_id, err);
    if (st != FT_OK)
        goto out;
    o.class_name = f.class_name;
    st = train_and_store(db, &f, &o, run_id, &report, err);
    if (st != FT_OK)
        (void)run_finish(db, run_id, st == FT_INTERRUPTED ? "interrupted" : "failed", NULL, NULL);
out:
    free(report);
    db_close(db);
    return st;
}

int cmd_train(int argc, char **argv)
{
    struct train_flags f = {
        .target = "failure", .horizon_ms = 30 * MS_PER_DAY, .until_ms = DB_NO_TIME, .seed = 1};
    const struct cli_flag flags[] = {
        {"--class", CLI_STRING, &f.class_name, "K",
         "asset class; may be left out when there is one"},
        {"--target", CLI_STRING, &f.target, "T", "failure (default) or rul (remaining life)"},
        {"--horizon", CLI_DURATION, &f.horizon_ms, "DUR", "failure: within how long; default 30d"},
        {"--component", CLI_STRING, &f.component, "C",
         "a component, or all; default the asset as a whole"},
        {"--cap", CLI_STRING, &f.cap, "N", "rul: cap of the target in cycles, or a duration"},
        {"--folds", CLI_INT, &f.folds, "K", "folds by asset, 2..20; default 5"},
        {"--folds-by", CLI_STRING, &f.folds_by, "asset|time",
         "hold out whole assets, or later time with an embargo (asset)"},
        {"--models", CLI_STRING, &f.models, "LIST",
         "candidates: gbdt, gbdt_products, hazard_logit, ridge"},
        {"--trust", CLI_STRING, &f.trusted, "LIST",
         "sensors and attributes, by commas, that are known in time although they tell the label"},
        {"--until", CLI_INSTANT, &f.until_ms, "TIME", "use nothing later than this"},
        {"--threads", CLI_INT, &f.threads, "N", "default: all processors"},
        {"--seed", CLI_INT, &f.seed, "N", "default 1"},
        {"--memory", CLI_SIZE, &f.memory, "SIZE",
         "ceiling of the training matrices, default 2GiB; rows are thinned to fit"},
        {"--json", CLI_BOOL, &f.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle train --class pump --component all --horizon 30d\n"
                    "fettle train --class engine --target rul --cap 125\n"
                    "fettle train --class machine --component all --horizon 24h --until 2015-08-31",
        .synopsis = "fettle train [--class K] [--target failure|rul] [--horizon DUR] "
                    "[--component C|all] [--json]",
        .text = "Fits every candidate on folds that share no asset, calibrates it on predictions "
                "for assets it has not seen, and makes the best one champion when it beats a model "
                "that knows only the age.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (strcmp(f.target, "failure") != 0 && strcmp(f.target, "rul") != 0)
        return cli_usage_error("--target: \"%s\", expected failure or rul", f.target);
    if (f.folds < 0 || f.folds == 1 || f.folds > TRAIN_MAX_FOLDS)
        return cli_usage_error("--folds: expected 2 to %d", TRAIN_MAX_FOLDS);
    if (f.threads < 0 || f.threads > 1024)
        return cli_usage_error("--threads: expected 1 to 1024");
    if (f.seed < 0)
        return cli_usage_error("--seed: expected 0 or more");
    struct ft_err err = {0};
    const enum ft_status st = run_train(&f, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
