#include "app/fit_model.h"

#include "app/base/file.h"

#include <string.h>

static const size_t MAX_MODEL_BYTES = (size_t)1 << 31;

void fit_model_close(struct fit_model *m)
{
    model_free(m->model);
    cJSON_Delete(m->params);
    table_schema_free(&m->schema);
    buf_free(&m->bytes);
    *m = (struct fit_model){0};
}

static enum ft_status read_label_values(struct fit_model *m, struct ft_err *err)
{
    const cJSON *values = NULL;
    const enum ft_status st = json_array(m->params, "label_values", true, &values, err);
    if (st != FT_OK)
        return st;
    const cJSON *low = cJSON_GetArrayItem(values, 0), *high = cJSON_GetArrayItem(values, 1);
    if (!cJSON_IsNumber(low) || !cJSON_IsNumber(high))
        return ft_fail(err, FT_INVALID, "/label_values: expected two numbers");
    m->is_binary = true;
    m->low = low->valuedouble;
    m->high = high->valuedouble;
    return FT_OK;
}

static enum ft_status read_texts(struct fit_model *m, struct ft_err *err)
{
    const char *source = model_text(m->model, "source");
    const char *params = model_text(m->model, "params");
    const char *features = model_text(m->model, "features");
    const char *table = model_text(m->model, "table");
    if (source == NULL || strcmp(source, "fit") != 0 || params == NULL || features == NULL ||
        table == NULL)
        return ft_fail(err, FT_INVALID, "not a model of `fettle fit`");
    enum ft_status st = json_parse(params, strlen(params), &m->params, err);
    if (st == FT_OK)
        st = table_schema_parse(features, table, &m->schema, err);
    if (st == FT_OK && m->schema.n_features != model_n_cols(m->model))
        st = ft_fail(err, FT_INVALID, "%zu feature names for %zu columns", m->schema.n_features,
                     model_n_cols(m->model));
    if (st == FT_OK && model_task_of(m->model) == TASK_CLASSIFY)
        st = read_label_values(m, err);
    return st;
}

enum ft_status fit_model_open(const char *path, struct fit_model *out, struct ft_err *err)
{
    *out = (struct fit_model){0};
    buf_init(&out->bytes, MAX_MODEL_BYTES);
    enum ft_status st = file_read(path, &out->bytes, err);
    if (st != FT_OK)
        return st;
    st = model_load(out->bytes.data != NULL ? out->bytes.data : "", out->bytes.len, &out->model,
                    err);
    if (st == FT_OK)
        st = read_texts(out, err);
    if (st != FT_OK)
        ft_err_prefix(err, "%s", path);
    return st;
}
