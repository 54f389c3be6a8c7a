/* fettle score: predictions of a model of fettle fit for every row of a table. */
#include "app/base/clock.h"
#include "app/base/file.h"
#include "app/base/pool.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/fit_job.h"
#include "app/fit_model.h"
#include "app/ingest/number.h"
#include "models/calibrate.h"
#include "models/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 4096, ROW_BYTES = 3 * NUMBER_TEXT_SIZE };

struct arguments {
    const char *table, *model, *label, *event, *out;
    int64_t threads;
    bool as_json;
};

struct scoring {
    struct fit_model m;
    struct table table;
    double *p; /* [n_rows] */
    double seconds;
};

static void score_block(void *ctx, size_t begin, size_t end)
{
    const struct scoring *s = ctx;
    const struct matrix *x = &s->table.x;
    const struct matrix part = matrix_rows(x, begin, end - begin);
    model_predict(s->m.model, &part, s->p + begin);
}

static enum ft_status score(const struct arguments *a, struct scoring *s, struct ft_err *err)
{
    struct pool *pool = NULL;
    struct table_request request = {
        .label = a->label, .event = a->event, .is_stopped = cli_is_interrupted};
    enum ft_status st = fit_model_open(a->model, &s->m, err);
    request.schema = &s->m.schema;
    if (st == FT_OK)
        st = pool_new((size_t)a->threads, &pool, err);
    request.pool = pool;
    if (st == FT_OK)
        st = table_read(a->table, &request, &s->table, err);
    if (st != FT_OK) {
        pool_free(pool);
        return st;
    }
    s->p = calloc(s->table.x.n_rows, sizeof(*s->p));
    if (s->p == NULL) {
        pool_free(pool);
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", s->table.x.n_rows);
    }
    const double start_s = clock_mono_s();
    pool_run_blocks(pool, s->table.x.n_rows, BLOCK_ROWS, score_block, s);
    s->seconds = clock_mono_s() - start_s;
    pool_free(pool);
    if (s->m.is_binary && s->table.y != NULL)
        st = fit_binary_label(s->table.y, s->table.x.n_rows, s->m.low, s->m.high, err);
    return st;
}

/* --- predictions ------------------------------------------------------------------------------ */

static void put_number(struct buf *out, double v)
{
    char text[NUMBER_TEXT_SIZE];
    buf_put(out, text, number_format(v, text));
}

/* Limits are empty where the model states none. */
static enum ft_status write_predictions(const struct arguments *a, const struct scoring *s,
                                        struct ft_err *err)
{
    const struct conformal *band = model_conformal(s->m.model);
    struct buf out;
    buf_init(&out, 64 + s->table.x.n_rows * ROW_BYTES);
    buf_puts(&out, "prediction,lower,upper\n");
    for (size_t i = 0; i < s->table.x.n_rows; i++) {
        double lower = NAN, upper = NAN;
        if (band != NULL) {
            conformal_interval(band, s->p[i], &lower, &upper);
        }
        put_number(&out, s->p[i]);
        buf_putc(&out, ',');
        put_number(&out, lower);
        buf_putc(&out, ',');
        put_number(&out, upper);
        buf_putc(&out, '\n');
    }
    enum ft_status st = buf_status(&out, err);
    if (st == FT_OK && a->out != NULL)
        st = file_write(a->out, out.data, out.len, err);
    else if (st == FT_OK && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout)))
        st = ft_fail(err, FT_IO, "the predictions cannot be written");
    buf_free(&out);
    return st;
}

/* --- metrics ---------------------------------------------------------------------------------- */

/* Rows whose label is known, moved to the front. */
static size_t keep_labelled(struct scoring *s)
{
    struct table *t = &s->table;
    size_t n = 0;
    for (size_t i = 0; i < t->x.n_rows; i++) {
        if (isnan(t->y[i]))
            continue;
        s->p[n] = s->p[i];
        t->y[n] = t->y[i];
        if (t->failed != NULL)
            t->failed[n] = t->failed[i];
        n++;
    }
    return n;
}

