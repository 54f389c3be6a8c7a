/* fettle fit: learns from one table and writes a model file. */
#include "app/base/file.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/fit_report.h"
#include "app/fit_source.h"
#include "app/measure.h"
#include "models/gbdt/gbdt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const SYNOPSIS =
    "fettle fit TABLE --label COL [--group COL] [--task T] [--model M] [--folds K] --out MODEL";
static const char *const EXAMPLES =
    "fettle fit ai4i2020.csv --label \"Machine failure\" --drop \"UDI,Product ID\" --out m.model\n"
    "fettle fit units.csv --label rul --group unit --trees 300 --threads 4 --out rul.model --json\n"
    "fettle fit lives.csv --label hours --event-col failed --model cox --out life.model\n"
    "fettle fit t.csv --label fail --group unit --time-col at --embargo 30d --out m.model\n"
    "fettle fit t.csv --label fail --grid grid.json --halving --one-se --memory 2G --out m.model\n"
    "fettle fit x.npy --label y.npy --group g.npy --grid grid.json --out m.model";
static const char *const TEXT =
    "TABLE is a CSV file with a header (.gz and .zst too), or a 2-D .npy array of float32 or "
    "float64\n"
    "with --label y.npy and --group g.npy. Two distinct labels make a classification, others a\n"
    "regression, an event column a survival task. A grid is a JSON array of objects, or one "
    "object\n"
    "whose members may be arrays: {\"trees\": [100, 300], \"leaves\": [15, 31], \"rate\": 0.1}; "
    "with\n"
    "\"random\": N, N candidates are drawn, also from {\"from\": 0.02, \"to\": 0.3, \"log\": "
    "true}.";

static const int64_t MAX_GRID_BYTES = 1 << 20;

struct arguments {
    const char *table, *task, *metric, *grid, *objective, *class_weight, *calibration, *interval,
        *oof, *out;
    struct fit_request q;
    int64_t trees, leaves, depth, bins, patience, bootstrap, folds, threads, seed, memory;
    bool as_json;
};

/* --- arguments -------------------------------------------------------------------------------- */

