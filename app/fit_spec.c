#include "app/fit_spec.h"

#include "app/base/rng.h"
#include "models/gbdt/gbdt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const spec_keys[] = {"model",
                                        "trees",
                                        "leaves",
                                        "depth",
                                        "bins",
                                        "rate",
                                        "lambda",
                                        "row_sample",
                                        "col_sample",
                                        "distribution",
                                        "min_child_weight",
                                        "objective",
                                        "quantile",
                                        "l1_share",
                                        "alpha",
                                        "class_weight",
                                        "early_stopping",
                                        NULL};
static const char *const distributions[] = {
    [AFT_WEIBULL] = "weibull", [AFT_LOGNORMAL] = "lognormal", [AFT_LOGLOGISTIC] = "loglogistic"};

int fit_kind_by_name(const char *name)
{
    return strcmp(name, "logistic") == 0 ? MODEL_LOGISTIC : model_kind_by_name(name);
}

static enum ft_status get_count(const cJSON *object, const char *key, size_t *out,
                                struct ft_err *err)
{
    int64_t v = (int64_t)*out;
    const enum ft_status st = json_int(object, key, false, 0, 1000000, &v, err);
    *out = (size_t)v;
    return st;
}

static enum ft_status get_words(const cJSON *object, struct model_spec *out, struct ft_err *err)
{
    const char *model = NULL, *distribution = NULL, *objective = NULL;
    enum ft_status st = json_string(object, "model", false, &model, err);
    if (st == FT_OK)
        st = json_string(object, "distribution", false, &distribution, err);
    if (st == FT_OK)
        st = json_string(object, "objective", false, &objective, err);
    if (st == FT_OK && objective != NULL) {
        out->objective = gbdt_objective_by_name(objective);
        if (out->objective < 0)
            return ft_fail(err, FT_INVALID, "/objective: '%.40s' is not known", objective);
    }
    if (st == FT_OK && model != NULL) {
        const int kind = fit_kind_by_name(model);
        if (kind < 0)
            return ft_fail(err, FT_INVALID,
                           "/model: '%.40s', expected gbdt, logistic, ridge, cox or aft", model);
        out->kind = (enum model_kind)kind;
    }
    if (st != FT_OK || distribution == NULL)
        return st;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(distribution, distributions[i]) == 0) {
            out->distribution = (enum aft_kind)i;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID,
                   "/distribution: '%.40s', expected weibull, lognormal or loglogistic",
                   distribution);
}

/* A number above 0, or "balanced". */
static enum ft_status get_class_weight(const cJSON *object, struct model_spec *out,
                                       struct ft_err *err)
{
    const cJSON *v = json_get(object, "class_weight");
    if (cJSON_IsString(v))
        return fit_class_weight(v->valuestring, &out->positive_weight)
                   ? FT_OK
                   : ft_fail(err, FT_INVALID,
                             "/class_weight: '%.40s', expected balanced or a number above 0",
                             v->valuestring);
    const enum ft_status st =
        json_number(object, "class_weight", false, &out->positive_weight, err);
    if (st == FT_OK && v != NULL && !(out->positive_weight > 0))
        return ft_fail(err, FT_INVALID, "/class_weight: %g, expected balanced or above 0",
                       out->positive_weight);
    return st;
}

bool fit_class_weight(const char *text, double *out)
{
    char *end = NULL;
    if (strcmp(text, "balanced") == 0) {
        *out = 0;
        return true;
    }
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out > 0 && isfinite(*out);
}

enum ft_status fit_spec_from_json(const cJSON *object, const struct model_spec *base,
                                  struct model_spec *out, struct ft_err *err)
{
    *out = *base;
    if (!cJSON_IsObject(object))
        return ft_fail(err, FT_INVALID, "expected an object of parameters");
    enum ft_status st = json_only_keys(object, spec_keys, err);
    if (st == FT_OK)
        st = get_words(object, out, err);
    if (st == FT_OK)
        st = get_count(object, "trees", &out->n_trees, err);
    if (st == FT_OK)
        st = get_count(object, "leaves", &out->max_leaves, err);
    if (st == FT_OK)
        st = get_count(object, "depth", &out->max_depth, err);
    if (st == FT_OK)
        st = get_count(object, "bins", &out->n_bins, err);
    if (st == FT_OK)
        st = json_number(object, "rate", false, &out->rate, err);
    if (st == FT_OK)
        st = json_number(object, "lambda", false, &out->lambda, err);
    if (st == FT_OK)
        st = json_number(object, "min_child_weight", false, &out->min_child_weight, err);
    if (st == FT_OK)
        st = json_number(object, "row_sample", false, &out->row_sample, err);
    if (st == FT_OK)
        st = json_number(object, "col_sample", false, &out->col_sample, err);
    if (st == FT_OK)
        st = json_number(object, "quantile", false, &out->quantile, err);
    if (st == FT_OK)
        st = json_number(object, "l1_share", false, &out->l1_share, err);
    if (st == FT_OK)
        st = json_number(object, "alpha", false, &out->alpha, err);
    if (st == FT_OK)
        st = get_count(object, "early_stopping", &out->patience, err);
    if (st == FT_OK)
        st = get_class_weight(object, out, err);
    return st;
}

