#include "app/fit_report.h"

#include "app/base/file.h"
#include "app/ingest/number.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { OOF_ROW_BYTES = 96 };

static int64_t peak_rss_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

static void add_candidates(cJSON *out, const struct fit_outcome *o)
{
    cJSON *list = json_add_array(out, "candidates");
    for (size_t i = 0; i < o->specs.n; i++) {
        const struct validate_result *r = &o->results[i];
        cJSON *c = json_add_object(list, NULL);
        json_add_string(c, "kind", model_kind_name(o->specs.items[i].kind));
        cJSON_AddItemToObject(c, "params", fit_spec_to_json(&o->specs.items[i]));
        cJSON_AddItemToObject(c, "cv", fit_outcome_cv(o, i));
        json_add_number(c, "seconds", r->seconds);
        json_add_int(c, "folds_seen", (int64_t)r->n_folds);
        if (r->n_trees > 0)
            json_add_int(c, "trees", (int64_t)r->n_trees);
        json_add_bool(c, "chosen", i == o->best);
        if (r->status != FT_OK)
            json_add_string(c, "failed", r->reason);
    }
}

static void nested_mean(const struct fit_outcome *o, double *mean, double *std)
{
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t f = 0; f < o->n_folds; f++)
        if (!isnan(o->nested_metric[f])) {
            sum += o->nested_metric[f];
            n++;
        }
    *mean = n > 0 ? sum / (double)n : NAN;
    for (size_t f = 0; f < o->n_folds; f++)
        if (!isnan(o->nested_metric[f]))
            squares += (o->nested_metric[f] - *mean) * (o->nested_metric[f] - *mean);
    *std = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static void add_nested(cJSON *out, const struct fit_outcome *o)
{
    double mean, std;
    nested_mean(o, &mean, &std);
    cJSON *nested = json_add_object(out, "nested");
    json_add_string(nested, "metric", validate_metric_name(o->metric));
    json_add_number(nested, "mean", mean);
    json_add_number(nested, "std", std);
    cJSON *per_fold = json_add_array(nested, "per_fold");
    cJSON *chosen = json_add_array(nested, "chosen");
    for (size_t f = 0; f < o->n_folds; f++) {
        json_add_number(per_fold, NULL, o->nested_metric[f]);
        json_add_int(chosen, NULL, (int64_t)o->nested_choice[f]);
    }
}

static void add_speed(cJSON *out, const struct fit_outcome *o)
{
    json_add_number(out, "read_seconds", o->read_s);
    json_add_number(out, "fit_seconds", o->fit_s);
    json_add_number(out, "cv_seconds", o->cv_s);
    json_add_number(out, "seconds", o->seconds);
    json_add_number(out, "cores_used", o->cores_used);
    json_add_number(out, "efficiency", o->efficiency);
    json_add_number(out, "serial_share", o->serial_share);
    json_add_int(out, "peak_rss_bytes", peak_rss_bytes());
    json_add_int(out, "planned_bytes", (int64_t)o->memory_bytes);
}

cJSON *fit_report_json(const struct fit_outcome *o, const char *path, uint64_t seed,
                       size_t n_threads)
{
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "model", path);
    json_add_string(out, "kind", model_kind_name(model_kind_of(o->model)));
    json_add_string(out, "task", model_task_name(o->task));
    json_add_int(out, "rows", (int64_t)o->table.x.n_rows);
    json_add_int(out, "features", (int64_t)o->table.x.n_cols);
    json_add_int(out, "threads", (int64_t)n_threads);
    json_add_int(out, "seed", (int64_t)seed);
    add_speed(out, o);
    json_add_string(out, "model_sha256", o->sha256);
    if (o->results != NULL) {
        cJSON_AddItemToObject(out, "cv", fit_outcome_cv(o, o->best));
        add_candidates(out, o);
    } else {
        json_add_null(out, "cv");
    }
    const cJSON *part;
    cJSON_ArrayForEach (part, o->study) {
        cJSON *copy = cJSON_Duplicate(part, 1);
        if (!cJSON_AddItemToObject(out, part->string, copy))
            cJSON_Delete(copy);
    }
    if (o->nested_metric != NULL)
        add_nested(out, o);
    cJSON_AddItemToObject(out, "best", fit_spec_to_json(&o->chosen));
    if (o->table.notes.len > 0)
        json_add_string(out, "notes", o->table.notes.data);
    return out;
}

static void print_candidate(const struct fit_outcome *o, size_t i, FILE *to)
{
    const struct validate_result *r = &o->results[i];
    char dropped[48] = "";
    if (r->n_folds < o->n_folds)
        snprintf(dropped, sizeof(dropped), ", dropped after fold %zu", r->n_folds);
    fprintf(to, "%s candidate %zu (%s): %s %.4f +- %.4f, %.1f s%s%s%s\n", i == o->best ? "*" : " ",
            i + 1, model_kind_name(o->specs.items[i].kind), validate_metric_name(o->metric),
            r->mean, r->std, r->seconds, dropped, r->status != FT_OK ? ", failed: " : "",
            r->reason);
}

