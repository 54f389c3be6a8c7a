/* fettle replay: makes a model again from the same data and says whether every byte is the same. */
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/fit_job.h"
#include "app/fit_model.h"
#include "app/fit_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 120 };

struct arguments {
    const char *words[1 + FIT_SOURCE_MAX]; /* the model, then where its files lie now */
    size_t n_words;
    int64_t threads;
    bool as_json;
};

/* The request as the model records it. */
static enum ft_status request_of(const struct fit_model *m, struct fit_request *q,
                                 struct ft_err *err)
{
    const cJSON *p = m->params, *files = NULL;
    const char *task = NULL, *metric = NULL, *calibration = "platt",
               *seed = model_text(m->model, "seed");
    int64_t folds = 0;
    char *end = NULL;
    enum ft_status st = json_array(p, "files", true, &files, err);
    if (st == FT_OK)
        st = json_string(cJSON_GetArrayItem(files, 0), "path", true, &q->path, err);
    if (st == FT_OK)
        st = json_string(p, "label", true, &q->label, err);
    if (st == FT_OK)
        st = json_string(p, "group", false, &q->group, err);
    if (st == FT_OK)
        st = json_string(p, "event", false, &q->event, err);
    if (st == FT_OK)
        st = json_string(p, "time", false, &q->time, err);
    if (st == FT_OK)
        st = json_string(p, "embargo", false, &q->embargo, err);
    if (st == FT_OK)
        st = json_bool(p, "halving", false, &q->is_halving, err);
    if (st == FT_OK)
        st = json_bool(p, "one_se", false, &q->is_one_se, err);
    if (st == FT_OK)
        st = json_string(p, "drop", false, &q->drop, err);
    if (st == FT_OK)
        st = json_string(p, "category", false, &q->category, err);
    if (st == FT_OK)
        st = json_string(p, "trust", false, &q->trusted, err);
    if (st == FT_OK)
        st = json_bool(p, "cv_plus", false, &q->is_cross, err);
    if (st == FT_OK)
        st = json_string(p, "calibration", false, &calibration, err);
    if (st == FT_OK)
        st = json_string(p, "monotone", false, &q->monotone, err);
    if (st == FT_OK)
        st = json_string(p, "task", true, &task, err);
    if (st == FT_OK)
        st = json_string(p, "metric", true, &metric, err);
    if (st == FT_OK)
        st = json_int(p, "folds", true, 0, 100, &folds, err);
    if (st == FT_OK)
        st = json_number(p, "coverage", true, &q->coverage, err);
    if (st == FT_OK)
        st = json_array(p, "candidates", true, &q->grid, err);
    if (st != FT_OK)
        return st;
    q->task = model_task_by_name(task);
    q->metric = validate_metric_by_name(metric);
    q->calibration = fit_calibration_by_name(calibration);
    q->n_folds = (size_t)folds;
    q->seed = seed != NULL ? strtoull(seed, &end, 10) : 0;
    if (q->task < 0 || q->metric < 0 || q->calibration < 0 || end == NULL || *end != '\0')
        return ft_fail(err, FT_INVALID, "task, metric, calibration or seed is not known");
    q->base = model_spec_default(MODEL_GBDT, (enum model_task)q->task);
    q->is_stopped = cli_is_interrupted;
    return FT_OK;
}

/* The data must be what it was: otherwise a difference would say nothing. */
static enum ft_status check_files(const struct fit_model *m, char *const *place, size_t n,
                                  struct ft_err *err)
{
    const cJSON *files = json_get(m->params, "files"), *file;
    size_t k = 0;
    cJSON_ArrayForEach (file, files) {
        const char *then = NULL;
        char now[HASH_HEX_SIZE];
        if (k == n)
            break;
        enum ft_status st = json_string(file, "sha256", true, &then, err);
        if (st == FT_OK)
            st = hash_sha256_file(place[k], now, err);
        if (st != FT_OK)
            return st;
        if (strcmp(then, now) != 0)
            return ft_fail(err, FT_CONFLICT,
                           "%s has changed since the model was made (SHA-256 %.16s... then, "
                           "%.16s... now)",
                           place[k], then, now);
        k++;
    }
    return FT_OK;
}

struct difference {
    size_t line; /* 0 = none */
    char then[SHOWN], now[SHOWN];
};

static void copy_line(const char *text, size_t len, size_t begin, char out[SHOWN])
{
    size_t n = 0;
    while (begin + n < len && n + 1 < SHOWN && text[begin + n] != '\n') {
        out[n] = text[begin + n];
        n++;
    }
    out[n] = '\0';
}