cJSON *fit_spec_to_json(const struct model_spec *s)
{
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "model", model_kind_name(s->kind));
    if (s->kind == MODEL_GBDT || s->kind == MODEL_GBDT_SURVIVAL || s->kind == MODEL_GBDT_PRODUCTS) {
        if (s->objective >= 0)
            json_add_string(o, "objective", gbdt_objective_name((enum gbdt_objective)s->objective));
        if (s->objective == GBDT_QUANTILE)
            json_add_number(o, "quantile", s->quantile);
        json_add_int(o, "trees", (int64_t)s->n_trees);
        json_add_int(o, "leaves", (int64_t)s->max_leaves);
        json_add_int(o, "depth", (int64_t)s->max_depth);
        json_add_int(o, "bins", (int64_t)s->n_bins);
        json_add_number(o, "rate", s->rate);
        json_add_number(o, "min_child_weight", s->min_child_weight);
        json_add_number(o, "row_sample", s->row_sample);
        json_add_number(o, "col_sample", s->col_sample);
        if (s->alpha > 0)
            json_add_number(o, "alpha", s->alpha);
        if (s->patience > 0)
            json_add_int(o, "early_stopping", (int64_t)s->patience);
    }
    if (s->kind == MODEL_AFT)
        json_add_string(o, "distribution", distributions[s->distribution]);
    json_add_number(o, "lambda", s->lambda);
    if (s->kind == MODEL_LOGISTIC || s->kind == MODEL_RIDGE)
        json_add_number(o, "l1_share", s->l1_share);
    if (s->task == TASK_CLASSIFY && s->positive_weight == 0)
        json_add_string(o, "class_weight", "balanced");
    else if (s->task == TASK_CLASSIFY && s->positive_weight != 1)
        json_add_number(o, "class_weight", s->positive_weight);
    return o;
}

/* --- grids ------------------------------------------------------------------------------------ */

enum ft_status fit_specs_add(struct fit_specs *s, const struct model_spec *spec, struct ft_err *err)
{
    if (s->n == FIT_SPEC_MAX)
        return ft_fail(err, FT_INVALID, "grid: more than %d candidates", FIT_SPEC_MAX);
    struct model_spec *items = reallocarray(s->items, s->n + 1, sizeof(*items));
    if (items == NULL)
        return ft_fail(err, FT_NOMEM, "grid: no memory");
    s->items = items;
    s->items[s->n++] = *spec;
    return FT_OK;
}

void fit_specs_free(struct fit_specs *s)
{
    free(s->items);
    *s = (struct fit_specs){0};
}

static enum ft_status add_object(const cJSON *object, const struct model_spec *base,
                                 struct fit_specs *out, struct ft_err *err)
{
    struct model_spec spec;
    enum ft_status st = fit_spec_from_json(object, base, &spec, err);
    if (st == FT_OK)
        st = fit_specs_add(out, &spec, err);
    if (st != FT_OK)
        ft_err_prefix(err, "grid, candidate %zu", out->n + 1);
    return st;
}

/* Number of combinations; 0 = too many or an empty array. */
static size_t count_combinations(const cJSON *grid)
{
    size_t n = 1;
    const cJSON *member;
    cJSON_ArrayForEach (member, grid) {
        if (!cJSON_IsArray(member))
            continue;
        n *= (size_t)cJSON_GetArraySize(member);
        if (n == 0 || n > FIT_SPEC_MAX)
            return 0;
    }
    return n;
}

/* The object with one value of each array: combination number i, the last member fastest. */
static cJSON *pick_combination(const cJSON *grid, size_t n_all, size_t i)
{
    cJSON *o = cJSON_CreateObject();
    const cJSON *member;
    size_t block = n_all;
    cJSON_ArrayForEach (member, grid) {
        const cJSON *value = member;
        if (cJSON_IsArray(member)) {
            const size_t n = (size_t)cJSON_GetArraySize(member);
            block /= n;
            value = cJSON_GetArrayItem(member, (int)(i / block % n));
        }
        cJSON *copy = cJSON_Duplicate(value, 1);
        if (!cJSON_AddItemToObject(o, member->string, copy))
            cJSON_Delete(copy);
    }
    return o;
}

