#include "app/table.h"

#include "app/table_csv.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_NOTES = 65536;

bool table_is_npy(const char *path)
{
    const size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 4, ".npy") == 0;
}

void table_free(struct table *t)
{
    free(t->y);
    free(t->failed);
    free(t->group);
    free(t->time);
    free(t->values);
    npy_close(&t->array);
    table_schema_free(&t->schema);
    buf_free(&t->notes);
    *t = (struct table){0};
}

/* --- NumPy arrays ------------------------------------------------------------------------------
 */

/* Opens a vector with one number per row of the table. */
static enum ft_status open_vector(const char *path, size_t n_rows, struct npy *out,
                                  struct ft_err *err)
{
    if (!table_is_npy(path))
        return ft_fail(err, FT_INVALID, "%s: expected a .npy file beside a .npy table", path);
    const enum ft_status st = npy_open(path, out, err);
    if (st != FT_OK)
        return st;
    if (out->n_cols != 1 || out->n_rows != n_rows)
        return ft_fail(err, FT_INVALID, "%s: shape (%zu, %zu), expected %zu numbers", path,
                       out->n_rows, out->n_cols, n_rows);
    return FT_OK;
}

static enum ft_status read_label(const char *path, struct table *t, struct ft_err *err)
{
    struct npy v;
    const size_t n = t->x.n_rows;
    enum ft_status st = open_vector(path, n, &v, err);
    if (st == FT_OK) {
        t->y = calloc(n, sizeof(*t->y));
        if (t->y == NULL)
            st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu labels", path, n);
    }
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        t->y[i] = npy_value(&v, i);
        if (isnan(t->y[i]))
            st = ft_fail(err, FT_INVALID, "%s: row %zu has no label (NaN)", path, i);
    }
    npy_close(&v);
    return st;
}

static enum ft_status read_event(const char *path, struct table *t, struct ft_err *err)
{
    struct npy v;
    const size_t n = t->x.n_rows;
    enum ft_status st = open_vector(path, n, &v, err);
    if (st == FT_OK) {
        t->failed = calloc(n, sizeof(*t->failed));
        if (t->failed == NULL)
            st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu flags", path, n);
    }
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        const double value = npy_value(&v, i);
        if (value != 0 && value != 1)
            st = ft_fail(err, FT_INVALID, "%s: row %zu: %g is not an event flag (0 or 1)", path, i,
                         value);
        t->failed[i] = value == 1;
    }
    npy_close(&v);
    return st;
}

static enum ft_status read_time(const char *path, struct table *t, struct ft_err *err)
{
    struct npy v;
    const size_t n = t->x.n_rows;
    enum ft_status st = open_vector(path, n, &v, err);
    if (st == FT_OK) {
        t->time = calloc(n, sizeof(*t->time));
        if (t->time == NULL)
            st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu times", path, n);
    }
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        t->time[i] = npy_value(&v, i);
        if (!isfinite(t->time[i]))
            st = ft_fail(err, FT_INVALID, "%s: row %zu has no time", path, i);
    }
    npy_close(&v);
    return st;
}

struct keyed {
    double key;
    size_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Group numbers by rising value. */
static enum ft_status read_group(const char *path, struct table *t, struct ft_err *err)
{
    struct npy v;
    const size_t n = t->x.n_rows;
    struct keyed *keyed = NULL;
    enum ft_status st = open_vector(path, n, &v, err);
    if (st == FT_OK) {
        keyed = calloc(n, sizeof(*keyed));
        t->group = calloc(n, sizeof(*t->group));
        if (keyed == NULL || t->group == NULL)
            st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu groups", path, n);
    }
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        keyed[i] = (struct keyed){npy_value(&v, i), i};
        if (isnan(keyed[i].key))
            st = ft_fail(err, FT_INVALID, "%s: row %zu has no group (NaN)", path, i);
    }
    if (st == FT_OK) {
        qsort(keyed, n, sizeof(*keyed), by_key);
        t->n_groups = 1;
        for (size_t i = 0; i < n; i++) {
            t->n_groups += i > 0 && keyed[i].key != keyed[i - 1].key;
            t->group[keyed[i].row] = t->n_groups - 1;
        }
    }
    free(keyed);
    npy_close(&v);
    return st;
}

