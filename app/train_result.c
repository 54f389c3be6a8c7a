/* A training result as JSON: what the child process of the night hands to the server. */
#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/train_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MODELS = 1000 };

void train_result_free(struct train_result *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n_models; i++) {
        struct train_model *m = &r->models[i];
        free(m->reason);
        free(m->params);
        free(m->features);
        free(m->metrics);
        free(m->fingerprint);
        free(m->sha256);
        free(m->body);
    }
    free(r->models);
    free(r->class_name);
    free(r->target);
    cJSON_Delete(r->report);
    free(r);
}

cJSON *train_result_to_json(const struct train_result *r)
{
    cJSON *json = cJSON_CreateObject();
    if (json == NULL)
        return NULL;
    json_add_int(json, "class_id", r->class_id);
    json_add_string(json, "class", r->class_name);
    json_add_string(json, "target", r->target);
    json_add_int(json, "horizon_ms", r->horizon_ms);
    json_add_int(json, "until_ms", r->until_ms);
    json_add_int(json, "seed", (int64_t)r->seed);
    cJSON *list = json_add_array(json, "models");
    for (size_t i = 0; i < r->n_models; i++) {
        const struct train_model *m = &r->models[i];
        cJSON *o = json_add_object(list, NULL);
        json_add_int(o, "component_id", m->component_id);
        json_add_string(o, "kind", m->kind);
        json_add_bool(o, "is_champion", m->is_champion);
        json_add_bool(o, "beats_baseline", m->beats_baseline);
        json_add_number(o, "score", m->score);
        json_add_number(o, "score_se", m->score_se);
        json_add_string(o, "reason", m->reason);
        json_add_string(o, "params", m->params);
        json_add_string(o, "features", m->features);
        json_add_string(o, "metrics", m->metrics);
        json_add_string(o, "fingerprint", m->fingerprint);
        json_add_string(o, "sha256", m->sha256);
        json_add_string(o, "body", m->body);
    }
    cJSON *report = cJSON_Duplicate(r->report, true);
    if (report != NULL)
        cJSON_AddItemToObject(json, "report", report);
    return json;
}

static enum ft_status get_text(const cJSON *o, const char *key, char **out, struct ft_err *err)
{
    const char *text = NULL;
    const enum ft_status st = json_string(o, key, true, &text, err);
    if (st != FT_OK)
        return st;
    *out = strdup(text);
    return *out != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "train result: no memory");
}

static enum ft_status get_model(const cJSON *o, struct train_model *m, struct ft_err *err)
{
    const int64_t max = INT64_C(1) << 53;
    const char *kind = NULL;
    m->score_se = NAN; /* null when it is unknown */
    enum ft_status st = json_int(o, "component_id", true, 0, max, &m->component_id, err);
    if (st == FT_OK)
        st = json_string(o, "kind", true, &kind, err);
    if (st == FT_OK && strlen(kind) >= sizeof(m->kind))
        st = ft_fail(err, FT_INVALID, "train result: kind \"%.40s\"", kind);
    if (st == FT_OK)
        memcpy(m->kind, kind, strlen(kind) + 1);
    if (st == FT_OK)
        st = json_bool(o, "is_champion", true, &m->is_champion, err);
    if (st == FT_OK)
        st = json_bool(o, "beats_baseline", true, &m->beats_baseline, err);
    if (st == FT_OK)
        st = json_number(o, "score", true, &m->score, err);
    if (st == FT_OK)
        st = json_number(o, "score_se", false, &m->score_se, err);
    if (st == FT_OK)
        st = get_text(o, "reason", &m->reason, err);
    if (st == FT_OK)
        st = get_text(o, "params", &m->params, err);
    if (st == FT_OK)
        st = get_text(o, "features", &m->features, err);
    if (st == FT_OK)
        st = get_text(o, "metrics", &m->metrics, err);
    if (st == FT_OK)
        st = get_text(o, "fingerprint", &m->fingerprint, err);
    if (st == FT_OK)
        st = get_text(o, "sha256", &m->sha256, err);
    if (st == FT_OK)
        st = get_text(o, "body", &m->body, err);
    if (st != FT_OK)
        return st;
    char hex[HASH_HEX_SIZE];
    m->body_len = strlen(m->body);
    hash_sha256(m->body, m->body_len, hex);
    if (strcmp(hex, m->sha256) != 0)
        return ft_fail(err, FT_INVALID, "train result: the hash of a model file does not fit");
    return FT_OK;
}

enum ft_status train_result_from_json(const cJSON *json, struct train_result **out,
                                      struct ft_err *err)
{
    const int64_t max = INT64_C(1) << 53;
    const cJSON *list;
    const cJSON *item;
    const cJSON *report;
    int64_t seed = 0;
    *out = NULL;
    struct train_result *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ft_fail(err, FT_NOMEM, "train result: no memory");
    enum ft_status st = json_int(json, "class_id", true, 1, max, &r->class_id, err);
    if (st == FT_OK)
        st = get_text(json, "class", &r->class_name, err);
    if (st == FT_OK)
        st = get_text(json, "target", &r->target, err);
    if (st == FT_OK)
        st = json_int(json, "horizon_ms", true, 0, max, &r->horizon_ms, err);
    if (st == FT_OK)
        st = json_int(json, "until_ms", true, -max, max, &r->until_ms, err);
    if (st == FT_OK)
        st = json_int(json, "seed", true, 0, max, &seed, err);
    if (st == FT_OK)
        st = json_array(json, "models", true, &list, err);
    if (st == FT_OK && cJSON_GetArraySize(list) > MAX_MODELS)
        st = ft_fail(err, FT_INVALID, "train result: too many models");
    if (st == FT_OK)
        st = json_object(json, "report", true, &report, err);
    if (st != FT_OK)
        goto out;
    r->seed = (uint64_t)seed;
    r->report = cJSON_Duplicate(report, true);
    r->models = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*r->models));
    if (r->models == NULL || r->report == NULL) {
        st = ft_fail(err, FT_NOMEM, "train result: no memory");
        goto out;
    }
    cJSON_ArrayForEach (item, list) {
        if (st == FT_OK)
            st = get_model(item, &r->models[r->n_models++], err);
    }
    if (st == FT_OK) {
        *out = r;
        r = NULL;
    }
out:
    train_result_free(r);
    return st;
}