/* A number between "from" and "to"; u uniform in [0, 1). */
static enum ft_status draw_between(const cJSON *range, bool is_whole, double u, cJSON **out,
                                   struct ft_err *err)
{
    static const char *const keys[] = {"from", "to", "log", NULL};
    double from = 0, to = 0;
    bool is_log = false;
    enum ft_status st = json_only_keys(range, keys, err);
    if (st == FT_OK)
        st = json_number(range, "from", true, &from, err);
    if (st == FT_OK)
        st = json_number(range, "to", true, &to, err);
    if (st == FT_OK)
        st = json_bool(range, "log", false, &is_log, err);
    if (st == FT_OK && (!(from <= to) || (is_log && !(from > 0))))
        st = ft_fail(err, FT_INVALID, "from %g to %g: expected rising numbers%s", from, to,
                     is_log ? " above 0" : "");
    if (st != FT_OK)
        return st;
    double v = is_log ? from * pow(to / from, u) : from + (to - from) * u;
    if (is_whole) /* each whole number has the same share */
        v = is_log ? round(v) : floor(from + (to - from + 1) * u);
    *out = cJSON_CreateNumber(fmin(fmax(v, from), to));
    return FT_OK;
}

static bool is_whole_key(const char *key)
{
    static const char *const whole[] = {"trees", "leaves", "depth", "bins", "early_stopping"};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        if (strcmp(key, whole[i]) == 0)
            return true;
    return false;
}

/* Candidate number i of a random grid. */
static enum ft_status draw_candidate(const cJSON *grid, uint64_t seed, size_t i, cJSON *object,
                                     struct ft_err *err)
{
    enum { STREAM = 0x67726964 }; /* its own random numbers */
    const cJSON *member;
    uint64_t k = 0;
    cJSON_ArrayForEach (member, grid) {
        const double u = rng_uniform(seed, STREAM + k++, i);
        cJSON *value = NULL;
        if (strcmp(member->string, "random") == 0)
            continue;
        if (cJSON_IsObject(member)) {
            const enum ft_status st =
                draw_between(member, is_whole_key(member->string), u, &value, err);
            if (st != FT_OK)
                return ft_err_prefix(err, "/%.40s", member->string);
        } else if (cJSON_IsArray(member)) {
            const int n = cJSON_GetArraySize(member);
            if (n == 0)
                return ft_fail(err, FT_INVALID, "/%.40s: an empty list", member->string);
            value = cJSON_Duplicate(cJSON_GetArrayItem(member, (int)(u * n)), 1);
        } else {
            value = cJSON_Duplicate(member, 1);
        }
        if (!cJSON_AddItemToObject(object, member->string, value)) {
            cJSON_Delete(value);
            return ft_fail(err, FT_NOMEM, "grid: no memory");
        }
    }
    return FT_OK;
}

static enum ft_status draw_candidates(const cJSON *grid, const struct model_spec *base,
                                      uint64_t seed, struct fit_specs *out, struct ft_err *err)
{
    int64_t n = 0;
    enum ft_status st = json_int(grid, "random", true, 1, FIT_SPEC_MAX, &n, err);
    for (size_t i = 0; st == FT_OK && i < (size_t)n; i++) {
        cJSON *object = cJSON_CreateObject();
        st = draw_candidate(grid, seed, i, object, err);
        if (st == FT_OK)
            st = add_object(object, base, out, err);
        cJSON_Delete(object);
    }
    return st != FT_OK ? ft_err_prefix(err, "grid") : FT_OK;
}

double fit_spec_complexity(const struct model_spec *s)
{
    if (s->kind != MODEL_GBDT && s->kind != MODEL_GBDT_SURVIVAL)
        return -s->lambda;
    const double by_depth = s->max_depth > 0 ? exp2((double)s->max_depth) : INFINITY;
    return (double)s->n_trees * fmin((double)s->max_leaves, by_depth);
}

enum ft_status fit_specs_from_json(const cJSON *grid, const struct model_spec *base, uint64_t seed,
                                   struct fit_specs *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *out = (struct fit_specs){0};
    if (cJSON_IsArray(grid)) {
        const cJSON *object;
        cJSON_ArrayForEach (object, grid) {
            st = add_object(object, base, out, err);
            if (st != FT_OK)
                return st;
        }
        return out->n > 0 ? FT_OK : ft_fail(err, FT_INVALID, "grid: no candidates");
    }
    if (!cJSON_IsObject(grid))
        return ft_fail(err, FT_INVALID, "grid: expected an array of objects or one object");
    if (json_get(grid, "random") != NULL)
        return draw_candidates(grid, base, seed, out, err);
    const size_t n = count_combinations(grid);
    if (n == 0)
        return ft_fail(err, FT_INVALID, "grid: an empty list, or more than %d combinations",
                       FIT_SPEC_MAX);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        cJSON *object = pick_combination(grid, n, i);
        st = add_object(object, base, out, err);
        cJSON_Delete(object);
    }
    return st;
}
