/* fettle score: predictions of a model of fettle fit for every row of a table. */
#include "app/base/clock.h"
#include "app/base/file.h"
#include "app/base/pool.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/fit_job.h"
#include "app/fit_model.h"
#include "app/ingest/number.h"
#include "app/measure.h"
#include "models/conformal_survival.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 4096, ROW_BYTES = 3 * NUMBER_TEXT_SIZE };

struct arguments {
    const char *table, *model, *label, *event, *group, *out;
    int64_t threads, bootstrap;
    bool as_json;
};

struct scoring {
    struct fit_model m;
    struct table table;
    double *p;             /* [n_rows] */
    double *lower, *upper; /* [n_rows] */
    struct pool *pool;
    double seconds;
};

static void score_block(void *ctx, size_t begin, size_t end)
{
    const struct scoring *s = ctx;
    const struct matrix *x = &s->table.x;
    const struct matrix part = matrix_rows(x, begin, end - begin);
    model_predict(s->m.model, &part, s->p + begin);
}

/* Limits of the rows' lives, by their own curves. */
static void limit_lives(void *ctx, size_t begin, size_t end)
{
    struct scoring *s = ctx;
    const struct matrix *x = &s->table.x;
    double *wide = calloc(x->n_cols, sizeof(*wide));
    for (size_t i = begin; i < end; i++) {
        s->lower[i] = s->upper[i] = NAN;
        if (wide != NULL)
            fit_model_life_limits(&s->m, matrix_row_wide(x, i, wide), &s->lower[i], &s->upper[i]);
    }
    free(wide);
}

static enum ft_status read_rows(const struct arguments *a, struct scoring *s, struct ft_err *err)
{
    struct table_request request = {
        .label = a->label, .event = a->event, .group = a->group, .is_stopped = cli_is_interrupted};
    enum ft_status st = fit_model_open(a->model, &s->m, err);
    request.schema = &s->m.schema;
    if (st == FT_OK)
        st = pool_new((size_t)a->threads, &s->pool, err);
    request.pool = s->pool;
    if (st == FT_OK)
        st = table_read(a->table, &request, &s->table, err);
    return st;
}

