#include "app/life_modes.h"

#include <stdlib.h>
#include <string.h>

/* The table with only the failures of one mode; failed[n] is scratch that must live on. A failure
 * in an interval by another mode is censored at its begin. */
static struct life_table of_mode(const struct life_table *t, size_t mode, bool *failed,
                                 double *upper)
{
    struct life_table own = *t;
    for (size_t i = 0; i < t->n; i++) {
        failed[i] = t->failed[i] && t->mode.of[i] == mode;
        if (t->upper != NULL)
            upper[i] = failed[i] ? t->upper[i] : 0;
    }
    own.failed = failed;
    own.upper = t->upper != NULL ? upper : NULL;
    return own;
}

/* A unit that failed by another mode before any age was seen says nothing. */
static void leave_out_unseen(struct life_table *own, double *count)
{
    for (size_t i = 0; i < own->n; i++) {
        const bool is_empty = !own->failed[i] && !(own->time[i] > 0);
        count[i] = is_empty ? 0 : own->count[i];
    }
    own->count = count;
}

static enum ft_status make_mode(const struct life_table *table, const struct life_request *request,
                                size_t k, struct life_mode *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    bool *failed = calloc(table->n, sizeof(*failed));
    double *scratch = calloc(table->n, 3 * sizeof(*scratch));
    if (failed == NULL || scratch == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu rows", table->n);
        goto out;
    }
    struct life_table own = of_mode(table, k, failed, scratch);
    leave_out_unseen(&own, scratch + table->n);
    if (table->upper != NULL) { /* the age of a left-out unit must still be an age */
        double *time = scratch + 2 * table->n;
        for (size_t i = 0; i < table->n; i++)
            time[i] = own.count[i] > 0 || own.failed[i] ? own.time[i] : 1;
        own.time = time;
    }
    out->name = table->mode.names[k][0] != '\0' ? table->mode.names[k] : "(none)";
    for (size_t i = 0; i < table->n; i++)
        out->n_failures += failed[i] ? table->count[i] : 0;
    if (table->upper == NULL) {
        const struct life_data data = life_table_data(table);
        st = competing_incidence(&data, table->mode.of, k, request->confidence, &out->incidence,
                                 &out->n_incidence, err);
    }
    if (st == FT_OK)
        out->error.code = life_report_make(&own, request, &out->report, &out->error);
    if (out->error.code == FT_NOMEM)
        st = ft_fail(err, FT_NOMEM, "%s", out->error.msg);
out:
    free(failed);
    free(scratch);
    return st;
}

enum ft_status life_modes_make(const struct life_table *table, const struct life_request *request,
                               struct life_modes *out, struct ft_err *err)
{
    *out = (struct life_modes){0};
    out->items = calloc(table->mode.n + 1, sizeof(*out->items));
    if (out->items == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu modes", table->mode.n);
    enum ft_status st = FT_OK;
    for (; out->n < table->mode.n && st == FT_OK; out->n++)
        st = make_mode(table, request, out->n, &out->items[out->n], err);
    return st;
}

static void add_incidence(cJSON *to, const struct life_mode *m)
{
    cJSON *list = json_add_array(to, "incidence");
    for (size_t i = 0; i < m->n_incidence; i++) {
        const struct incidence_point *p = &m->incidence[i];
        cJSON *o = json_add_object(list, NULL);
        json_add_number(o, "time", p->time);
        json_add_number(o, "n_risk", p->n_risk);
        json_add_number(o, "n_failures", p->n_failures);
        json_add_number(o, "incidence", p->incidence);
        json_add_number(o, "std_error", p->std_error);
        json_add_number(o, "lower", p->lower);
        json_add_number(o, "upper", p->upper);
    }
}

void life_modes_json(const struct life_modes *m, const struct life_table *table, cJSON *out)
{
    cJSON *list = json_add_array(out, "modes");
    for (size_t k = 0; k < m->n; k++) {
        const struct life_mode *mode = &m->items[k];
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "mode", mode->name);
        json_add_number(o, "failures", mode->n_failures);
        add_incidence(o, mode);
        if (mode->error.code == FT_OK) {
            life_report_json(&mode->report, table, json_add_object(o, "fit"));
            json_add_null(o, "error");
        } else {
            json_add_null(o, "fit");
            json_add_string(o, "error", mode->error.msg);
        }
    }
}

void life_modes_free(struct life_modes *m)
{
    for (size_t k = 0; k < m->n; k++) {
        free(m->items[k].incidence);
        if (m->items[k].error.code == FT_OK)
            life_report_free(&m->items[k].report);
    }
    free(m->items);
    *m = (struct life_modes){0};
}
