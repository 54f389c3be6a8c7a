#include "app/life_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one request may ask of a server that answers others too: seconds, not minutes. */
enum { MAX_ROWS = 20000, MAX_DRAWS = 2000, MAX_WORK = 2000000 };

struct life_request life_request_default(void)
{
    return (struct life_request){.distribution = LIFE_WEIBULL,
                                 .confidence = 0.95,
                                 .prior = {.log_sd = 0.3},
                                 .n_draws = 400,
                                 .seed = 1,
                                 .inspection = {.detection = 1, .wanted = 0.95},
                                 .service_level = 0.95};
}

/* A member that is an array of n; *out NULL when absent. */
static enum ft_status array_of(const cJSON *body, const char *key, size_t n, const cJSON **out,
                               struct ft_err *err)
{
    *out = NULL;
    const enum ft_status st = json_array(body, key, false, out, err);
    if (st == FT_OK && *out != NULL && (size_t)cJSON_GetArraySize(*out) != n)
        return ft_fail(err, FT_INVALID, "%s: %d items, expected %zu as in time", key,
                       cJSON_GetArraySize(*out), n);
    return st;
}

/* Numbers of a member into *out (owned by the caller; NULL when absent); null becomes 0. */
static enum ft_status numbers_of(const cJSON *body, const char *key, size_t n, double **out,
                                 struct ft_err *err)
{
    const cJSON *list = NULL, *item = NULL;
    size_t i = 0;
    const enum ft_status st = array_of(body, key, n, &list, err);
    if (st != FT_OK || list == NULL)
        return st;
    *out = calloc(n + 1, sizeof(**out));
    if (*out == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for %zu numbers", key, n);
    cJSON_ArrayForEach (item, list) {
        if (!cJSON_IsNull(item) && (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)))
            return ft_fail(err, FT_INVALID, "%s/%zu: expected a number", key, i);
        (*out)[i++] = cJSON_IsNull(item) ? 0 : item->valuedouble;
    }
    return FT_OK;
}

static enum ft_status failed_of(const cJSON *body, struct life_table *t, struct ft_err *err)
{
    const cJSON *list = NULL, *item = NULL;
    size_t i = 0;
    const enum ft_status st = array_of(body, "failed", t->n, &list, err);
    if (st != FT_OK)
        return st;
    t->failed = calloc(t->n + 1, sizeof(*t->failed));
    if (t->failed == NULL)
        return ft_fail(err, FT_NOMEM, "failed: no memory for %zu rows", t->n);
    for (; list == NULL && i < t->n; i++)
        t->failed[i] = true;
    cJSON_ArrayForEach (item, list) {
        const bool is_number =
            cJSON_IsNumber(item) && (item->valuedouble == 0 || item->valuedouble == 1);
        if (!cJSON_IsBool(item) && !is_number)
            return ft_fail(err, FT_INVALID, "failed/%zu: expected true or false", i);
        t->failed[i++] = is_number ? item->valuedouble == 1 : cJSON_IsTrue(item);
    }
    return FT_OK;
}

/* The place of a name among those known, which it joins. O(names): a table has few modes, and its
 * assets are bounded by MAX_NAMES. */
enum { MAX_NAMES = 5000 };
static enum ft_status name_index(struct life_labels *l, const char *name, const char *key,
                                 size_t *at, struct ft_err *err)
{
    for (size_t k = 0; k < l->n; k++)
        if (strncmp(l->names[k], name, sizeof(l->names[k]) - 1) == 0) {
            *at = k;
            return FT_OK;
        }
    if (l->n == MAX_NAMES)
        return ft_fail(err, FT_INVALID, "%s: more than %d different names", key, MAX_NAMES);
    (void)snprintf(l->names[l->n], sizeof(l->names[0]), "%s", name);
    *at = l->n++;
    return FT_OK;
}

