/* The result of an ROI case as JSON: sentence, figures, distribution, tornado, break-evens. */
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/roi_io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    const struct roi_request *r;
    struct roi_case c;
    struct roi_result result;
    struct roi_mc mc;
    double min[ROI_N_FIELDS], max[ROI_N_FIELDS];
};

static const struct {
    enum roi_field field;
    const char *direction;
    double factor; /* searched up to this multiple of the present value (shares: up to 1) */
} break_evens[] = {{ROI_COST_PER_HOUR, "at_least", 1000},
                   {ROI_RECALL, "at_least", 0},
                   {ROI_FALSE_ALARMS, "at_most", 1000},
                   {ROI_ACTED, "at_least", 0},
                   {ROI_FAILURE_RATE, "at_least", 1000}};
enum { N_BREAK_EVENS = sizeof(break_evens) / sizeof(break_evens[0]) };

static double break_even_of(const struct answer *a, size_t i)
{
    const enum roi_field f = break_evens[i].field;
    const double top = break_evens[i].factor > 0
                           ? fmin(a->max[f], fmax(1, a->r->in[f].value) * break_evens[i].factor)
                           : a->max[f];
    return roi_break_even(&a->c, f, a->min[f], top);
}

/* Three significant digits are enough for an estimate in a sentence. */
static double round3(double x)
{
    if (x == 0 || !isfinite(x))
        return x;
    const double unit = pow(10, floor(log10(fabs(x))) - 2);
    return round(x / unit) * unit;
}

static void money_words(const struct answer *a, double major, char out[48])
{
    money_format(money_from_major(round3(major), a->r->currency), a->r->currency, out, 48);
}

static void add_answer(const struct answer *a, cJSON *o)
{
    char lead[160];
    char rest[400];
    char point[48];
    const double p = a->mc.p_npv_positive;
    const int in_100 = (int)lround(100 * p);
    const char *word = p >= 0.9   ? "It very likely pays"
                       : p >= 0.7 ? "It probably pays"
                       : p > 0.3  ? "It is open whether it pays"
                                  : "It probably does not pay";
    snprintf(lead, sizeof(lead), "%s: %d in 100 draws gain.", word, in_100);
    size_t n_defaults = 0;
    for (size_t f = 0; f < ROI_N_FIELDS; f++)
        n_defaults += a->r->in[f].origin == ROI_DEFAULT && a->r->in[f].value != 0;
    const double even = break_even_of(a, 0);
    const bool gains = a->result.npv > 0;
    if (isnan(even)) {
        snprintf(rest, sizeof(rest), "No cost of a stopped hour alone would change that.");
    } else {
        money_words(a, even, point);
        snprintf(rest, sizeof(rest),
                 gains ? "Below %s for a stopped hour it loses money."
                       : "From %s for a stopped hour it would gain money.",
                 point);
    }
    if (n_defaults > 0)
        snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest),
                 " %zu input%s still a benchmark: replace %s.", n_defaults,
                 n_defaults == 1 ? " is" : "s are", n_defaults == 1 ? "it" : "them");
    cJSON *answer = json_add_object(o, "answer");
    json_add_string(answer, "lead", lead);
    json_add_string(answer, "rest", rest);
}