static void add_coverage(cJSON *out, const struct scoring *s, size_t n)
{
    const struct conformal *band = model_conformal(s->m.model);
    size_t n_inside = 0;
    if (band == NULL || n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        double lower, upper;
        conformal_interval(band, s->p[i], &lower, &upper);
        n_inside += s->table.y[i] >= lower && s->table.y[i] <= upper;
    }
    json_add_number(out, "coverage_nominal", conformal_coverage(band));
    json_add_number(out, "coverage_observed", (double)n_inside / (double)n);
}

/* Rearranges p and y: predictions must be written before. */
static cJSON *metrics(struct scoring *s)
{
    cJSON *out = cJSON_CreateObject();
    if (s->table.y == NULL)
        return out;
    const size_t n = keep_labelled(s);
    const double *p = s->p, *y = s->table.y;
    switch (model_task_of(s->m.model)) {
    case TASK_CLASSIFY:
        json_add_number(out, "auc", metric_roc_auc(p, y, NULL, n));
        json_add_number(out, "pr_auc", metric_pr_auc(p, y, NULL, n));
        json_add_number(out, "logloss", metric_log_loss(p, y, NULL, n));
        json_add_number(out, "brier", metric_brier(p, y, NULL, n));
        break;
    case TASK_REGRESS:
        json_add_number(out, "rmse", metric_rmse(p, y, NULL, n));
        json_add_number(out, "mae", metric_mae(p, y, NULL, n));
        add_coverage(out, s, n);
        break;
    case TASK_SURVIVAL:
        if (s->table.failed != NULL)
            json_add_number(out, "concordance", metric_concordance(p, y, s->table.failed, n));
        break;
    }
    return out;
}

static int report(const struct arguments *a, struct scoring *s)
{
    cJSON *values = metrics(s);
    const cJSON *v;
    int code = 0;
    if (a->as_json) {
        cJSON *out = cJSON_CreateObject();
        json_add_int(out, "rows", (int64_t)s->table.x.n_rows);
        json_add_number(out, "seconds", s->seconds);
        cJSON_AddItemToObject(out, "metrics", values);
        if (a->out != NULL)
            json_add_string(out, "predictions", a->out);
        code = cli_print_json(out);
        cJSON_Delete(out);
        return code;
    }
    fprintf(stderr, "%zu rows in %.3f s\n", s->table.x.n_rows, s->seconds);
    cJSON_ArrayForEach (v, values) {
        fprintf(stderr, "%s %.6g\n", v->string, v->valuedouble);
    }
    cJSON_Delete(values);
    return code;
}

int cmd_score(int argc, char **argv)
{
    struct arguments a = {0};
    const struct cli_flag flags[] = {
        {"--model", CLI_STRING, &a.model, "MODEL", "model file of fettle fit"},
        {"--label", CLI_STRING, &a.label, "COL", "truth, for metrics; else as in the model"},
        {"--event-col", CLI_STRING, &a.event, "COL", "event flag of a survival model"},
        {"--out", CLI_STRING, &a.out, "PRED.csv", "predictions; else stdout (not with --json)"},
        {"--threads", CLI_INT, &a.threads, "N", "0 = all processors (0)"},
        {"--json", CLI_BOOL, &a.as_json, NULL, "print rows, seconds and metrics as JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle score --model m.model new.csv > predictions.csv\n"
                    "fettle score --model m.model test.csv --out predictions.csv --json\n"
                    "fettle score --model m.model x.npy --label y.npy --json",
        .synopsis = "fettle score --model MODEL TABLE [--label COL] [--out PRED.csv] [--json]",
        .text = "One line per row: prediction, lower, upper. The prediction is a probability, a\n"
                "value, or a log relative hazard; limits are given for regressions.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    struct scoring s = {0};
    struct ft_err err;
    const int parsed = cli_parse(&usage, argc, argv, &a.table, 1, NULL);
    if (parsed >= 0)
        return parsed;
    if (a.table == NULL || a.model == NULL)
        return cli_usage_error(a.table == NULL ? "which table?" : "--model is missing");
    if (a.threads < 0 || a.threads > 1024)
        return cli_usage_error("--threads %lld: expected 0 to 1024", (long long)a.threads);
    enum ft_status st = score(&a, &s, &err);
    if (st == FT_OK && (a.out != NULL || !a.as_json))
        st = write_predictions(&a, &s, &err);
    const int code = st == FT_OK ? report(&a, &s) : cli_fail(&err);
    free(s.p);
    table_free(&s.table);
    fit_model_close(&s.m);
    return code;
}