static enum ft_status labels_of(const cJSON *body, const char *key, size_t n, const bool *is_used,
                                struct life_labels *out, struct ft_err *err)
{
    const cJSON *list = NULL, *item = NULL;
    size_t i = 0;
    enum ft_status st = array_of(body, key, n, &list, err);
    if (st != FT_OK || list == NULL)
        return st;
    out->of = calloc(n + 1, sizeof(*out->of));
    out->names = calloc(MAX_NAMES, sizeof(*out->names));
    if (out->of == NULL || out->names == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", key, n);
    cJSON_ArrayForEach (item, list) {
        out->of[i] = LIFE_NO_LABEL;
        if (!cJSON_IsNull(item) && !cJSON_IsString(item))
            return ft_fail(err, FT_INVALID, "%s/%zu: expected a string", key, i);
        if (is_used == NULL || is_used[i])
            st = name_index(out, cJSON_IsString(item) ? item->valuestring : "", key, &out->of[i],
                            err);
        if (st != FT_OK)
            return st;
        i++;
    }
    return FT_OK;
}

static enum ft_status check_rows(struct life_table *t, struct ft_err *err)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->count[i] != floor(t->count[i]) || t->count[i] < 0 || t->count[i] > 1e9)
            return ft_fail(err, FT_INVALID, "count/%zu: %g, expected a whole number of units", i,
                           t->count[i]);
        if (t->upper != NULL && t->upper[i] == t->time[i])
            t->upper[i] = 0; /* a known age */
    }
    if (t->asset.of != NULL) { /* checked as events */
        for (size_t i = 0; i < t->n; i++)
            if (t->upper != NULL && t->upper[i] != 0)
                return ft_fail(err, FT_INVALID, "upper/%zu: recurrent events have no intervals", i);
        return FT_OK;
    }
    const struct life_data data = life_table_data(t);
    struct life_totals totals;
    return life_data_totals(&data, &totals, err);
}

static enum ft_status read_table(const cJSON *body, struct life_table *t, struct ft_err *err)
{
    const cJSON *time = NULL;
    enum ft_status st = json_array(body, "time", true, &time, err);
    if (st != FT_OK)
        return st;
    t->n = (size_t)cJSON_GetArraySize(time);
    if (t->n == 0 || t->n > MAX_ROWS)
        return ft_fail(err, FT_INVALID, "time: %zu rows, expected 1 to %d", t->n, MAX_ROWS);
    st = numbers_of(body, "time", t->n, &t->time, err);
    if (st == FT_OK)
        st = failed_of(body, t, err);
    if (st == FT_OK)
        st = numbers_of(body, "entry", t->n, &t->entry, err);
    if (st == FT_OK)
        st = numbers_of(body, "upper", t->n, &t->upper, err);
    if (st == FT_OK)
        st = numbers_of(body, "count", t->n, &t->count, err);
    if (st == FT_OK && t->count == NULL) {
        t->count = calloc(t->n, sizeof(*t->count));
        if (t->count == NULL)
            return ft_fail(err, FT_NOMEM, "count: no memory for %zu rows", t->n);
        for (size_t i = 0; i < t->n; i++)
            t->count[i] = 1;
    }
    if (st == FT_OK)
        st = labels_of(body, "mode", t->n, t->failed, &t->mode, err);
    if (st == FT_OK)
        st = labels_of(body, "asset", t->n, NULL, &t->asset, err);
    if (st == FT_OK)
        st = check_rows(t, err);
    (void)snprintf(t->time_column, sizeof(t->time_column), "time");
    (void)snprintf(t->event_column, sizeof(t->event_column), "%s",
                   json_get(body, "failed") != NULL ? "failed" : "");
    return st;
}

