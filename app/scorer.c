/* Loading champions. */
#include "app/scorer.h"

#include "app/base/json.h"
#include "db/db.h"
#include "db/model_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scorer_free(struct scorer *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_models; i++) {
        model_free(s->models[i].model);
        features_free(s->models[i].fs);
        cJSON_Delete(s->models[i].residuals);
        cJSON_Delete(s->models[i].counts);
    }
    free(s->models);
    free(s->group);
    free(s);
}

const struct scorer_model *scorer_model_for(const struct scorer *s, bool is_rul, size_t component)
{
    for (size_t i = 0; i < s->n_models; i++)
        if (s->models[i].is_rul == is_rul && s->models[i].component == component)
            return &s->models[i];
    return NULL;
}

double scorer_raw(const struct scorer_model *m, const float *row, double *wide)
{
    double raw;
    for (size_t j = 0; j < m->fs->n; j++)
        wide[j] = row[j];
    const struct matrix x = {.data = wide, .n_rows = 1, .n_cols = m->fs->n, .stride = m->fs->n};
    model_predict_raw(m->model, &x, &raw);
    return raw;
}

double scorer_final(const struct scorer_model *m, double raw)
{
    if (m->is_rul)
        return fmin(m->cap, fmax(0, raw));
    return model_final_of_raw(m->model, raw);
}

static double text_number(const struct model *m, const char *key, double fallback)
{
    const char *text = model_text(m, key);
    char *end;
    if (text == NULL)
        return fallback;
    const double v = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(v) ? v : fallback;
}

static enum ft_status text_json(const struct model *m, const char *key, cJSON **out,
                                struct ft_err *err)
{
    const char *text = model_text(m, key);
    *out = NULL;
    if (text == NULL)
        return ft_fail(err, FT_INVALID, "the model file has no \"%s\"", key);
    return json_parse(text, strlen(text), out, err);
}

static enum ft_status open_model(const struct model_row *row, struct scorer_model *m,
                                 struct ft_err *err)
{
    cJSON *json = NULL;
    enum ft_status st = model_load(row->body, row->body_len, &m->model, err);
    if (st == FT_OK)
        st = text_json(m->model, "feature_set", &json, err);
    if (st == FT_OK)
        st = features_from_json(json, &m->fs, err);
    if (st == FT_OK && m->fs->n != model_n_cols(m->model))
        st = ft_fail(err, FT_INVALID, "the model has %zu columns, its features %zu",
                     model_n_cols(m->model), m->fs->n);
    cJSON_Delete(json);
    json = NULL;
    if (st == FT_OK)
        st = text_json(m->model, m->is_rul ? "residuals" : "counts",
                       m->is_rul ? &m->residuals : &m->counts, err);
    if (st != FT_OK)
        return ft_err_prefix(err, "model %lld", (long long)row->id);
    m->unit_ms = text_number(m->model, "unit_ms", 86400000.0);
    m->cap = text_number(m->model, "cap", INFINITY);
    m->threshold = NAN;
    if (model_conformal(m->model) != NULL)
        m->coverage = conformal_coverage(model_conformal(m->model));
    if (text_json(m->model, "metrics", &json, NULL) == FT_OK) {
        const cJSON *cv = json_get(json, "cv");
        if (cv != NULL)
            (void)json_number(cv, "threshold", false, &m->threshold, NULL);
    }
    cJSON_Delete(json);
    return FT_OK;
}

static size_t component_of_id(const struct history *h, int64_t id)
{
    for (size_t c = 0; c < h->n_components; c++)
        if (h->components[c].id == id)
            return c;
    return HISTORY_NO_INDEX;
}

/* Takes one champion row when it is the first (newest) of its target and component. */
static enum ft_status take_row(struct db *db, const struct history *h, const struct model_row *row,
                               struct scorer *s, struct ft_err *err)
{
    const bool is_rul = strcmp(row->target, "rul") == 0;
    const size_t component = component_of_id(h, row->component_id);
    struct model_row whole = {0};
    if (row->component_id != 0 && component == HISTORY_NO_INDEX)
        return FT_OK;
    if (scorer_model_for(s, is_rul, component) != NULL)
        return FT_OK;
    enum ft_status st = model_get(db, row->id, &whole, err);
    if (st != FT_OK)
        return st;
    struct scorer_model *m = &s->models[s->n_models++];
    *m = (struct scorer_model){.id = row->id,
                               .component = component,
                               .is_rul = is_rul,
                               .horizon_ms = row->horizon_ms,
                               .until_ms = row->until_ms,
                               .created_ms = row->created_ms};
    (void)snprintf(m->kind, sizeof(m->kind), "%s", row->kind);
    st = open_model(&whole, m, err);
    model_clear(&whole);
    return st;
}

/* Models whose feature sets are equal share one computation. */
static enum ft_status group_models(struct scorer *s, struct ft_err *err)
{
    s->group = calloc(s->n_models + 1, sizeof(const struct scorer_model *));
    if (s->group == NULL)
        return ft_fail(err, FT_NOMEM, "scoring: no memory");
    for (size_t i = 0; i < s->n_models; i++) {
        const char *mine = model_text(s->models[i].model, "feature_set");
        size_t g = 0;
        while (g < s->n_groups && strcmp(mine, model_text(s->group[g]->model, "feature_set")) != 0)
            g++;
        if (g == s->n_groups)
            s->group[s->n_groups++] = &s->models[i];
        s->models[i].fs_group = g;
    }
    return FT_OK;
}

enum ft_status scorer_load(struct db *db, const struct history *h, struct scorer **out,
                           struct ft_err *err)
{
    struct model_list list = {0};
    *out = NULL;
    struct scorer *s = calloc(1, sizeof(*s));
    enum ft_status st = s == NULL ? ft_fail(err, FT_NOMEM, "scoring: no memory") : FT_OK;
    if (st == FT_OK)
        st = model_list(db, h->class_id, NULL, "champion", &list, err);
    if (st == FT_OK) {
        s->models = calloc(list.n + 1, sizeof(*s->models));
        if (s->models == NULL)
            st = ft_fail(err, FT_NOMEM, "scoring: no memory");
    }
    for (size_t i = 0; i < list.n && st == FT_OK; i++)
        st = take_row(db, h, &list.items[i], s, err);
    if (st == FT_OK)
        st = group_models(s, err);
    model_list_free(&list);
    if (st == FT_OK)
        *out = s;
    else
        scorer_free(s);
    return st;
}