static enum ft_status score(const struct arguments *a, struct scoring *s, struct ft_err *err)
{
    enum { LIFE_ROWS = 64 };
    enum ft_status st = read_rows(a, s, err);
    const size_t n = s->table.x.n_rows;
    if (st != FT_OK)
        return st;
    s->p = calloc(n, 3 * sizeof(*s->p));
    if (s->p == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", n);
    s->lower = s->p + n;
    s->upper = s->p + 2 * n;
    const double start_s = clock_mono_s();
    pool_run_blocks(s->pool, n, BLOCK_ROWS, score_block, s);
    s->seconds = clock_mono_s() - start_s;
    if (s->m.has_band)
        pool_run_blocks(s->pool, n, LIFE_ROWS, limit_lives, s);
    else
        st = model_intervals(s->m.model, &s->table.x, s->p, s->lower, s->upper, err);
    if (st == FT_OK && s->m.is_binary && s->table.y != NULL)
        st = fit_binary_label(s->table.y, n, s->m.low, s->m.high, err);
    return st;
}

/* --- predictions ------------------------------------------------------------------------------ */

static void put_number(struct buf *out, double v)
{
    char text[NUMBER_TEXT_SIZE];
    buf_put(out, text, number_format(v, text));
}

/* Limits are empty where the model states none, and where a life has no upper one. */
static enum ft_status write_predictions(const struct arguments *a, const struct scoring *s,
                                        struct ft_err *err)
{
    struct buf out;
    buf_init(&out, 64 + s->table.x.n_rows * ROW_BYTES);
    buf_puts(&out, "prediction,lower,upper\n");
    for (size_t i = 0; i < s->table.x.n_rows; i++) {
        put_number(&out, s->p[i]);
        buf_putc(&out, ',');
        put_number(&out, s->lower[i]);
        buf_putc(&out, ',');
        put_number(&out, isfinite(s->upper[i]) ? s->upper[i] : NAN);
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
static size_t keep_labelled(struct scoring *s, size_t *row)
{
    struct table *t = &s->table;
    size_t n = 0;
    for (size_t i = 0; i < t->x.n_rows; i++) {
        if (isnan(t->y[i]))
            continue;
        s->p[n] = s->p[i];
        s->lower[n] = s->lower[i];
        s->upper[n] = s->upper[i];
        t->y[n] = t->y[i];
        if (t->failed != NULL)
            t->failed[n] = t->failed[i];
        if (t->group != NULL)
            t->group[n] = t->group[i];
        row[n++] = i;
    }
    return n;
}

/* Lives are told from the ends that were seen, each for the censored it stands for. */
static enum ft_status add_coverage(cJSON *metrics, const struct scoring *s, size_t n,
                                   struct ft_err *err)
{
    const bool is_life = model_task_of(s->m.model) == TASK_SURVIVAL;
    const double stated = is_life ? s->m.band_coverage : model_coverage(s->m.model);
    struct censoring *c = NULL;
    double *weight = NULL;
    enum ft_status st = FT_OK;
    if (n == 0 || (is_life ? !s->m.has_band || s->table.failed == NULL : isnan(stated)))
        return FT_OK;
    if (is_life) {
        weight = calloc(n, sizeof(*weight));
        st = weight != NULL ? censoring_fit(s->table.y, s->table.failed, n, &c, err)
                            : ft_fail(err, FT_NOMEM, "no memory for %zu rows", n);
        if (st == FT_OK)
            censoring_weights(c, s->table.y, s->table.failed, n, weight);
    }
    if (st == FT_OK) {
        const struct coverage got = coverage_observed(s->lower, s->upper, s->table.y, weight, n);
        json_add_number(metrics, "coverage_nominal", stated);
        json_add_number(metrics, "coverage_observed", got.observed);
    }
    censoring_free(c);
    free(weight);
    return st;
}

struct curves {
    const struct scoring *s;
    const size_t *row;
    double times[MEASURE_N_TIMES];
    size_t n_times;
    double *p; /* [n][n_times] */
};

static void curve_block(void *ctx, size_t begin, size_t end)
{
    const struct curves *c = ctx;
    const struct matrix *x = &c->s->table.x;
    double *wide = calloc(x->n_cols, sizeof(*wide));
    for (size_t i = begin; i < end; i++)
        for (size_t k = 0; k < c->n_times; k++)
            c->p[i * c->n_times + k] =
                wide == NULL
                    ? NAN
                    : model_failure_probability(c->s->m.model, matrix_row_wide(x, c->row[i], wide),
                                                0, c->times[k]);
    free(wide);
}

/* Rearranges p, limits and y: predictions must be written before. Adds members to out. */
static enum ft_status add_metrics(const struct arguments *a, struct scoring *s, cJSON *out,
                                  struct ft_err *err)
{
    enum { CURVE_ROWS = 256 };
    struct table *t = &s->table;
    const enum model_task task = model_task_of(s->m.model);
    struct curves c = {.s = s};
    if (t->y == NULL) {
        json_add_object(out, "metrics");
        return FT_OK;
    }
    size_t *row = calloc(t->x.n_rows, sizeof(*row));
    if (row == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", t->x.n_rows);
    const size_t n = keep_labelled(s, row);
    c.row = row;
    if (task == TASK_SURVIVAL && t->failed != NULL)
        c.n_times = measure_times(t->y, t->failed, n, c.times);
    c.p = calloc(n * c.n_times + 1, sizeof(*c.p));
    if (c.p != NULL)
        pool_run_blocks(s->pool, n, CURVE_ROWS, curve_block, &c);
    const struct measure_rows rows = {.task = task,
                                      .n = n,
                                      .p = s->p,
                                      .y = t->y,
                                      .failed = t->failed,
                                      .group = t->group,
                                      .quantile = NAN,
                                      .times = c.times,
                                      .curve = c.p,
                                      .n_times = c.n_times};
    const struct measure_options options = {.n_repeats = a->bootstrap < 0 ? MEASURE_AUTO
                                                                          : (size_t)a->bootstrap,
                                            .level = 0.95,
                                            .seed = 1};
    enum ft_status st = c.p != NULL ? measure(&rows, &options, s->pool, out, err)
                                    : ft_fail(err, FT_NOMEM, "no memory for %zu rows", n);
    if (st == FT_OK)
        st = add_coverage(cJSON_GetObjectItemCaseSensitive(out, "metrics"), s, n, err);
    free(c.p);
    free(row);
    return st;
}

static void print_metrics(const cJSON *out)
{
    const cJSON *v, *intervals = json_get(out, "intervals");
    cJSON_ArrayForEach (v, json_get(out, "metrics")) {
        const cJSON *limits = intervals != NULL ? json_get(intervals, v->string) : NULL;
        const cJSON *lower = cJSON_GetArrayItem(limits, 0), *upper = cJSON_GetArrayItem(limits, 1);
        fprintf(stderr, "%s %.6g", v->string, cJSON_IsNumber(v) ? v->valuedouble : NAN);
        if (cJSON_IsNumber(lower) && cJSON_IsNumber(upper))
            fprintf(stderr, " (%.6g to %.6g)", lower->valuedouble, upper->valuedouble);
        fprintf(stderr, "\n");
    }
}

static int report(const struct arguments *a, struct scoring *s)
{
    struct ft_err err;
    cJSON *out = cJSON_CreateObject();
    int code = 0;
    json_add_int(out, "rows", (int64_t)s->table.x.n_rows);
    json_add_number(out, "seconds", s->seconds);
    if (add_metrics(a, s, out, &err) != FT_OK) {
        code = cli_fail(&err);
    } else if (a->as_json) {
        if (a->out != NULL)
            json_add_string(out, "predictions", a->out);
        code = cli_print_json(out);
    } else {
        fprintf(stderr, "%zu rows in %.3f s\n", s->table.x.n_rows, s->seconds);
        print_metrics(out);
    }
    cJSON_Delete(out);
    return code;
}

int cmd_score(int argc, char **argv)
{
    struct arguments a = {.bootstrap = -1};
    const struct cli_flag flags[] = {
        {"--model", CLI_STRING, &a.model, "MODEL", "model file of fettle fit"},
        {"--label", CLI_STRING, &a.label, "COL", "truth, for metrics; else as in the model"},
        {"--event-col", CLI_STRING, &a.event, "COL", "event flag of a survival model"},
        {"--group", CLI_STRING, &a.group, "COL", "rows drawn together for intervals of metrics"},
        {"--bootstrap", CLI_INT, &a.bootstrap, "N",
         "repeats for intervals of metrics (200; above 20,000 rows 0)"},
        {"--out", CLI_STRING, &a.out, "PRED.csv", "predictions; else stdout (not with --json)"},
        {"--threads", CLI_INT, &a.threads, "N", "0 = all processors (0)"},
        {"--json", CLI_BOOL, &a.as_json, NULL, "print rows, seconds and metrics as JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle score --model m.model new.csv > predictions.csv\n"
                    "fettle score --model m.model test.csv --out predictions.csv --json\n"
                    "fettle score --model m.model x.npy --label y.npy --json",
        .synopsis = "fettle score --model MODEL TABLE [--label COL] [--out PRED.csv] [--json]",
        .text =
            "One line per row: prediction, lower, upper. The prediction is a probability, a\n"
            "value, or a log relative hazard; limits are given for regressions, and for lives as\n"
            "times from age 0 (upper empty where the curve does not reach it).",
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
    if (a.bootstrap < -1 || a.bootstrap == 1 || a.bootstrap > 100000)
        return cli_usage_error("--bootstrap %lld: expected 0 or 2 to 100000",
                               (long long)a.bootstrap);
    enum ft_status st = score(&a, &s, &err);
    if (st == FT_OK && (a.out != NULL || !a.as_json))
        st = write_predictions(&a, &s, &err);
    const int code = st == FT_OK ? report(&a, &s) : cli_fail(&err);
    free(s.p);
    pool_free(s.pool);
    table_free(&s.table);
    fit_model_close(&s.m);
    return code;
}
