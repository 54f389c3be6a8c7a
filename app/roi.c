/* The flows of a case, and what is read from them. Formulas: one yearly benefit at full effect,
 *   B = D (C_F - C_P) + PM dropped + stock + energy + labour + safety - F_a C_i,
 * scaled by the ramp k_t; flow_0 = -capex, flow_t = (k_t B - running) (1 + g)^(t-1) - tax_t. */
#include "app/roi.h"

#include <math.h>
#include <string.h>

enum { BISECTIONS = 200 };

static double failure_cost(const double *v)
{
    return v[ROI_HOURS_UNPLANNED] * v[ROI_COST_PER_HOUR] * (1 - v[ROI_MITIGATED_SHARE]) +
           v[ROI_REPAIR_UNPLANNED];
}

static double planned_cost(const double *v)
{
    return v[ROI_HOURS_PLANNED] * v[ROI_COST_PER_HOUR] * (1 - v[ROI_MITIGATED_SHARE]) +
           v[ROI_REPAIR_PLANNED] + v[ROI_LIFE_LOST_SHARE] * v[ROI_PART_VALUE];
}

static double caught_per_year(const double *v)
{
    return v[ROI_ASSETS] * v[ROI_FAILURE_RATE] * v[ROI_PREDICTABLE] * v[ROI_RECALL] * v[ROI_ACTED];
}

static double capex_of(const double *v)
{
    return v[ROI_SETUP_SENSORS] + v[ROI_SETUP_INSTALL] + v[ROI_SETUP_TRAINING];
}

static void fill_year(const struct roi_case *c, size_t t, double capex, struct roi_year *y)
{
    const double *v = c->v;
    const double k = c->ramp[t - 1];
    const double inflation = pow(1 + v[ROI_INFLATION], (double)(t - 1));
    memset(y, 0, sizeof(*y));
    y->failures_avoided = k * caught_per_year(v) * (failure_cost(v) - planned_cost(v)) * inflation;
    y->false_alarms = -k * v[ROI_FALSE_ALARMS] * v[ROI_INSPECTION_COST] * inflation;
    y->other_benefit = k * inflation *
                       (v[ROI_PM_EVENTS] * v[ROI_PM_COST] * v[ROI_PM_DROP_SHARE] +
                        v[ROI_STOCK_VALUE] * v[ROI_STOCK_CARRY] * v[ROI_STOCK_CUT] +
                        v[ROI_ENERGY_SAVING] + v[ROI_LABOUR_SAVING] + v[ROI_SAFETY_SAVING]);
    y->running = (v[ROI_RUN_SUPPORT] + v[ROI_RUN_UPKEEP] + v[ROI_RUN_ADMIN]) * inflation;
    const double net = y->failures_avoided + y->false_alarms + y->other_benefit - y->running;
    y->tax = v[ROI_TAX_RATE] * fmax(0, net - capex / (double)c->n_years);
    y->net = net - y->tax;
    y->discounted = y->net / pow(1 + v[ROI_DISCOUNT_RATE], (double)t);
}

double roi_npv(const struct roi_case *c)
{
    const double capex = capex_of(c->v);
    double npv = -capex;
    for (size_t t = 1; t <= c->n_years; t++) {
        struct roi_year y;
        fill_year(c, t, capex, &y);
        npv += y.discounted;
    }
    return npv;
}

static double npv_at(const double *flows, size_t n, double rate)
{
    double sum = 0;
    for (size_t t = n + 1; t-- > 0;)
        sum = sum / (1 + rate) + flows[t];
    return sum;
}

/* Every rate in (-99 %, 1000 %) at which the NPV is zero: a grid, then bisection in each cell whose
 * ends differ in sign. The last found is returned; *n counts them. */
static double internal_rate(const double *flows, size_t n_years, size_t *n)
{
    enum { CELLS = 4000 };
    double found = NAN;
    double lo = -0.99;
    double f_lo = npv_at(flows, n_years, lo);
    *n = 0;
    for (size_t i = 1; i <= CELLS; i++) {
        /* Even steps in log(1 + rate) from 0.01 to 11. */
        const double hi = 0.01 * pow(1100.0, (double)i / CELLS) - 1;
        const double f_hi = npv_at(flows, n_years, hi);
        if ((f_lo < 0) != (f_hi < 0)) {
            double a = lo;
            double b = hi;
            for (int k = 0; k < BISECTIONS && b - a > 1e-14; k++) {
                const double mid = 0.5 * (a + b);
                if ((npv_at(flows, n_years, mid) < 0) == (f_lo < 0))
                    a = mid;
                else
                    b = mid;
            }
            found = 0.5 * (a + b);
            (*n)++;
        }
        lo = hi;
        f_lo = f_hi;
    }
    return *n == 1 ? found : NAN;
}

static size_t sign_changes(const double *flows, size_t n_years)
{
    size_t n = 0;
    double last = 0;
    for (size_t t = 0; t <= n_years; t++) {
        if (flows[t] == 0)
            continue;
        n += last != 0 && (last < 0) != (flows[t] < 0);
        last = flows[t];
    }
    return n;
}