/* "auc 0.9312 (0.9105 to 0.9477)" of each metric, as far as there are intervals. */
static void print_metrics(const cJSON *oof, FILE *to)
{
    const cJSON *metrics = json_get(oof, "metrics"), *intervals = json_get(oof, "intervals");
    const cJSON *m;
    const char *between = "out of fold: ";
    cJSON_ArrayForEach (m, metrics) {
        const cJSON *limits = intervals != NULL ? json_get(intervals, m->string) : NULL;
        const cJSON *lower = cJSON_GetArrayItem(limits, 0), *upper = cJSON_GetArrayItem(limits, 1);
        if (!cJSON_IsNumber(m))
            continue;
        fprintf(to, "%s%s %.4g", between, m->string, m->valuedouble);
        if (cJSON_IsNumber(lower) && cJSON_IsNumber(upper))
            fprintf(to, " (%.4g to %.4g)", lower->valuedouble, upper->valuedouble);
        between = ", ";
    }
    fprintf(to, "\n");
}

static void print_interval(const cJSON *interval, FILE *to)
{
    double stated = NAN, observed = NAN, lower = NAN, upper = NAN;
    (void)json_number(interval, "stated", false, &stated, NULL);
    (void)json_number(interval, "observed", false, &observed, NULL);
    (void)json_number(interval, "observed_lower", false, &lower, NULL);
    (void)json_number(interval, "observed_upper", false, &upper, NULL);
    if (isnan(observed))
        fprintf(to, "intervals: stated %.0f %%\n", 100 * stated);
    else
        fprintf(to, "intervals: stated %.0f %%, observed %.1f %% (%.1f to %.1f)\n", 100 * stated,
                100 * observed, 100 * lower, 100 * upper);
}

static void print_study(const struct fit_outcome *o, FILE *to)
{
    enum { SHOWN = 10 };
    const cJSON *oof = o->study != NULL ? json_get(o->study, "oof") : NULL;
    const cJSON *interval = o->study != NULL ? json_get(o->study, "interval") : NULL;
    const cJSON *importance = o->study != NULL ? json_get(o->study, "importance") : NULL, *row;
    int n = 0;
    if (oof != NULL)
        print_metrics(oof, to);
    if (interval != NULL)
        print_interval(interval, to);
    cJSON_ArrayForEach (row, importance) {
        const cJSON *name = json_get(row, "column"), *mean = json_get(row, "mean");
        if (n++ < SHOWN && cJSON_IsString(name) && cJSON_IsNumber(mean))
            fprintf(to, "  shuffling %s costs %.4f\n", name->valuestring, mean->valuedouble);
    }
}

void fit_report_text(const struct fit_outcome *o, const char *path, uint64_t seed, size_t n_threads,
                     FILE *to)
{
    const struct validate_result *r = o->results != NULL ? &o->results[o->best] : NULL;
    fprintf(to, "%s, task %s: %zu rows, %zu features, seed %llu\n",
            model_kind_name(model_kind_of(o->model)), model_task_name(o->task), o->table.x.n_rows,
            o->table.x.n_cols, (unsigned long long)seed);
    for (size_t i = 0; r != NULL && o->specs.n > 1 && i < o->specs.n; i++)
        print_candidate(o, i, to);
    if (r != NULL)
        fprintf(to, "%zu folds: %s %.4f, standard deviation %.4f\n", o->n_folds,
                validate_metric_name(o->metric), r->mean, r->std);
    print_study(o, to);
    if (o->nested_metric != NULL) {
        double mean, std;
        nested_mean(o, &mean, &std);
        fprintf(to, "nested: %s %.4f, standard deviation %.4f (the choice counted)\n",
                validate_metric_name(o->metric), mean, std);
    }
    fprintf(to, "read %.2f s, cross-validation %.2f s, final fit %.2f s on %zu threads\n",
            o->read_s, o->cv_s, o->fit_s, n_threads);
    fprintf(to, "%.2f cores used, efficiency %.0f %%, ", o->cores_used, 100 * o->efficiency);
    if (!isnan(o->serial_share))
        fprintf(to, "serial share %.0f %% (Amdahl), ", 100 * o->serial_share);
    fprintf(to, "peak memory %lld MiB (%zu planned)\n", (long long)(peak_rss_bytes() >> 20),
            o->memory_bytes >> 20);
    fprintf(to, "%s: %zu bytes, SHA-256 %s\n", path, o->n_bytes, o->sha256);
}

enum ft_status fit_report_oof(const struct fit_outcome *o, const char *path, struct ft_err *err)
{
    struct buf out;
    if (o->results == NULL)
        return ft_fail(err, FT_INVALID, "out-of-fold predictions need cross-validation");
    const double *raw = o->results[o->best].raw;
    buf_init(&out, 64 + o->table.x.n_rows * OOF_ROW_BYTES);
    buf_puts(&out, "row,fold,label,prediction\n");
    for (size_t i = 0; i < o->table.x.n_rows; i++) {
        char label[NUMBER_TEXT_SIZE], prediction[NUMBER_TEXT_SIZE];
        if (isnan(raw[i]))
            continue;
        number_format(o->table.y[i], label);
        number_format(o->task == TASK_CLASSIFY ? 1 / (1 + exp(-raw[i])) : raw[i], prediction);
        buf_printf(&out, "%zu,%u,%s,%s\n", i + 1, o->fold_of[i], label, prediction);
    }
    enum ft_status st = buf_status(&out, err);
    if (st == FT_OK)
        st = file_write(path, out.data, out.len, err);
    buf_free(&out);
    return st;
}
