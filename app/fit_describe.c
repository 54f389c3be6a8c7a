/* What a model file says about itself: enough to make it again. */
#include "app/fit_private.h"
#include "app/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *fit_outcome_cv(const struct fit_outcome *o, size_t candidate)
{
    cJSON *cv = cJSON_CreateObject();
    const struct validate_result *r = &o->results[candidate];
    json_add_int(cv, "folds", (int64_t)o->n_folds);
    json_add_string(cv, "metric", validate_metric_name(o->metric));
    json_add_number(cv, "mean", r->mean);
    json_add_number(cv, "std", r->std);
    cJSON *per_fold = json_add_array(cv, "per_fold");
    for (size_t f = 0; f < o->n_folds; f++)
        json_add_number(per_fold, NULL, r->fold_metric[f]);
    return cv;
}

/* Takes and frees the JSON. */
static enum ft_status set_json(struct model *m, const char *key, cJSON *value, struct ft_err *err)
{
    char *text = value != NULL ? json_print(value, false) : NULL;
    const enum ft_status st = text != NULL
                                  ? model_set_text(m, key, text, err)
                                  : ft_fail(err, FT_NOMEM, "model text %s: no memory", key);
    cJSON_free(text);
    cJSON_Delete(value);
    return st;
}

/* --- sums of the files ------------------------------------------------------------------------ */

static void *hash_files(void *ctx)
{
    struct fit_hashes *h = ctx;
    for (size_t i = 0; i < h->n && h->status == FT_OK; i++)
        h->status = hash_sha256_file(h->place[i], h->hex[i], &h->err);
    return NULL;
}

static void add_file(const struct fit_request *q, const char *name, size_t *k, struct fit_hashes *h)
{
    if (name == NULL)
        return;
    h->name[h->n] = name;
    h->place[h->n++] = fit_place_of(q, name, k);
}

void fit_hashes_begin(const struct fit_request *q, size_t n_threads, struct fit_hashes *h)
{
    size_t k = 0;
    *h = (struct fit_hashes){.status = FT_OK};
    add_file(q, q->path, &k, h);
    if (table_is_npy(q->path)) {
        add_file(q, q->label, &k, h);
        add_file(q, q->event, &k, h);
        add_file(q, q->group, &k, h);
        add_file(q, q->time, &k, h);
    }
    h->is_running = n_threads > 1 && pthread_create(&h->thread, NULL, hash_files, h) == 0;
}

enum ft_status fit_hashes_end(struct fit_hashes *h, bool is_wanted, struct ft_err *err)
{
    if (h->is_running)
        (void)pthread_join(h->thread, NULL);
    else if (is_wanted)
        (void)hash_files(h);
    h->is_running = false;
    return is_wanted && h->status != FT_OK ? ft_fail(err, h->status, "%s", h->err.msg) : FT_OK;
}

/* Names and sums of the files; all sums together make the fingerprint. Names are without folders:
 * the same data anywhere gives the same model. */
static enum ft_status describe_data(const struct fit_hashes *h, struct model *m, cJSON *files,
                                    struct ft_err *err)
{
    struct buf all;
    char fingerprint[HASH_HEX_SIZE];
    buf_init(&all, 4096);
    for (size_t i = 0; i < h->n; i++) {
        cJSON *file = json_add_object(files, NULL);
        json_add_string(file, "path", fit_base_name(h->name[i]));
        json_add_string(file, "sha256", h->hex[i]);
        buf_puts(&all, h->hex[i]);
    }
    enum ft_status st = buf_status(&all, err);
    if (st == FT_OK) {
        hash_sha256(all.data, all.len, fingerprint);
        st = model_set_text(m, "fingerprint", fingerprint, err);
    }
    buf_free(&all);
    return st;
}

/* A column's name, or that of a vector's file. */
static void add_name(cJSON *p, const char *key, const struct fit_request *q, const char *name)
{
    json_add_string(p, key, name != NULL && table_is_npy(q->path) ? fit_base_name(name) : name);
}

/* Everything that fettle replay needs to run the same request again. */
static cJSON *describe_request(const struct fit_request *q, const struct fit_outcome *o,
                               const struct fit_label *label)
{
    cJSON *p = cJSON_CreateObject();
    add_name(p, "label", q, q->label);
    add_name(p, "group", q, q->group);
    add_name(p, "event", q, q->event);
    add_name(p, "time", q, q->time);
    json_add_string(p, "embargo", q->embargo);
    json_add_string(p, "drop", q->drop);
    json_add_string(p, "category", q->category);
    json_add_string(p, "trust", q->trusted);
    if (q->monotone != NULL)
        json_add_string(p, "monotone", q->monotone);
    json_add_string(p, "task", model_task_name(o->task));
    json_add_string(p, "metric", validate_metric_name(o->metric));
    json_add_int(p, "folds", (int64_t)q->n_folds);
    json_add_number(p, "coverage", q->coverage);
    json_add_bool(p, "cv_plus", q->is_cross);
    json_add_string(p, "calibration", fit_calibration_name(q->calibration));
    json_add_bool(p, "halving", q->is_halving);
    json_add_bool(p, "one_se", q->is_one_se);
    if (o->task == TASK_CLASSIFY) {
        cJSON *values = json_add_array(p, "label_values");
        json_add_number(values, NULL, label->low);
        json_add_number(values, NULL, label->high);
    }
    cJSON *candidates = json_add_array(p, "candidates");
    for (size_t i = 0; i < o->specs.n; i++) {
        cJSON *spec = fit_spec_to_json(&o->specs.items[i]);
        if (!cJSON_AddItemToArray(candidates, spec))
            cJSON_Delete(spec);
    }
    json_add_int(p, "best", (int64_t)o->best);
    return p;
}

enum ft_status fit_describe(const struct fit_request *q, struct fit_outcome *o,
                            const struct fit_label *label, const struct fit_hashes *hashes,
                            struct ft_err *err)
{
    char seed[24];
    struct model *m = o->model;
    cJSON *params = describe_request(q, o, label);
    cJSON *files = json_add_array(params, "files");
    enum ft_status st = describe_data(hashes, m, files, err);
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)q->seed);
    if (st == FT_OK)
        st = set_json(m, "params", cJSON_Duplicate(params, 1), err);
    if (st == FT_OK)
        st = set_json(m, "features", table_schema_features(&o->table.schema), err);
    if (st == FT_OK)
        st = set_json(m, "table", table_schema_rest(&o->table.schema), err);
    if (st == FT_OK && o->results != NULL)
        st = set_json(m, "metrics", fit_outcome_cv(o, o->best), err);
    if (st == FT_OK)
        st = model_set_text(m, "seed", seed, err);
    if (st == FT_OK)
        st = model_set_text(m, "build", FETTLE_VERSION, err);
    if (st == FT_OK)
        st = model_set_text(m, "source", "fit", err);
    cJSON_Delete(params);
    return st;
}
