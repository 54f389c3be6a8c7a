/* fettle retrain: the nightly job, once. With --child it is the server's helper: it reads only and
 * leaves its result in a file (app/night.h). */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/night.h"
#include "app/site.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_progress(void *ctx, const char *stage, size_t done, size_t total)
{
    if (done == 0)
        cli_progress_stage(ctx, stage, (int64_t)total);
    else {
        if (done == 1)
            cli_progress_stage(ctx, stage, (int64_t)total);
        cli_progress_set(ctx, (int64_t)done);
    }
}

static void print_class(const cJSON *o)
{
    const cJSON *component;
    const char *name = "";
    const char *target = "";
    (void)json_string(o, "class", false, &name, NULL);
    (void)json_string(o, "target", false, &target, NULL);
    printf("%s, %s\n", name, target);
    cJSON_ArrayForEach (component, json_get(o, "components")) {
        const char *part = "the asset as a whole";
        const char *reason = "";
        (void)json_string(component, "component", false, &part, NULL);
        (void)json_string(component, "reason", false, &reason, NULL);
        printf("  %-18.60s %s\n", part, reason);
    }
}

static void print_night(const cJSON *report)
{
    const cJSON *item;
    const cJSON *models = json_get(report, "models");
    double stored = 0;
    double promoted = 0;
    double forecasts = 0;
    double seconds = 0;
    if (models != NULL) {
        (void)json_number(models, "stored", false, &stored, NULL);
        (void)json_number(models, "promoted", false, &promoted, NULL);
    }
    (void)json_number(report, "forecasts", false, &forecasts, NULL);
    (void)json_number(report, "train_seconds", false, &seconds, NULL);
    cJSON_ArrayForEach (item, json_get(report, "training")) {
        print_class(item);
    }
    cJSON_ArrayForEach (item, json_get(report, "skipped")) {
        const char *name = "";
        const char *reason = "";
        (void)json_string(item, "class", false, &name, NULL);
        (void)json_string(item, "reason", false, &reason, NULL);
        printf("%s: not trained: %s\n", name, reason);
    }
    printf("%.0f models stored, %.0f promoted, %.0f forecasts, trained in %.1f s\n", stored,
           promoted, forecasts, seconds);
}

static enum ft_status run_retrain(const struct night_options *o, bool as_json, struct ft_err *err)
{
    struct db *db = NULL;
    char holder[64];
    char *report = NULL;
    cJSON *json = NULL;
    struct cli_progress *bar = NULL;
    (void)snprintf(holder, sizeof(holder), "fettle retrain, process %ld", (long)getpid());
    enum ft_status st = db_open_writer(cli_db_path(), false, &db, err);
    if (st == FT_OK)
        st = site_use_zone(db, err);
    if (st == FT_OK)
        st = night_lease_take(db, holder, err);
    if (st != FT_OK)
        goto out;
    bar = cli_progress_new("retrain", 0, "fits");
    st = night_run(db, o, cli_is_interrupted, show_progress, bar, &report, err);
    cli_progress_end(bar);
    night_lease_release(db, holder);
    if (st == FT_OK)
        st = json_parse(report, strlen(report), &json, err);
    if (st == FT_OK && as_json)
        (void)cli_print_json(json);
    else if (st == FT_OK)
        print_night(json);
out:
    cJSON_Delete(json);
    free(report);
    db_close(db);
    return st;
}

static enum ft_status run_child(const struct night_options *o, const char *out, struct ft_err *err)
{
    struct db *db = NULL;
    enum ft_status st = db_open_reader(cli_db_path(), &db, err);
    if (st == FT_OK)
        st = site_use_zone(db, err);
    db_close(db);
    return st == FT_OK ? night_child(cli_db_path(), out, o, cli_is_interrupted, err) : st;
}

int cmd_retrain(int argc, char **argv)
{
    int64_t seed = 1;
    int64_t threads = 0;
    bool as_json = false;
    bool is_child = false;
    const char *out = NULL;
    const struct cli_flag flags[] = {
        {"--seed", CLI_INT, &seed, "N", "default 1"},
        {"--threads", CLI_INT, &threads, "N", "default: all processors"},
        {"--json", CLI_BOOL, &as_json, NULL, "print the night report as JSON"},
        {"--child", CLI_BOOL, &is_child, NULL, "for the server: read only, leave a result file"},
        {"--out", CLI_STRING, &out, "FILE", "result file of --child"}};
    const struct cli_usage usage = {
        .examples = "fettle retrain\nfettle retrain --json",
        .synopsis = "fettle retrain [--json]",
        .text = "Trains every class again, promotes a challenger only when it is not worse out of "
                "fold than the champion, rescores, settles the ledger and plans anew.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (is_child != (out != NULL))
        return cli_usage_error("--child and --out belong together");
    if (threads < 0 || threads > 1024)
        return cli_usage_error("--threads: expected 1 to 1024");
    if (seed < 0)
        return cli_usage_error("--seed: expected 0 or more");
    const struct night_options o = {.seed = seed, .n_threads = (size_t)threads};
    struct ft_err err = {0};
    const enum ft_status st = is_child ? run_child(&o, out, &err) : run_retrain(&o, as_json, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