static int parse(struct arguments *a, int argc, char **argv)
{
    struct model_spec *b = &a->q.base;
    const struct cli_flag flags[] = {
        {"--label", CLI_STRING, &a->q.label, "COL", "column (or .npy file) to learn"},
        {"--group", CLI_STRING, &a->q.group, "COL", "rows of one group stay in one fold"},
        {"--time-col", CLI_STRING, &a->q.time, "COL", "folds go forward in time by this column"},
        {"--embargo", CLI_STRING, &a->q.embargo, "E",
         "gap before each fold: 30d, or a number for a time of numbers"},
        {"--event-col", CLI_STRING, &a->q.event, "COL", "1 = failed at the label's time, 0 = not"},
        {"--drop", CLI_STRING, &a->q.drop, "COLS", "columns to leave out, separated by commas"},
        {"--category", CLI_STRING, &a->q.category, "COLS", "columns of numbers to take as texts"},
        {"--task", CLI_STRING, &a->task, "T", "classify, regress or survival; else by the label"},
        {"--model", CLI_STRING, &a->q.model, "M", "gbdt, logistic, ridge, cox, aft or auto"},
        {"--objective", CLI_STRING, &a->objective, "O",
         "of trees: logistic, squared, absolute, quantile, poisson, cox, aft_weibull, ..."},
        {"--quantile", CLI_NUMBER, &b->quantile, "Q", "level of objective quantile (0.5)"},
        {"--trees", CLI_INT, &a->trees, "N", "trees (200)"},
        {"--leaves", CLI_INT, &a->leaves, "N", "leaves of a tree (31)"},
        {"--depth", CLI_INT, &a->depth, "N", "greatest depth, 0 = no limit (0)"},
        {"--bins", CLI_INT, &a->bins, "N", "bins of a column, 2 to 255 (255)"},
        {"--rate", CLI_NUMBER, &b->rate, "X", "learning rate (0.1)"},
        {"--lambda", CLI_NUMBER, &b->lambda, "X", "L2 penalty (1)"},
        {"--l1-share", CLI_NUMBER, &b->l1_share, "X",
         "logistic, ridge: L1 share of the penalty, an elastic net (0)"},
        {"--alpha", CLI_NUMBER, &b->alpha, "X", "trees: L1 penalty of leaves (0)"},
        {"--class-weight", CLI_STRING, &a->class_weight, "W",
         "rows of label 1 (the rarer text) count W times, or balanced (1)"},
        {"--monotone", CLI_STRING, &a->q.monotone, "COLS",
         "trees: +wear,-margin: the answer must not fall with wear nor rise with margin"},
        {"--early-stopping", CLI_INT, &a->patience, "N",
         "trees: stop after N without a lower loss on a tenth of the training rows (0 = never)"},
        {"--min-child-weight", CLI_NUMBER, &b->min_child_weight, "X", "least weight of a leaf (1)"},
        {"--row-sample", CLI_NUMBER, &b->row_sample, "X", "share of rows of a tree (1)"},
        {"--col-sample", CLI_NUMBER, &b->col_sample, "X", "share of columns of a tree (1)"},
        {"--folds", CLI_INT, &a->folds, "K", "folds of cross-validation, 0 = none (5)"},
        {"--metric", CLI_STRING, &a->metric, "M",
         "pr_auc, auc, logloss, brier, rmse, mae or concordance"},
        {"--coverage", CLI_NUMBER, &a->q.coverage, "X",
         "of the interval of a regression or a life (0.9)"},
        {"--interval", CLI_STRING, &a->interval, "I",
         "of a regression: split, or cv+ (asks the models of all folds; with a fold per row "
         "jackknife+)"},
        {"--calibration", CLI_STRING, &a->calibration, "C",
         "of probabilities: none, platt, isotonic, beta, or best across folds (platt)"},
        {"--bootstrap", CLI_INT, &a->bootstrap, "N",
         "repeats for intervals of metrics, by group (200; above 20,000 rows 0)"},
        {"--importance", CLI_BOOL, &a->q.is_importance, NULL,
         "how much the metric loses when a column is shuffled, out of fold"},
        {"--grid", CLI_STRING, &a->grid, "FILE.json", "candidates to choose from"},
        {"--halving", CLI_BOOL, &a->q.is_halving, NULL, "drop the worse half after folds 1, 2, 4"},
        {"--one-se", CLI_BOOL, &a->q.is_one_se, NULL,
         "the simplest candidate within one standard error of the best"},
        {"--nested", CLI_BOOL, &a->q.is_nested, NULL, "estimate that counts the choice, too"},
        {"--oof", CLI_STRING, &a->oof, "FILE.csv", "write out-of-fold predictions"},
        {"--memory", CLI_SIZE, &a->memory, "SIZE", "never use more; exit 5 when it is too little"},
        {"--trust", CLI_STRING, &a->q.trusted, "COLS",
         "columns that are known before the label though they look like leaks"},
        {"--no-search", CLI_BOOL, &a->q.no_search, NULL,
         "trees as they are: do not try products and ratios of columns"},
        {"--threads", CLI_INT, &a->threads, "N", "0 = all processors (0)"},
        {"--seed", CLI_INT, &a->seed, "N", "seed of folds and samples (1)"},
        {"--out", CLI_STRING, &a->out, "MODEL", "model file to write"},
        {"--json", CLI_BOOL, &a->as_json, NULL, "print JSON"},
    };
    const struct cli_usage usage = {.examples = EXAMPLES,
                                    .synopsis = SYNOPSIS,
                                    .text = TEXT,
                                    .flags = flags,
                                    .n_flags = sizeof(flags) / sizeof(flags[0])};
    size_t n_words = 0;
    return cli_parse(&usage, argc, argv, &a->table, 1, &n_words);
}

