#include "app/fit_model.h"

#include "app/base/file.h"

#include <math.h>
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

/* The band of lives, when the model has one. */
static enum ft_status read_band(struct fit_model *m, struct ft_err *err)
{
    const char *text = model_text(m->model, "survival_band");
    cJSON *band = NULL;
    if (text == NULL)
        return FT_OK;
    m->band_upper = INFINITY;
    enum ft_status st = json_parse(text, strlen(text), &band, err);
    if (st == FT_OK)
        st = json_number(band, "lower", true, &m->band_lower, err);
    if (st == FT_OK)
        st = json_number(band, "upper", false, &m->band_upper, err);
    if (st == FT_OK)
        st = json_number(band, "coverage", true, &m->band_coverage, err);
    if (st == FT_OK)
        st = json_number(band, "longest", true, &m->longest, err);
    if (st == FT_OK && !(m->longest > 0 && m->band_lower <= m->band_upper))
        st = ft_fail(err, FT_INVALID, "/survival_band: limits or longest life out of range");
    m->has_band = st == FT_OK;
    cJSON_Delete(band);
    return st == FT_OK ? FT_OK : ft_err_prefix(err, "survival_band");
}

/* The time by which the row fails with probability p. */
static double life_at(const struct fit_model *m, const double *row, double p)
{
    enum { DOUBLINGS = 20, HALVINGS = 40 };
    double low = 0, high = m->longest;
    if (!(p > 0))
        return 0;
    for (int k = 0; model_failure_probability(m->model, row, 0, high) < p; k++) {
        if (k == DOUBLINGS || !(p < 1))
            return INFINITY;
        low = high;
        high *= 2;
    }
    for (int k = 0; k < HALVINGS; k++) {
        const double middle = low + (high - low) / 2;
        *(model_failure_probability(m->model, row, 0, middle) < p ? &low : &high) = middle;
    }
    return high;
}

void fit_model_life_limits(const struct fit_model *m, const double *row, double *lower,
                           double *upper)
{
    *lower = m->has_band ? life_at(m, row, m->band_lower) : NAN;
    *upper = m->has_band ? life_at(m, row, m->band_upper) : NAN;
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
    if (st == FT_OK && model_task_of(m->model) == TASK_SURVIVAL)
        st = read_band(m, err);
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