static enum ft_status read_questions(const cJSON *body, struct life_request *q, struct ft_err *err)
{
    const cJSON *prior = NULL, *look = NULL, *spares = NULL;
    enum ft_status st = json_object(body, "prior", false, &prior, err);
    if (st == FT_OK)
        st = json_object(body, "inspection", false, &look, err);
    if (st == FT_OK)
        st = json_object(body, "spares", false, &spares, err);
    if (st == FT_OK && prior != NULL) {
        st = json_number(prior, "median", true, &q->prior.median, err);
        if (st == FT_OK)
            st = json_number(prior, "log_sd", false, &q->prior.log_sd, err);
        if (st == FT_OK && !(q->prior.median > 0))
            st = ft_fail(err, FT_INVALID, "prior/median: %g, expected above 0", q->prior.median);
    }
    if (st == FT_OK && look != NULL) {
        const struct {
            const char *key;
            double *to;
        } members[] = {{"pf", &q->inspection.pf},
                       {"detection", &q->inspection.detection},
                       {"wanted", &q->inspection.wanted},
                       {"cost", &q->inspection.cost_look}};
        for (size_t i = 0; i < 4 && st == FT_OK; i++)
            st = json_number(look, members[i].key, i == 0, members[i].to, err);
        if (st == FT_OK && !(q->inspection.pf > 0))
            st = ft_fail(err, FT_INVALID, "inspection/pf: %g, expected above 0", q->inspection.pf);
    }
    if (st == FT_OK && spares != NULL) {
        st = json_number(spares, "units", true, &q->units, err);
        if (st == FT_OK)
            st = json_number(spares, "lead_time", true, &q->lead_time, err);
        if (st == FT_OK)
            st = json_number(spares, "service_level", false, &q->service_level, err);
        if (st == FT_OK && !(q->units > 0))
            st = ft_fail(err, FT_INVALID, "spares/units: %g, expected above 0", q->units);
    }
    return st;
}

static enum ft_status read_distribution(const cJSON *body, struct life_request *q,
                                        struct ft_err *err)
{
    const char *name = "weibull";
    const enum ft_status st = json_string(body, "distribution", false, &name, err);
    if (st != FT_OK)
        return st;
    q->is_best = strcmp(name, "best") == 0;
    if (q->is_best)
        return FT_OK;
    return life_parse(name, &q->distribution, err) == FT_OK ? FT_OK : FT_INVALID;
}

static enum ft_status read_request(const cJSON *body, struct life_request *q, struct ft_err *err)
{
    double planned = 0, failure = 0;
    int64_t draws = (int64_t)q->n_draws, seed = (int64_t)q->seed;
    const struct {
        const char *key;
        double *to;
    } members[] = {{"confidence", &q->confidence},     {"shape", &q->shape},
                   {"cost_planned", &planned},         {"cost_failure", &failure},
                   {"cost_renewal", &q->cost_renewal}, {"cost_repair", &q->cost_repair}};
    enum ft_status st = read_distribution(body, q, err);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && st == FT_OK; i++)
        st = json_number(body, members[i].key, false, members[i].to, err);
    if (st == FT_OK)
        st = json_int(body, "bootstrap", false, 0, MAX_DRAWS, &draws, err);
    if (st == FT_OK)
        st = json_int(body, "seed", false, 0, INT64_MAX, &seed, err);
    if (st == FT_OK)
        st = json_bool(body, "mixture", false, &q->has_mixture, err);
    if (st == FT_OK)
        st = json_bool(body, "plot", false, &q->has_plot, err);
    if (st == FT_OK)
        st = read_questions(body, q, err);
    if (st == FT_OK &&
        (json_get(body, "cost_planned") != NULL) != (json_get(body, "cost_failure") != NULL))
        st = ft_fail(err, FT_INVALID, "cost_planned and cost_failure go together");
    q->has_costs = json_get(body, "cost_planned") != NULL;
    q->cost_planned = planned;
    q->cost_failure = failure;
    q->n_draws = (size_t)draws;
    q->seed = (uint64_t)seed;
    return st;
}

enum ft_status life_input_from_json(const cJSON *body, struct life_table *table,
                                    struct life_request *request, struct ft_err *err)
{
    static const char *const keys[] = {
        "time",         "failed",       "entry",       "count",     "upper", "mode",
        "asset",        "distribution", "confidence",  "shape",     "prior", "cost_planned",
        "cost_failure", "cost_renewal", "cost_repair", "bootstrap", "seed",  "mixture",
        "plot",         "inspection",   "spares",      NULL};
    *table = (struct life_table){0};
    *request = life_request_default();
    enum ft_status st = json_only_keys(body, keys, err);
    if (st == FT_OK)
        st = read_table(body, table, err);
    if (st == FT_OK)
        st = read_request(body, request, err);
    if (st == FT_OK)
        st = life_request_check(request, err);
    if (st == FT_OK && (double)request->n_draws * (double)table->n > MAX_WORK)
        st = ft_fail(err, FT_INVALID,
                     "bootstrap: %zu draws of %zu rows are more than one request may ask for",
                     request->n_draws, table->n);
    if (st != FT_OK)
        life_table_free(table);
    return st;
}