static void add_figures(const struct answer *a, cJSON *o)
{
    const struct roi_result *r = &a->result;
    json_add_string(o, "currency", a->r->currency);
    json_add_number(o, "npv", r->npv);
    json_add_number(o, "irr", r->irr);
    if (isnan(r->irr) && r->n_irr > 1) {
        json_add_string(o, "irr_note", "several rates make the NPV zero; use NPV and MIRR");
    } else if (isnan(r->irr)) {
        json_add_string(o, "irr_note", "none: no rate makes the NPV zero");
    } else {
        json_add_null(o, "irr_note");
    }
    json_add_number(o, "payback_years", r->payback_years);
    json_add_number(o, "discounted_payback_years", r->discounted_payback_years);
    json_add_number(o, "bcr", r->bcr);
    json_add_number(o, "roi_frac", r->roi_frac);
    json_add_number(o, "mirr", r->mirr);
    json_add_number(o, "p_star", r->p_star);
    json_add_number(o, "failures_per_year", r->failures);
    json_add_number(o, "caught_per_year", r->caught);
    json_add_number(o, "cost_failure", r->cost_failure);
    json_add_number(o, "cost_planned", r->cost_planned);
    json_add_number(o, "availability_gain", r->availability_gain);
    cJSON *flows = json_add_array(o, "flows");
    for (size_t t = 0; t <= r->n_years; t++)
        json_add_number(flows, NULL, r->flows[t]);
    cJSON *years = json_add_array(o, "years");
    for (size_t t = 0; t <= r->n_years; t++) {
        const struct roi_year *y = &r->years[t];
        cJSON *row = json_add_object(years, NULL);
        json_add_int(row, "year", (int64_t)t);
        json_add_number(row, "failures_avoided", y->failures_avoided);
        json_add_number(row, "false_alarms", y->false_alarms);
        json_add_number(row, "other_benefit", y->other_benefit);
        json_add_number(row, "running", 0 - (t == 0 ? r->capex : y->running));
        json_add_number(row, "tax", 0 - y->tax);
        json_add_number(row, "net", y->net);
        json_add_number(row, "discounted", y->discounted);
        json_add_number(row, "cumulative", y->cumulative);
    }
}

static void add_percentiles(const struct answer *a, cJSON *o)
{
    static const char *const names[] = {"p5", "p10", "p25", "p50", "p75", "p90", "p95"};
    json_add_number(o, "p_npv_positive", a->mc.p_npv_positive);
    json_add_int(o, "draws", (int64_t)a->mc.n_draws);
    cJSON *all = json_add_object(o, "percentiles");
    cJSON *npv = json_add_object(all, "npv");
    cJSON *payback = json_add_object(all, "payback_years"); /* null: not within the horizon */
    for (size_t i = 0; i < 7; i++) {
        json_add_number(npv, names[i], a->mc.npv[i]);
        json_add_number(payback, names[i], a->mc.payback[i]);
    }
    cJSON *cash = json_add_array(all, "cash");
    for (size_t t = 0; t <= a->r->n_years; t++) {
        cJSON *row = json_add_object(cash, NULL);
        json_add_int(row, "year", (int64_t)t);
        for (size_t i = 0; i < 5; i++)
            json_add_number(row, names[i + 1], a->mc.cash[t][i]);
    }
}

struct swing {
    size_t field;
    double low, high; /* NPV at the low and the high input */
};

static int compare_swings(const void *x, const void *y)
{
    const struct swing *a = x;
    const struct swing *b = y;
    const double wa = fabs(a->high - a->low);
    const double wb = fabs(b->high - b->low);
    if (wa != wb)
        return wa < wb ? 1 : -1;
    return (a->field > b->field) - (a->field < b->field);
}

static void add_tornado(const struct answer *a, cJSON *o)
{
    struct swing swings[ROI_N_FIELDS];
    size_t n = 0;
    for (size_t f = 0; f < ROI_N_FIELDS; f++) {
        const struct roi_input *in = &a->r->in[f];
        if (!(in->low < in->high))
            continue;
        struct roi_case x = a->c;
        swings[n].field = f;
        x.v[f] = in->low;
        swings[n].low = roi_npv(&x);
        x.v[f] = in->high;
        swings[n++].high = roi_npv(&x);
    }
    qsort(swings, n, sizeof(swings[0]), compare_swings);
    cJSON *tornado = json_add_array(o, "tornado");
    for (size_t i = 0; i < n; i++) {
        const size_t f = swings[i].field;
        cJSON *row = json_add_object(tornado, NULL);
        json_add_string(row, "input", roi_field_info((enum roi_field)f)->key);
        json_add_string(row, "label", roi_field_info((enum roi_field)f)->label);
        json_add_number(row, "low_input", a->r->in[f].low);
        json_add_number(row, "high_input", a->r->in[f].high);
        json_add_number(row, "npv_low", swings[i].low);
        json_add_number(row, "npv_high", swings[i].high);
        json_add_number(row, "spearman", a->mc.spearman[f]);
    }
}

