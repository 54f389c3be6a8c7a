#include "app/planner/predictive.h"

#include "app/base/clock.h"

#include <math.h>
#include <string.h>

/* A day counts as useful when it gives back less than this share of the saving. */
#define USEFUL_SLACK 0.1
/* No threshold is above this: at nine in ten nobody waits for the sum. */
#define P_OPEN_MAX 0.9

/* P(failure within d days from now, alive now): the forecast counts from its own as-of. */
static double failure_by(const struct predictive_input *in, double day)
{
    const struct forecast *f = in->forecast;
    const int64_t since_ms = in->now_ms > f->as_of_ms ? in->now_ms - f->as_of_ms : 0;
    const double s0 = 1 - forecast_probability(f, since_ms);
    const double s1 = 1 - forecast_probability(f, since_ms + (int64_t)(day * (double)MS_PER_DAY));
    if (!(s0 > 1e-12))
        return 1;
    return fmin(1, fmax(0, 1 - s1 / s0));
}

static void fill_costs(const struct predictive_input *in, struct predictive_window *w)
{
    double life[PREDICTIVE_MAX_DAYS + 1]; /* integral of S from 0 to day d */
    double s_before = 1;
    life[0] = 0;
    for (int d = 0; d < w->n_days; d++) {
        w->risk[d] = failure_by(in, d);
        const double s_after = 1 - failure_by(in, d + 1);
        life[d + 1] = life[d] + 0.5 * (s_before + s_after);
        s_before = s_after;
    }
    for (int d = 0; d < w->n_days; d++) {
        const double planned = in->planned_on != NULL ? in->planned_on[d] : in->cost_planned;
        w->cost[d] = planned * (1 - w->risk[d]) + in->cost_failure * w->risk[d] +
                     in->life_rate * (life[w->n_days] - life[d]);
    }
    const double risk_end = failure_by(in, w->n_days);
    w->cost_left = in->cost_planned * (1 - risk_end) + in->cost_failure * risk_end;
}

static bool is_workday(const struct predictive_input *in, int day)
{
    return in->is_workday == NULL || in->is_workday[day];
}

static void find_window(const struct predictive_input *in, struct predictive_window *w)
{
    const int last = w->n_days - 1;
    const int lead = in->lead_days < 0 ? 0 : in->lead_days > last ? last : in->lead_days;
    w->latest = lead;
    while (w->latest < last && w->risk[w->latest + 1] <= in->risk_limit)
        w->latest++;
    w->best = -1;
    for (int d = lead; d <= w->latest; d++)
        if (is_workday(in, d) && (w->best < 0 || w->cost[d] < w->cost[w->best]))
            w->best = d;
    /* No working day before the limit: the first one after it. */
    for (int d = w->latest + 1; d <= last && w->best < 0; d++)
        if (is_workday(in, d))
            w->best = w->latest = d;
    if (w->best < 0)
        w->best = lead;
    w->cost_best = w->cost[w->best];
    w->saving = w->cost_left - w->cost_best;
    w->earliest = lead;
    while (w->earliest < w->best &&
           w->cost[w->earliest] > w->cost_best + USEFUL_SLACK * fmax(0, w->saving))
        w->earliest++;
    w->risk_by_best = w->risk[w->best];
    const double risk_next = failure_by(in, w->best + 1);
    const double alive = 1 - w->risk_by_best;
    w->waiting_per_day =
        fmax(0, (risk_next - w->risk_by_best) * (in->cost_failure - in->cost_planned) -
                    in->life_rate * alive);
}

void predictive_window(const struct predictive_input *in, struct predictive_window *out)
{
    memset(out, 0, sizeof(*out));
    out->n_days = in->n_days < 2                     ? 2
                  : in->n_days > PREDICTIVE_MAX_DAYS ? PREDICTIVE_MAX_DAYS
                                                     : in->n_days;
    if (in->forecast->n_horizons == 0)
        return;
    fill_costs(in, out);
    find_window(in, out);
    const double gain = in->cost_failure - in->cost_planned;
    out->p_window = failure_by(in, PREDICTIVE_WINDOW_DAYS);
    if (!(gain > 0)) {
        out->p_open = 1;
        return;
    }
    /* Acting gives up a window's worth of life and may be a false alarm; it saves p x gain. */
    out->p_open =
        fmin(P_OPEN_MAX, (in->life_rate * PREDICTIVE_WINDOW_DAYS + in->inspection_cost) / gain);
    if (in->p_age_only > out->p_open)
        out->p_open = fmin(P_OPEN_MAX, in->p_age_only);
    const double needed = in->is_open ? PREDICTIVE_HYSTERESIS * out->p_open : out->p_open;
    out->pays = out->p_window > needed && out->saving > 0;
}