static int check_words(struct arguments *a)
{
    if (a->table == NULL)
        return cli_usage_error("which table?");
    if (a->q.label == NULL)
        return cli_usage_error("--label is missing");
    if (a->out == NULL)
        return cli_usage_error("--out is missing");
    a->q.task = a->task != NULL ? model_task_by_name(a->task) : -1;
    if (a->task != NULL && a->q.task < 0)
        return cli_usage_error("--task %.40s: expected classify, regress or survival", a->task);
    a->q.metric = a->metric != NULL ? validate_metric_by_name(a->metric) : -1;
    if (a->metric != NULL && a->q.metric < 0)
        return cli_usage_error("--metric %.40s is not known", a->metric);
    if (a->objective != NULL) {
        a->q.base.objective = gbdt_objective_by_name(a->objective);
        if (a->q.base.objective < 0)
            return cli_usage_error("--objective %.40s is not known", a->objective);
    }
    a->q.calibration = CALIBRATION_PLATT;
    if (a->calibration != NULL)
        a->q.calibration = fit_calibration_by_name(a->calibration);
    if (a->q.calibration < 0)
        return cli_usage_error("--calibration %.40s: expected none, platt, isotonic, beta or best",
                               a->calibration);
    a->q.is_cross = a->interval != NULL && strcmp(a->interval, "cv+") == 0;
    if (a->interval != NULL && !a->q.is_cross && strcmp(a->interval, "split") != 0)
        return cli_usage_error("--interval %.40s: expected split or cv+", a->interval);
    if (a->class_weight != NULL && !fit_class_weight(a->class_weight, &a->q.base.positive_weight))
        return cli_usage_error("--class-weight %.40s: expected balanced or a number above 0",
                               a->class_weight);
    if (a->q.embargo != NULL && a->q.time == NULL)
        return cli_usage_error("--embargo goes with --time-col");
    if (a->q.model != NULL && strcmp(a->q.model, "auto") != 0 && fit_kind_by_name(a->q.model) < 0)
        return cli_usage_error("--model %.40s: expected gbdt, logistic, ridge, cox, aft or auto",
                               a->q.model);
    return -1;
}

static int check_numbers(struct arguments *a)
{
    if (a->trees < 1 || a->trees > 10000)
        return cli_usage_error("--trees %lld: expected 1 to 10000", (long long)a->trees);
    if (a->leaves < 2 || a->leaves > 4096)
        return cli_usage_error("--leaves %lld: expected 2 to 4096", (long long)a->leaves);
    if (a->depth < 0 || a->depth > 64)
        return cli_usage_error("--depth %lld: expected 0 to 64", (long long)a->depth);
    if (a->bins < 2 || a->bins > 255)
        return cli_usage_error("--bins %lld: expected 2 to 255", (long long)a->bins);
    if (a->folds < 0 || a->folds == 1 || a->folds > 100)
        return cli_usage_error("--folds %lld: expected 0 or 2 to 100", (long long)a->folds);
    if (a->patience < 0 || a->patience > 10000 || (a->patience > 0 && a->folds == 0))
        return cli_usage_error(a->folds == 0 ? "--early-stopping needs --folds"
                                             : "--early-stopping %lld: expected 0 to 10000",
                               (long long)a->patience);
    if (!(a->q.base.l1_share >= 0 && a->q.base.l1_share <= 1))
        return cli_usage_error("--l1-share %g: expected 0 to 1", a->q.base.l1_share);
    if (a->threads < 0 || a->threads > 1024)
        return cli_usage_error("--threads %lld: expected 0 to 1024", (long long)a->threads);
    if (a->seed < 0)
        return cli_usage_error("--seed %lld: expected 0 or more", (long long)a->seed);
    if (!(a->q.coverage > 0 && a->q.coverage < 1))
        return cli_usage_error("--coverage %g: expected between 0 and 1", a->q.coverage);
    if (a->bootstrap < -1 || a->bootstrap == 1 || a->bootstrap > 100000)
        return cli_usage_error("--bootstrap %lld: expected 0 or 2 to 100000",
                               (long long)a->bootstrap);
    if (a->folds == 0 && (a->oof != NULL || a->q.is_nested || a->q.is_importance || a->q.is_cross))
        return cli_usage_error("%s needs --folds", a->oof != NULL       ? "--oof"
                                                   : a->q.is_nested     ? "--nested"
                                                   : a->q.is_importance ? "--importance"
                                                                        : "--interval cv+");
    a->q.n_bootstrap = a->bootstrap < 0 ? MEASURE_AUTO : (size_t)a->bootstrap;
    a->q.memory_bytes = (size_t)a->memory;
    a->q.path = a->table;
    a->q.base.n_trees = (size_t)a->trees;
    a->q.base.max_leaves = (size_t)a->leaves;
    a->q.base.max_depth = (size_t)a->depth;
    a->q.base.n_bins = (size_t)a->bins;
    a->q.base.patience = (size_t)a->patience;
    a->q.n_folds = (size_t)a->folds;
    a->q.seed = (uint64_t)a->seed;
    return -1;
}