static struct difference compare(const char *then, size_t n_then, const char *now, size_t n_now)
{
    struct difference d = {0};
    size_t i = 0, begin = 0, line = 1;
    while (i < n_then && i < n_now && then[i] == now[i]) {
        if (then[i++] == '\n') {
            begin = i;
            line++;
        }
    }
    if (i == n_then && i == n_now)
        return d;
    d.line = line;
    copy_line(then, n_then, begin, d.then);
    copy_line(now, n_now, begin, d.now);
    return d;
}

static int report(const struct arguments *a, const struct fit_outcome *o,
                  const struct difference *d)
{
    const int code = d->line == 0 ? 0 : 1;
    if (!a->as_json) {
        if (d->line == 0)
            printf("identical: %zu bytes, SHA-256 %s\n", o->n_bytes, o->sha256);
        else
            printf("first difference in line %zu\n  then: %s\n  now:  %s\n", d->line, d->then,
                   d->now);
        return code;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "model", a->words[0]);
    json_add_bool(out, "identical", d->line == 0);
    json_add_string(out, "model_sha256", o->sha256);
    if (d->line > 0) {
        cJSON *first = json_add_object(out, "first_difference");
        json_add_int(first, "line", (int64_t)d->line);
        json_add_string(first, "then", d->then);
        json_add_string(first, "now", d->now);
    }
    const int printed = cli_print_json(out);
    cJSON_Delete(out);
    return printed != 0 ? printed : code;
}

/* Where the files lie: as the command line says, else where they can be found. */
static enum ft_status find_files(const struct fit_model *m, const struct arguments *a, char **place,
                                 size_t *n, struct ft_err *err)
{
    const char *names[FIT_SOURCE_MAX];
    const cJSON *file;
    *n = 0;
    cJSON_ArrayForEach (file, json_get(m->params, "files")) {
        if (*n == FIT_SOURCE_MAX)
            return ft_fail(err, FT_INVALID, "more than %d files", FIT_SOURCE_MAX);
        const enum ft_status st = json_string(file, "path", true, &names[*n], err);
        if (st != FT_OK)
            return st;
        (*n)++;
    }
    if (a->n_words == 1)
        return fit_source_find(a->words[0], names, *n, place, err);
    for (size_t i = 0; i < *n; i++) {
        place[i] = strdup(i + 1 < a->n_words ? a->words[i + 1] : names[i]);
        if (place[i] == NULL)
            return ft_fail(err, FT_NOMEM, "replay: no memory");
    }
    return FT_OK;
}

static int replay(const struct arguments *a)
{
    struct fit_model m;
    char *place[FIT_SOURCE_MAX] = {0};
    struct fit_request q = {.moved = (const char *const *)place};
    struct fit_outcome o = {0};
    struct pool *pool = NULL;
    struct ft_err err;
    int code;

    enum ft_status st = fit_model_open(a->words[0], &m, &err);
    if (st == FT_OK)
        st = request_of(&m, &q, &err);
    if (st == FT_OK)
        st = find_files(&m, a, place, &q.n_moved, &err);
    if (st == FT_OK)
        st = check_files(&m, place, q.n_moved, &err);
    if (st == FT_OK)
        st = pool_new((size_t)a->threads, &pool, &err);
    if (st == FT_OK)
        st = fit_job_run(&q, pool, &o, &err);
    if (st == FT_OK) {
        const struct difference d = compare(m.bytes.data, m.bytes.len, o.bytes, o.n_bytes);
        code = report(a, &o, &d);
    } else {
        code = cli_fail(&err);
    }
    fit_outcome_free(&o);
    pool_free(pool);
    fit_model_close(&m);
    for (size_t i = 0; i < FIT_SOURCE_MAX; i++)
        free(place[i]);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    struct arguments a = {0};
    const struct cli_flag flags[] = {
        {"--threads", CLI_INT, &a.threads, "N", "0 = all processors (0)"},
        {"--json", CLI_BOOL, &a.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle replay m.model\nfettle replay m.model moved/table.csv --json",
        .synopsis = "fettle replay MODEL [TABLE...] [--json]",
        .text =
            "Makes the model again from the files it records (named here in the same order, or\n"
            "where MODEL.source says they were, in this folder or beside the model) and\n"
            "compares every byte. Exit code 0: identical, 1: not, 5: the\n"
            "data has changed.",
        .flags = flags,
        .n_flags = 2};
    const int parsed = cli_parse(&usage, argc, argv, a.words, 1 + FIT_SOURCE_MAX, &a.n_words);
    if (parsed >= 0)
        return parsed;
    if (a.n_words == 0)
        return cli_usage_error("which model?");
    if (a.threads < 0 || a.threads > 1024)
        return cli_usage_error("--threads %lld: expected 0 to 1024", (long long)a.threads);
    return replay(&a);
}
