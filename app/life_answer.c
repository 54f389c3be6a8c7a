#include "app/life_answer.h"

#include "app/life_plot.h"

#include <math.h>

static bool is_amount(double v)
{
    return v > 0 && isfinite(v);
}

static enum ft_status check_costs(const struct life_request *q, struct ft_err *err)
{
    if (q->has_costs && (!is_amount(q->cost_planned) || !is_amount(q->cost_failure)))
        return ft_fail(err, FT_INVALID, "cost_planned and cost_failure: expected amounts above 0");
    if ((q->cost_renewal != 0) != (q->cost_repair != 0))
        return ft_fail(err, FT_INVALID, "cost_renewal and cost_repair go together");
    if (q->cost_renewal != 0 && (!is_amount(q->cost_renewal) || !is_amount(q->cost_repair)))
        return ft_fail(err, FT_INVALID, "cost_renewal and cost_repair: expected amounts above 0");
    return FT_OK;
}

enum ft_status life_request_check(const struct life_request *q, struct ft_err *err)
{
    const bool is_weibull = !q->is_best && q->distribution == LIFE_WEIBULL;
    if (!(q->confidence > 0 && q->confidence < 1))
        return ft_fail(err, FT_INVALID, "confidence %g: expected a number between 0 and 1",
                       q->confidence);
    if (q->shape != 0 && !(q->shape >= 0.01 && q->shape <= 1000))
        return ft_fail(err, FT_INVALID, "shape %g: expected 0.01 to 1000", q->shape);
    if ((q->shape > 0 || q->prior.median > 0) && !is_weibull)
        return ft_fail(err, FT_INVALID, "shape belongs to the weibull distribution");
    if (q->shape > 0 && q->prior.median > 0)
        return ft_fail(err, FT_INVALID, "shape and a prior of the shape exclude each other");
    if (q->prior.median < 0 ||
        (q->prior.median > 0 && !(q->prior.median >= 0.01 && q->prior.median <= 100 &&
                                  q->prior.log_sd >= 0.001 && q->prior.log_sd <= 3)))
        return ft_fail(err, FT_INVALID,
                       "prior of the shape %g, sd of its log %g: expected 0.01 to 100 and 0.001 to "
                       "3",
                       q->prior.median, q->prior.log_sd);
    if (q->n_draws > 20000)
        return ft_fail(err, FT_INVALID, "bootstrap %zu: expected at most 20000 draws", q->n_draws);
    return check_costs(q, err);
}

static bool has_question(const struct life_request *q)
{
    return q->has_costs || q->cost_renewal > 0 || q->inspection.pf > 0 || q->units > 0;
}

static enum ft_status make_lives(const struct life_table *t, const struct life_request *q,
                                 struct pool *pool, struct life_answer *out, struct ft_err *err)
{
    const struct life_data data = life_table_data(t);
    enum ft_status st = life_report_make(t, q, &out->report, err);
    if (st == FT_OK)
        st = life_report_test(&out->report, &data, q, pool, err);
    if (st == FT_OK && t->mode.of != NULL) {
        out->has_modes = true;
        st = life_modes_make(t, q, &out->modes, err);
    }
    if (st == FT_OK && has_question(q)) {
        out->has_decisions = true;
        st = life_decide(&out->report, &data, q, pool, &out->decisions, err);
    }
    return st;
}

enum ft_status life_answer_make(const struct life_table *table, const struct life_request *request,
                                struct pool *pool, struct life_answer *out, struct ft_err *err)
{
    *out = (struct life_answer){.is_recurrent = table->asset.of != NULL};
    enum ft_status st = life_request_check(request, err);
    if (st == FT_OK)
        st = out->is_recurrent ? life_recurrent_make(table, request, &out->recurrent, err)
                               : make_lives(table, request, pool, out, err);
    if (st != FT_OK)
        life_answer_free(out);
    return st;
}

enum ft_status life_answer_json(const struct life_answer *a, const struct life_table *table,
                                const struct life_request *request, cJSON *out, struct ft_err *err)
{
    if (a->is_recurrent) {
        life_recurrent_json(&a->recurrent, table, out);
        return FT_OK;
    }
    const struct life_data data = life_table_data(table);
    life_report_json(&a->report, table, out);
    if (a->has_decisions)
        life_decisions_json(&a->decisions, out);
    if (a->has_modes)
        life_modes_json(&a->modes, table, out);
    return request->has_plot ? life_plot_json(&a->report, &data, out, err) : FT_OK;
}

void life_answer_free(struct life_answer *a)
{
    if (a->is_recurrent)
        life_recurrent_free(&a->recurrent);
    else
        life_report_free(&a->report);
    if (a->has_modes)
        life_modes_free(&a->modes);
    *a = (struct life_answer){0};
}