static enum ft_status read_grid(const char *path, cJSON **out, struct ft_err *err)
{
    struct buf b;
    buf_init(&b, (size_t)MAX_GRID_BYTES);
    enum ft_status st = file_read(path, &b, err);
    if (st == FT_OK) {
        st = json_parse(b.data != NULL ? b.data : "", b.len, out, err);
        if (st != FT_OK)
            ft_err_prefix(err, "%s", path);
    }
    buf_free(&b);
    return st;
}

/* --- running ---------------------------------------------------------------------------------- */

static void start_bar(void *ctx, const char *stage, size_t n_jobs)
{
    cli_progress_stage(ctx, stage, (int64_t)n_jobs);
}

static void move_bar(void *ctx, size_t n_done)
{
    cli_progress_set(ctx, (int64_t)n_done);
}

static int report(const struct arguments *a, const struct fit_outcome *o, size_t n_threads)
{
    if (!a->as_json) {
        fit_report_text(o, a->out, a->q.seed, n_threads, stdout);
        return 0;
    }
    cJSON *out = fit_report_json(o, a->out, a->q.seed, n_threads);
    const int code = cli_print_json(out);
    cJSON_Delete(out);
    return code;
}

static int run(struct arguments *a)
{
    struct pool *pool = NULL;
    struct fit_outcome outcome = {0};
    cJSON *grid = NULL;
    struct ft_err err;
    int code;

    enum ft_status st = a->grid != NULL ? read_grid(a->grid, &grid, &err) : FT_OK;
    if (st == FT_OK)
        st = pool_new((size_t)a->threads, &pool, &err);
    if (st == FT_OK) {
        struct cli_progress *bar = cli_progress_new("reading", 0, "fits");
        a->q.grid = grid;
        a->q.is_stopped = cli_is_interrupted;
        a->q.on_start = start_bar;
        a->q.on_done = move_bar;
        a->q.progress_ctx = bar;
        st = fit_job_run(&a->q, pool, &outcome, &err);
        cli_progress_end(bar);
    }
    if (st == FT_OK && a->oof != NULL)
        st = fit_report_oof(&outcome, a->oof, &err);
    if (st == FT_OK)
        st = file_write(a->out, outcome.bytes, outcome.n_bytes, &err);
    if (st == FT_OK)
        st = fit_source_write(&a->q, a->out, &err);
    if (outcome.table.notes.len > 0)
        fprintf(stderr, "%s", outcome.table.notes.data);
    if (st != FT_OK)
        code = cli_fail(&err);
    else
        code = report(a, &outcome, pool_n_threads(pool));
    fit_outcome_free(&outcome);
    pool_free(pool);
    cJSON_Delete(grid);
    return code;
}

int cmd_fit(int argc, char **argv)
{
    struct arguments a = {
        .folds = 5, .bootstrap = -1, .seed = 1, .q = {.task = -1, .metric = -1, .coverage = 0.9}};
    a.q.base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
    a.trees = (int64_t)a.q.base.n_trees;
    a.leaves = (int64_t)a.q.base.max_leaves;
    a.bins = (int64_t)a.q.base.n_bins;
    int code = parse(&a, argc, argv);
    if (code < 0)
        code = check_words(&a);
    if (code < 0)
        code = check_numbers(&a);
    return code >= 0 ? code : run(&a);
}