static void add_break_evens(const struct answer *a, cJSON *o)
{
    cJSON *list = json_add_array(o, "break_even");
    for (size_t i = 0; i < N_BREAK_EVENS; i++) {
        const enum roi_field f = break_evens[i].field;
        cJSON *row = json_add_object(list, NULL);
        json_add_string(row, "input", roi_field_info(f)->key);
        json_add_string(row, "label", roi_field_info(f)->label);
        json_add_number(row, "value", break_even_of(a, i)); /* null: no value does it */
        json_add_number(row, "now", a->r->in[f].value);
        json_add_string(row, "direction", break_evens[i].direction);
    }
}

static void add_formulas(cJSON *o)
{
    static const struct {
        const char *name, *text;
    } formulas[] = {
        {"Cost of a failure", "hours_unplanned x cost_per_hour x (1 - mitigated_share) + "
                              "repair_unplanned"},
        {"Cost of planned work", "hours_planned x cost_per_hour x (1 - mitigated_share) + "
                                 "repair_planned + life_lost_share x part_value"},
        {"Failures caught", "assets x failures_per_asset_year x predictable_share x recall x "
                            "acted_share"},
        {"Benefit of year t", "ramp[t] x (caught x (cost of a failure - cost of planned work) + "
                              "pm_events_per_year x pm_cost x pm_drop_share + stock_value x "
                              "stock_carrying_rate x stock_cut_share + energy + labour + safety - "
                              "false_alarms_per_year x inspection_cost)"},
        {"Net of year t", "(benefit - running) x (1 + inflation)^(t-1) - tax_rate x max(0, that - "
                          "set-up / years)"},
        {"NPV", "-set-up + sum of net of year t / (1 + discount_rate)^t"},
        {"IRR", "the rate at which the NPV is zero, when there is exactly one"},
        {"MIRR", "(gains reinvested / losses financed, both at discount_rate)^(1 / years) - 1"},
        {"Payback", "first time the summed flows reach zero, linear inside the year"},
        {"ROI", "(sum of benefits - sum of costs) / sum of costs over the horizon, undiscounted"},
        {"BCR", "present value of benefits / present value of costs"},
        {"Act rule", "act when the chance of failure is above inspection_cost / (cost of a failure "
                     "- cost of planned work + inspection_cost)"},
        {"Range", "low and high are the 10 % and 90 % points of what is thought possible"},
    };
    cJSON *list = json_add_array(o, "formulas");
    for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++) {
        cJSON *row = json_add_object(list, NULL);
        json_add_string(row, "name", formulas[i].name);
        json_add_string(row, "text", formulas[i].text);
    }
    json_add_string(o, "left_out",
                    "Unless typed: safety, environment, energy, stock and planning hours, for want "
                    "of measured figures. Longer machine life is left out on purpose: it would "
                    "count a stop twice.");
}

enum ft_status roi_answer_json(const struct roi_request *r, cJSON **out, struct ft_err *err)
{
    struct answer *a = calloc(1, sizeof(*a));
    *out = NULL;
    if (a == NULL)
        return ft_fail(err, FT_NOMEM, "roi: no memory");
    a->r = r;
    a->c.n_years = r->n_years;
    memcpy(a->c.ramp, r->ramp, sizeof(a->c.ramp));
    for (size_t f = 0; f < ROI_N_FIELDS; f++) {
        a->c.v[f] = r->in[f].value;
        a->min[f] = roi_field_info((enum roi_field)f)->min;
        a->max[f] = roi_field_info((enum roi_field)f)->max;
    }
    roi_compute(&a->c, &a->result);
    enum ft_status st = roi_mc_run(&a->c, r->in, a->min, a->max, r->n_draws, r->seed, &a->mc, err);
    cJSON *o = st == FT_OK ? cJSON_CreateObject() : NULL;
    if (o != NULL) {
        add_answer(a, o);
        add_figures(a, o);
        add_percentiles(a, o);
        add_tornado(a, o);
        add_break_evens(a, o);
        add_formulas(o);
        *out = o;
    } else if (st == FT_OK) {
        st = ft_fail(err, FT_NOMEM, "roi: no memory");
    }
    free(a);
    return st;
}