static enum ft_status name_columns(struct table *t, const struct table_request *q,
                                   struct ft_err *err)
{
    struct table_schema *s = &t->schema;
    s->features = calloc(t->x.n_cols, sizeof(*s->features));
    bool is_well = s->features != NULL;
    for (size_t j = 0; is_well && j < t->x.n_cols; j++) {
        char name[32];
        snprintf(name, sizeof(name), "c%zu", j);
        s->features[j].name = strdup(name);
        is_well = s->features[j].name != NULL;
        s->n_features += is_well;
    }
    if (is_well && q->label != NULL)
        is_well = (s->label.name = strdup(q->label)) != NULL;
    if (is_well && q->group != NULL)
        is_well = (s->group = strdup(q->group)) != NULL;
    if (is_well && q->event != NULL)
        is_well = (s->event = strdup(q->event)) != NULL;
    return is_well ? FT_OK : ft_fail(err, FT_NOMEM, "no memory for %zu columns", t->x.n_cols);
}

/* Aligned numbers are used where they lie; others are copied to doubles. */
static enum ft_status use_array(const char *path, struct table *t, struct ft_err *err)
{
    struct npy *a = &t->array;
    if (a->type != NPY_F4 && a->type != NPY_F8)
        return ft_fail(err, FT_INVALID, "%s: expected float32 or float64", path);
    if (a->type == NPY_F8 && (uintptr_t)a->data % sizeof(double) == 0) {
        t->x = (struct matrix){a->data, a->n_rows, a->n_cols, a->n_cols, NULL};
        return FT_OK;
    }
    if (a->type == NPY_F4 && (uintptr_t)a->data % sizeof(float) == 0) {
        t->x = (struct matrix){NULL, a->n_rows, a->n_cols, a->n_cols, a->data};
        return FT_OK;
    }
    const size_t n = a->n_rows * a->n_cols;
    t->values = calloc(n, sizeof(*t->values));
    if (t->values == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for %zu numbers", path, n);
    for (size_t i = 0; i < n; i++)
        t->values[i] = npy_value(a, i);
    t->x = (struct matrix){t->values, a->n_rows, a->n_cols, a->n_cols, NULL};
    npy_close(a);
    return FT_OK;
}

static enum ft_status read_npy(const char *path, const struct table_request *q, struct table *t,
                               struct ft_err *err)
{
    if (q->drop != NULL || q->category != NULL)
        return ft_fail(err, FT_INVALID,
                       "%s: the columns of an array have no names, so --drop and "
                       "--category do not apply",
                       path);
    enum ft_status st = npy_open(path, &t->array, err);
    if (st == FT_OK)
        st = use_array(path, t, err);
    if (st == FT_OK && q->schema != NULL && q->schema->n_features != t->x.n_cols)
        st = ft_fail(err, FT_INVALID, "%s: %zu columns, the model has %zu", path, t->x.n_cols,
                     q->schema->n_features);
    if (st == FT_OK && q->label != NULL)
        st = read_label(q->label, t, err);
    if (st == FT_OK && q->event != NULL)
        st = read_event(q->event, t, err);
    if (st == FT_OK && q->group != NULL)
        st = read_group(q->group, t, err);
    if (st == FT_OK && q->time != NULL)
        st = read_time(q->time, t, err);
    if (st == FT_OK && q->schema == NULL)
        st = name_columns(t, q, err);
    return st;
}

enum ft_status table_read(const char *path, const struct table_request *request, struct table *out,
                          struct ft_err *err)
{
    *out = (struct table){0};
    buf_init(&out->notes, MAX_NOTES);
    return table_is_npy(path) ? read_npy(path, request, out, err)
                              : table_read_csv(path, request, out, err);
}
