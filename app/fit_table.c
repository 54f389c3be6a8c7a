/* Reading the table of a fit, and what its label asks for. */
#include "app/fit_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *fit_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Where file number *k lies; counts it when there is one. */
const char *fit_place_of(const struct fit_request *q, const char *name, size_t *k)
{
    if (name == NULL)
        return NULL;
    const size_t i = (*k)++;
    return i < q->n_moved ? q->moved[i] : name;
}

/* Names of columns for CSV, places of vectors for .npy. */
static struct table_request request_of(const struct fit_request *q, struct pool *pool)
{
    size_t k = 1;
    const bool is_npy = table_is_npy(q->path);
    struct table_request t = {.label = q->label,
                              .event = q->event,
                              .group = q->group,
                              .time = q->time,
                              .drop = q->drop,
                              .category = q->category,
                              .pool = pool,
                              .is_stopped = q->is_stopped};
    if (is_npy) {
        t.label = fit_place_of(q, q->label, &k);
        t.event = fit_place_of(q, q->event, &k);
        t.group = fit_place_of(q, q->group, &k);
        t.time = fit_place_of(q, q->time, &k);
    }
    return t;
}

/* The name of a vector's file is what the model records, wherever it lies now. */
static enum ft_status record_name(char **have, const char *name, struct ft_err *err)
{
    if (*have == NULL || name == NULL || strcmp(*have, name) == 0)
        return FT_OK;
    char *copy = strdup(name);
    if (copy == NULL)
        return ft_fail(err, FT_NOMEM, "no memory");
    free(*have);
    *have = copy;
    return FT_OK;
}

static enum ft_status record_names(const struct fit_request *q, struct table *t, struct ft_err *err)
{
    if (!table_is_npy(q->path))
        return FT_OK;
    enum ft_status st = record_name(&t->schema.label.name, fit_base_name(q->label), err);
    if (st == FT_OK && q->event != NULL)
        st = record_name(&t->schema.event, fit_base_name(q->event), err);
    if (st == FT_OK && q->group != NULL)
        st = record_name(&t->schema.group, fit_base_name(q->group), err);
    return st;
}

enum ft_status fit_read_table(const struct fit_request *q, struct pool *pool, struct fit_outcome *o,
                              struct ft_err *err)
{
    struct table_request request = request_of(q, pool);
    struct table *t = &o->table;
    size_t k = 0, n_at_once;
    request.max_bytes = q->memory_bytes;
    enum ft_status st = table_read(fit_place_of(q, q->path, &k), &request, t, err);
    if (st == FT_CONFLICT && t->n_expected_rows > 0) {
        /* The label was not seen, so the task is a guess; candidates that do not suit it count. */
        struct ft_err ignored;
        o->task = q->task >= 0       ? (enum model_task)q->task
                  : q->event != NULL ? TASK_SURVIVAL
                                     : TASK_CLASSIFY;
        (void)fit_settle_specs(q, o, &ignored);
    }
    if (st == FT_CONFLICT && t->n_expected_rows > 0)
        return fit_plan_memory(q, o, t->n_expected_rows, t->x.n_cols, pool_n_threads(pool),
                               &n_at_once, err);
    if (st == FT_OK)
        st = record_names(q, t, err);
    return st;
}

/* --- label and task --------------------------------------------------------------------------- */

/* The two values of y, or false when it has more or fewer. */
static bool two_values(const double *y, size_t n, double *low, double *high)
{
    double a = y[0], b = NAN;
    for (size_t i = 1; i < n; i++) {
        if (y[i] == a || y[i] == b)
            continue;
        if (!isnan(b))
            return false;
        b = y[i];
    }
    *low = fmin(a, b);
    *high = fmax(a, b);
    return !isnan(b);
}

enum ft_status fit_binary_label(double *y, size_t n, double low, double high, struct ft_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isnan(y[i]) && y[i] != low && y[i] != high)
            return ft_fail(err, FT_INVALID, "row %zu: label %g, expected %g or %g", i + 1, y[i],
                           low, high);
        y[i] = isnan(y[i]) ? NAN : y[i] == high;
    }
    return FT_OK;
}

enum ft_status fit_settle_task(const struct fit_request *q, struct fit_outcome *o,
                               struct fit_label *label, struct ft_err *err)
{
    struct table *t = &o->table;
    const char *name = t->schema.label.name;
    if (t->y == NULL)
        return ft_fail(err, FT_INVALID, "no label: --label names the column to learn");
    const bool is_binary = two_values(t->y, t->x.n_rows, &label->low, &label->high);
    const bool is_text = t->schema.label.levels != NULL;
    o->task = q->task >= 0           ? (enum model_task)q->task
              : t->failed != NULL    ? TASK_SURVIVAL
              : is_binary || is_text ? TASK_CLASSIFY
                                     : TASK_REGRESS;
    if (o->task == TASK_SURVIVAL && t->failed == NULL)
        return ft_fail(err, FT_INVALID, "task survival needs --event-col");
    if (o->task != TASK_SURVIVAL && t->failed != NULL)
        return ft_fail(err, FT_INVALID, "--event-col goes with task survival");
    if (o->task != TASK_CLASSIFY && is_text)
        return ft_fail(err, FT_INVALID, "label '%.80s' holds texts, which task %s cannot learn",
                       name, model_task_name(o->task));
    if (o->task == TASK_CLASSIFY && !is_binary)
        return ft_fail(err, FT_INVALID,
                       "label '%.80s' does not have exactly two values, which task classify needs",
                       name);
    if (o->task == TASK_CLASSIFY)
        return fit_binary_label(t->y, t->x.n_rows, label->low, label->high, err);
    return FT_OK;
}
