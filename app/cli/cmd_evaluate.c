/* fettle evaluate: how good the champions are on what they have not seen. */
#include "app/base/json.h"
#include "app/cli/class_arg.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/evaluate.h"
#include "app/health_judge.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double number(const cJSON *o, const char *key)
{
    double v = NAN;
    if (o != NULL)
        (void)json_number(o, key, false, &v, NULL);
    return v;
}

static void print_failure_row(const char *name, const cJSON *o)
{
    const cJSON *base = json_get(o, "baseline");
    const cJSON *at = json_get(o, "at_threshold");
    printf("%-18.18s %7.0f %9.0f   %.3f (%.3f)   %.3f (%.3f)   %6.3f  %6.3f  %8.1f h\n", name,
           number(o, "rows"), number(o, "positives"), number(o, "pr_auc"), number(base, "pr_auc"),
           number(o, "roc_auc"), number(base, "roc_auc"), number(at, "precision"),
           number(at, "recall"), number(at, "lead_time_median_s") / 3600);
}

static void print_failure(const cJSON *o)
{
    const cJSON *item;
    printf("In brackets: age alone on the same rows.\n"
           "component             rows  failures   PR-AUC          ROC-AUC         precision "
           "recall  lead time\n");
    cJSON_ArrayForEach (item, json_get(o, "components")) {
        const cJSON *name = json_get(item, "component");
        print_failure_row(cJSON_IsString(name) ? name->valuestring : "whole asset", item);
    }
    print_failure_row("all", o);
}

static void print_lives(const cJSON *o)
{
    const cJSON *base = json_get(o, "baseline");
    const cJSON *coverage = json_get(o, "coverage");
    printf("%.0f held-out units, target capped at %.0f\n", number(o, "assets"), number(o, "cap"));
    printf("                          model   age alone\n");
    printf("RMSE                   %8.2f    %8.2f\n", number(o, "rmse"), number(base, "rmse"));
    printf("RMSE, truth capped     %8.2f    %8.2f\n", number(o, "rmse_capped"),
           number(base, "rmse_capped"));
    printf("PHM08 score            %8.0f    %8.0f\n", number(o, "phm08_score"),
           number(base, "phm08_score"));
    printf("PHM08, truth capped    %8.0f    %8.0f\n", number(o, "phm08_score_capped"),
           number(base, "phm08_score_capped"));
    printf("interval: %.0f %% stated, %.1f %% observed, %.1f wide on average\n",
           100 * number(coverage, "nominal"), 100 * number(coverage, "observed"),
           number(o, "interval_mean_width"));
    const cJSON *soon = json_get(o, "failure_soon");
    const cJSON *prognosis = json_get(o, "prognosis");
    const cJSON *item;
    printf("failure within %.0f: PR-AUC %.3f, calibration error %.3f (%.3f by chance if perfect)\n",
           number(soon, "within"), number(soon, "pr_auc"), number(soon, "calibration_error"),
           number(soon, "calibration_error_by_chance"));
    printf("along the lives, within %.0f %%:", 100 * number(prognosis, "alpha"));
    cJSON_ArrayForEach (item, json_get(prognosis, "alpha_lambda")) {
        printf(" %.0f %% at %.0f %% of life (%.0f units),", 100 * number(item, "share"),
               100 * number(item, "lambda"), number(item, "units"));
    }
    printf(" relative accuracy %.2f, good from %.0f before the failure on (median)\n",
           number(prognosis, "relative_accuracy"), number(prognosis, "horizon_median"));
    printf("worst:");
    cJSON_ArrayForEach (item, json_get(o, "worst")) {
        const cJSON *name = json_get(item, "asset");
        printf(" %s %.0f for %.0f%s", cJSON_IsString(name) ? name->valuestring : "?",
               number(item, "prediction"), number(item, "truth"), item->next != NULL ? "," : "");
    }
    printf("\n");
}

