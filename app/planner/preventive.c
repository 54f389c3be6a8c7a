#include "app/planner/preventive.h"

#include "app/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Evidence below these counts decides nothing. */
enum { MIN_FAILURES = 5, MIN_LOOKS = 10 };
/* A best interval that saves less than this share against running to failure is not worth a rule.
 */
#define MIN_SAVING_FRAC 0.03
/* An interval is far from the optimum outside these multiples of it. */
#define TOO_OFTEN 0.6
#define TOO_RARE 1.7
#define DAYS_PER_YEAR 365.25

/* n intervals after a local midnight; whole days keep local time through clock changes. */
static int64_t add_intervals(int64_t midnight_ms, int64_t interval_ms, int64_t n)
{
    if (interval_ms % MS_PER_DAY == 0)
        return clock_local_add_days(midnight_ms, (int)(n * (interval_ms / MS_PER_DAY)));
    return clock_local_midnight(midnight_ms + n * interval_ms);
}

/* First due date that is not done yet; lies in the past when work is overdue. When nobody knows
 * when it was last done, the rhythm of the anchor goes on from today: a new site is not flooded
 * with overdue work. */
static int64_t next_due(const struct plan *p, int64_t last_ms, int64_t today_ms)
{
    const int64_t anchor = clock_local_midnight(p->anchor_ms);
    if (p->is_floating && last_ms != DB_NO_TIME)
        return add_intervals(clock_local_midnight(last_ms), p->interval_ms, 1);
    int64_t done_until = today_ms - 1;
    if (last_ms != DB_NO_TIME) {
        /* A job counts for the nearest due date: anything later than half an interval before it. */
        const int64_t half = p->interval_ms / 2;
        done_until = last_ms + (p->tolerance_ms > half ? p->tolerance_ms : half);
    }
    int64_t k = done_until > anchor ? (done_until - anchor) / p->interval_ms : 0;
    while (k > 0 && add_intervals(anchor, p->interval_ms, k) > done_until)
        k--;
    while (add_intervals(anchor, p->interval_ms, k) <= done_until)
        k++;
    return add_intervals(anchor, p->interval_ms, k);
}

size_t preventive_due(const struct plan *p, int64_t last_ms, int64_t now_ms, int64_t until_ms,
                      int64_t *due, size_t max)
{
    const int64_t today = clock_local_midnight(now_ms);
    size_t n = 0;
    if (p->interval_ms <= 0 || !p->is_active)
        return 0;
    int64_t at = next_due(p, last_ms, today);
    if (at < today) { /* overdue: now, and then on from there or from the rhythm */
        if (n < max)
            due[n++] = today;
        if (p->is_floating) {
            at = add_intervals(today, p->interval_ms, 1);
        } else {
            while (at <= today)
                at = add_intervals(at, p->interval_ms, 1);
        }
    }
    while (at < until_ms && n < max) {
        due[n++] = at;
        const int64_t next = add_intervals(at, p->interval_ms, 1);
        if (next <= at) /* an interval below a day: once a day is the finest plan */
            at = clock_local_add_days(at, 1);
        else
            at = next;
    }
    return n;
}

static void keep(struct preventive_verdict *out, const char *why)
{
    out->advice = PREVENTIVE_KEEP;
    snprintf(out->why, sizeof(out->why), "%s", why);
}

static void judge_replacement(const struct plan *p, const struct preventive_evidence *e,
                              struct preventive_verdict *out)
{
    const double interval_d = (double)p->interval_ms / (double)MS_PER_DAY;
    if (e->life == NULL || !e->life->has_fit || e->life->n_failures < MIN_FAILURES) {
        snprintf(out->why, sizeof(out->why), "Too few failures to judge (%zu recorded).",
                 e->life != NULL ? e->life->n_failures : 0);
        return;
    }
    const struct weibull *w = &e->life->fit;
    const struct age_replacement best =
        weibull_age_replacement(w, e->cost_planned, e->cost_failure);
    const double now = life_cost_rate_at(w, interval_d, e->cost_planned, e->cost_failure);
    const double failing = e->cost_failure / weibull_mean(w);
    const double scale = DAYS_PER_YEAR * (double)e->n_assets;
    double shape[2];
    double limits[2];
    weibull_limits(w, 0.8, shape, limits);
    if (!best.has_optimum || best.saving_frac < MIN_SAVING_FRAC) {
        out->saving_per_year = fmax(0, (now - failing) * scale);
        if (out->saving_per_year <= 0) {
            keep(out, "Costs no more than running to failure.");
            return;
        }
        out->advice = PREVENTIVE_STOP;
        snprintf(
            out->why, sizeof(out->why),
            "%s: Weibull shape %.2f (80 %% limits %.2f to %.2f, %zu failures); run to failure.",
            best.has_optimum ? "Hazard hardly rises" : "Hazard does not rise", w->shape, shape[0],
            shape[1], e->life->n_failures);
        return;
    }
    out->best_interval_d = best.interval;
    out->saving_per_year = fmax(0, (now - best.cost_rate) * scale);
    if (interval_d < TOO_OFTEN * best.interval) {
        out->advice = PREVENTIVE_LONGER;
        snprintf(out->why, sizeof(out->why), "Too often: every %.0f d is best (%zu failures).",
                 best.interval, e->life->n_failures);
    } else if (interval_d > TOO_RARE * best.interval) {
        out->advice = PREVENTIVE_SHORTER;
        snprintf(out->why, sizeof(out->why), "Too rare: every %.0f d is best (%zu failures).",
                 best.interval, e->life->n_failures);
    } else {
        keep(out, "Near its best interval.");
    }
}

static void judge_inspection(const struct plan *p, const struct preventive_evidence *e,
                             struct preventive_verdict *out)
{
    if (e->n_looks < MIN_LOOKS) {
        snprintf(out->why, sizeof(out->why), "Too few inspections to judge (%zu recorded).",
                 e->n_looks);
        return;
    }
    if (e->n_findings > 0) {
        snprintf(out->why, sizeof(out->why), "%zu of %zu found something.", e->n_findings,
                 e->n_looks);
        return;
    }
    const double interval_d = (double)p->interval_ms / (double)MS_PER_DAY;
    out->advice = PREVENTIVE_STOP;
    out->saving_per_year =
        e->cost_planned * (double)e->n_assets * DAYS_PER_YEAR / fmax(1, interval_d);
    snprintf(out->why, sizeof(out->why), "0 of %zu found anything.", e->n_looks);
}

void preventive_judge(const struct plan *p, const struct preventive_evidence *e,
                      struct preventive_verdict *out)
{
    memset(out, 0, sizeof(*out));
    out->best_interval_d = NAN;
    if (strcmp(p->action, "replacement") == 0)
        judge_replacement(p, e, out);
    else
        judge_inspection(p, e, out);
}