/* First time at which the cumulated flows reach zero and stay reached in that year, linear inside
 * the year; NaN when never. */
static double payback(const double *flows, size_t n_years)
{
    double sum = flows[0];
    if (sum >= 0)
        return 0;
    for (size_t t = 1; t <= n_years; t++) {
        if (sum < 0 && sum + flows[t] >= 0)
            return (double)(t - 1) + -sum / flows[t];
        sum += flows[t];
    }
    return NAN;
}

/* Modified internal rate: losses financed and gains reinvested at the discount rate. */
static double modified_rate(const double *flows, size_t n_years, double rate)
{
    double lost = 0;
    double gained = 0;
    for (size_t t = 0; t <= n_years; t++) {
        if (flows[t] < 0)
            lost -= flows[t] / pow(1 + rate, (double)t);
        else
            gained += flows[t] * pow(1 + rate, (double)(n_years - t));
    }
    return lost > 0 ? pow(gained / lost, 1.0 / (double)n_years) - 1 : NAN;
}

/* Ratios over the whole horizon: tax counts as cost. */
static void fill_ratios(const struct roi_case *c, struct roi_result *out)
{
    double benefit = 0;
    double cost = out->capex;
    double pv_benefit = 0;
    double pv_cost = out->capex;
    for (size_t t = 1; t <= c->n_years; t++) {
        const struct roi_year *y = &out->years[t];
        const double discount = pow(1 + c->v[ROI_DISCOUNT_RATE], (double)t);
        const double b = y->failures_avoided + y->false_alarms + y->other_benefit;
        benefit += b;
        pv_benefit += b / discount;
        cost += y->running + y->tax;
        pv_cost += (y->running + y->tax) / discount;
    }
    out->roi_frac = cost > 0 ? (benefit - cost) / cost : NAN;
    out->bcr = pv_cost > 0 ? pv_benefit / pv_cost : NAN;
}

void roi_compute_flows(const struct roi_case *c, struct roi_result *out)
{
    const double *v = c->v;
    double discounted[ROI_MAX_YEARS + 1];
    memset(out, 0, sizeof(*out));
    out->n_years = c->n_years;
    out->cost_failure = failure_cost(v);
    out->cost_planned = planned_cost(v);
    out->failures = v[ROI_ASSETS] * v[ROI_FAILURE_RATE];
    out->caught = caught_per_year(v);
    const double hours = v[ROI_ASSETS] * v[ROI_SCHEDULED_HOURS];
    out->availability_gain =
        hours > 0 ? out->caught * (v[ROI_HOURS_UNPLANNED] - v[ROI_HOURS_PLANNED]) / hours : NAN;
    out->capex = capex_of(v);
    out->flows[0] = -out->capex;
    out->years[0].net = out->years[0].discounted = out->years[0].cumulative = -out->capex;
    discounted[0] = -out->capex;
    for (size_t t = 1; t <= c->n_years; t++) {
        struct roi_year *y = &out->years[t];
        fill_year(c, t, out->capex, y);
        y->cumulative = out->years[t - 1].cumulative + y->discounted;
        out->flows[t] = y->net;
        discounted[t] = y->discounted;
    }
    out->npv = out->years[c->n_years].cumulative;
    out->n_sign_changes = sign_changes(out->flows, c->n_years);
    out->irr = out->mirr = NAN;
    fill_ratios(c, out);
    out->payback_years = payback(out->flows, c->n_years);
    out->discounted_payback_years = payback(discounted, c->n_years);
    const double gain = out->cost_failure - out->cost_planned;
    out->p_star = gain > 0 ? v[ROI_INSPECTION_COST] / (gain + v[ROI_INSPECTION_COST]) : NAN;
}

void roi_compute(const struct roi_case *c, struct roi_result *out)
{
    roi_compute_flows(c, out);
    if (out->n_sign_changes > 0)
        out->irr = internal_rate(out->flows, c->n_years, &out->n_irr);
    out->mirr = modified_rate(out->flows, c->n_years, c->v[ROI_DISCOUNT_RATE]);
}

double roi_break_even(const struct roi_case *c, enum roi_field field, double min, double max)
{
    struct roi_case x = *c;
    x.v[field] = min;
    const double f_min = roi_npv(&x);
    x.v[field] = max;
    const double f_max = roi_npv(&x);
    if ((f_min < 0) == (f_max < 0))
        return NAN;
    double a = min;
    double b = max;
    for (int i = 0; i < BISECTIONS && b - a > 1e-12 * fmax(1, fabs(max)); i++) {
        x.v[field] = 0.5 * (a + b);
        if ((roi_npv(&x) < 0) == (f_min < 0))
            a = x.v[field];
        else
            b = x.v[field];
    }
    return 0.5 * (a + b);
}

double roi_alarm_set_value(double true_positives, double false_positives, double cost_failure,
                           double cost_planned, double inspection_cost, double program_cost)
{
    return true_positives * (cost_failure - cost_planned) - false_positives * inspection_cost -
           program_cost;
}