static void print_anomaly(const cJSON *o)
{
    const cJSON *item;
    const cJSON *unit = json_get(o, "unit");
    const char *of = cJSON_IsString(unit) ? unit->valuestring : "d";
    printf("Alarms without labels; their lines were learned before the span that is judged.\n"
           "component             failures   named %.0f %s ahead\n",
           number(o, "lead_s") / 86400, of);
    cJSON_ArrayForEach (item, json_get(o, "components")) {
        const cJSON *name = json_get(item, "component");
        printf("%-20.20s  %8.0f   %5.0f\n",
               cJSON_IsString(name) ? name->valuestring : "whole asset", number(item, "failures"),
               number(item, "named"));
    }
    printf("%-20s  %8.0f   %5.0f\n", "all", number(o, "failures"), number(o, "named"));
    printf("%.0f alarms in %.1f asset-years: %.0f followed by a failure or work within %.0f %s, "
           "%.0f too new to tell, %.0f not followed (%.2f in an asset-year)\n",
           number(o, "alarms"), number(o, "asset_years"), number(o, "followed"),
           number(o, "follow_s") / 86400, of, number(o, "open"), number(o, "unfollowed"),
           number(o, "unfollowed_per_asset_year"));
}

static enum ft_status evaluate(struct db *db, const struct evaluate_options *o, bool is_anomaly,
                               struct pool *pool, cJSON **json, struct ft_err *err)
{
    if (!is_anomaly)
        return evaluate_class(db, o, pool, json, err);
    const struct health_judge_options judge = {
        .class_name = o->class_name, .from_ms = o->from_ms, .to_ms = o->to_ms};
    return health_judge(db, &judge, json, err);
}

static enum ft_status run_evaluate(const struct evaluate_options *options, bool is_anomaly,
                                   int64_t threads, bool as_json, struct ft_err *err)
{
    char class_name[256];
    struct evaluate_options o = *options;
    struct db *db = NULL;
    struct pool *pool = NULL;
    cJSON *json = NULL;
    enum ft_status st = db_open_reader(cli_db_path(), &db, err);
    if (st == FT_OK)
        st = site_use_zone(db, err);
    if (st == FT_OK)
        st = class_arg(db, o.class_name, class_name, sizeof(class_name), err);
    if (st == FT_OK)
        st = pool_new((size_t)threads, &pool, err);
    o.class_name = class_name;
    if (st == FT_OK)
        st = evaluate(db, &o, is_anomaly, pool, &json, err);
    if (st == FT_OK && as_json)
        (void)cli_print_json(json);
    else if (st == FT_OK && is_anomaly)
        print_anomaly(json);
    else if (st == FT_OK && json_get(json, "components") != NULL)
        print_failure(json);
    else if (st == FT_OK)
        print_lives(json);
    cJSON_Delete(json);
    pool_free(pool);
    db_close(db);
    return st;
}

int cmd_evaluate(int argc, char **argv)
{
    struct evaluate_options o = {.from_ms = DB_NO_TIME, .to_ms = DB_NO_TIME};
    int64_t threads = 0;
    bool as_json = false;
    bool is_anomaly = false;
    const struct cli_flag flags[] = {
        {"--class", CLI_STRING, &o.class_name, "K",
         "asset class; may be left out when there is one"},
        {"--target", CLI_STRING, &o.target, "T",
         "rul or failure; default rul when the class has such a champion"},
        {"--anomaly", CLI_BOOL, &is_anomaly, NULL,
         "judge the alarms that need no labels against recorded failures; needs no model"},
        {"--from", CLI_INSTANT, &o.from_ms, "TIME",
         "rows from here on; default where training ended, with --anomaly after a third"},
        {"--to", CLI_INSTANT, &o.to_ms, "TIME", "nothing later is used"},
        {"--threads", CLI_INT, &threads, "N", "default: all processors"},
        {"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle evaluate --class engine\n"
                    "fettle evaluate --class machine --from 2015-08-31 --json\n"
                    "fettle evaluate --class pump --anomaly",
        .synopsis = "fettle evaluate [--class K] [--from TIME] [--to TIME] [--json]",
        .text =
            "Remaining life: held-out units at their last reading. Failures: rows after the "
            "end of training. Age alone stands beside every figure. Alarms: failures named three "
            "days ahead without any label, and alarms that nothing followed.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (o.target != NULL && strcmp(o.target, "rul") != 0 && strcmp(o.target, "failure") != 0)
        return cli_usage_error("--target: \"%s\", expected failure or rul", o.target);
    if (threads < 0 || threads > 1024)
        return cli_usage_error("--threads: expected 1 to 1024");
    struct ft_err err = {0};
    const enum ft_status st = run_evaluate(&o, is_anomaly, threads, as_json, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
