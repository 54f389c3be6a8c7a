#include "app/planner/preventive.h"

#include "app/base/clock.h"
#include "app/life_words.h"
#include "app/meter.h"
#include "app/planner/rrule.h"
#include "app/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Evidence below these counts decides nothing. */
enum { MIN_FAILURES = 5, MIN_LOOKS = 10 };
/* A best interval that saves less than this share against running to failure is not worth a rule.
 */
#define MIN_SAVING_FRAC 0.03
/* An interval is far from the optimum outside these multiples of it. */
#define TOO_OFTEN 0.6
#define TOO_RARE 1.7
#define DAYS_PER_YEAR 365.25

/* Everything about one plan that the next due date follows from. */
struct rhythm {
    const struct plan *p;
    struct rrule rule;
    bool has_rule;
    bool counts_from_last;
    double
        meter_days; /* a full meter interval at recent use; INFINITY = the meter does not count */
    double meter_left; /* days until the running meter interval is full */
};

/* n intervals after a local midnight; whole days keep local time through clock changes. */
static int64_t add_intervals(int64_t midnight_ms, int64_t interval_ms, int64_t n)
{
    if (interval_ms % MS_PER_DAY == 0)
        return clock_local_add_days(midnight_ms, (int)(n * (interval_ms / MS_PER_DAY)));
    return clock_local_midnight(midnight_ms + n * interval_ms);
}

static struct rhythm rhythm_of(const struct plan *p, const struct preventive_usage *u)
{
    struct rhythm r = {.p = p, .meter_days = INFINITY, .meter_left = INFINITY};
    r.has_rule = p->rrule != NULL && rrule_parse(p->rrule, &r.rule, NULL) == FT_OK;
    r.counts_from_last = p->is_floating || p->meter != NULL;
    if (p->meter == NULL || u == NULL || !(u->per_day > 0) || !(p->meter_interval > 0))
        return r;
    /* Nobody knows when it was last done: the meter's own multiples keep the rhythm. */
    const double used = !isnan(u->since_last) ? u->since_last : fmod(u->total, p->meter_interval);
    r.meter_days = p->meter_interval / u->per_day;
    r.meter_left = isnan(used) ? r.meter_days : fmax(0, (p->meter_interval - used) / u->per_day);
    return r;
}

/* Date that floats from a local midnight, by the calendar alone. */
static int64_t float_from(const struct rhythm *r, int64_t midnight_ms)
{
    if (r->p->meter_only)
        return INT64_MAX;
    if (!r->has_rule)
        return add_intervals(midnight_ms, r->p->interval_ms, 1);
    const int64_t next = rrule_next_floating(&r->rule, clock_local_day(midnight_ms));
    return next != INT64_MAX ? clock_day_midnight(next) : INT64_MAX;
}

static int64_t days_after(int64_t midnight_ms, double days)
{
    return days < 36525 ? clock_local_add_days(midnight_ms, (int)floor(days)) : INT64_MAX;
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* First date of the fixed rhythm after an instant; INT64_MAX = none. */
static int64_t fixed_after(const struct rhythm *r, int64_t after_ms)
{
    const struct plan *p = r->p;
    const int64_t anchor = clock_local_midnight(p->anchor_ms);
    if (r->has_rule) {
        int64_t day;
        const int64_t start = clock_local_day(anchor);
        const int64_t from = clock_local_day(after_ms) + 1;
        const int64_t begin = from > start ? from : start;
        return rrule_days(&r->rule, start, begin, begin + 36525, &day, 1) == 1
                   ? clock_day_midnight(day)
                   : INT64_MAX;
    }
    int64_t k = after_ms > anchor ? (after_ms - anchor) / p->interval_ms : 0;
    while (k > 0 && add_intervals(anchor, p->interval_ms, k) > after_ms)
        k--;
    while (add_intervals(anchor, p->interval_ms, k) <= after_ms)
        k++;
    return add_intervals(anchor, p->interval_ms, k);
}

/* First due date that is not done yet; lies in the past when work is overdue. When nobody knows
 * when it was last done, the rhythm of the anchor goes on from today: a new site is not flooded
 * with overdue work. */
static int64_t next_due(const struct rhythm *r, int64_t last_ms, int64_t today_ms)
{
    const struct plan *p = r->p;
    const int64_t by_meter = days_after(today_ms, r->meter_left);
    if (r->counts_from_last && last_ms != DB_NO_TIME)
        return min_ms(float_from(r, clock_local_midnight(last_ms)), by_meter);
    if (p->meter_only)
        return by_meter;
    int64_t done_until = today_ms - 1;
    if (last_ms != DB_NO_TIME) {
        /* A job counts for the nearest due date: anything later than half an interval before it. */
        const int64_t half = p->interval_ms / 2;
        done_until = last_ms + (p->tolerance_ms > half ? p->tolerance_ms : half);
    }
    return min_ms(fixed_after(r, done_until), by_meter);
}

/* The due date after one that is planned for a day. */
static int64_t following(const struct rhythm *r, int64_t at)
{
    if (!r->counts_from_last)
        return fixed_after(r, at);
    const int64_t next = min_ms(float_from(r, at), days_after(at, r->meter_days));
    /* An interval below a day: once a day is the finest plan. */
    return next > at ? next : clock_local_add_days(at, 1);
}

bool preventive_in_season(const struct plan *p, int64_t day)
{
    int y;
    int m;
    int d;
    if (p->season_from == 0 || p->season_to == 0)
        return true;
    clock_civil_from_days(day, &y, &m, &d);
    const int now = 100 * m + d;
    return p->season_from <= p->season_to ? now >= p->season_from && now <= p->season_to
                                          : now >= p->season_from || now <= p->season_to;
}

/* The date itself in season; else the first day of the next one, or INT64_MAX when a fixed plan
 * leaves it out. */
static int64_t into_season(const struct rhythm *r, int64_t at)
{
    int64_t day = clock_local_day(at);
    if (preventive_in_season(r->p, day))
        return at;
    if (!r->counts_from_last)
        return INT64_MAX;
    while (!preventive_in_season(r->p, day))
        day++;
    return clock_day_midnight(day);
}

void preventive_read_usage(const int64_t *ts_ms, const double *value, size_t n, double rollover,
                           int64_t last_ms, struct preventive_usage *out)
{
    double rise = 0;
    double since = 0;
    *out = (struct preventive_usage){NAN, n > 0 ? value[n - 1] : NAN, NAN};
    const bool covers_last = n > 0 && last_ms != DB_NO_TIME && ts_ms[0] <= last_ms;
    const int64_t recent_ms = n > 0 ? ts_ms[n - 1] - 30 * MS_PER_DAY : 0;
    int64_t begin_ms = INT64_MAX;
    for (size_t i = 1; i < n; i++) {
        const double step = meter_step(value[i - 1], value[i], rollover);
        if (ts_ms[i - 1] >= recent_ms || i + 1 == n) {
            rise += step;
            begin_ms = min_ms(begin_ms, ts_ms[i - 1]);
        }
        if (covers_last && ts_ms[i] > last_ms)
            since += step;
    }
    if (covers_last)
        out->since_last = since;
    if (begin_ms != INT64_MAX && ts_ms[n - 1] - begin_ms >= MS_PER_DAY)
        out->per_day = rise * (double)MS_PER_DAY / (double)(ts_ms[n - 1] - begin_ms);
}

size_t preventive_due(const struct plan *p, int64_t last_ms, const struct preventive_usage *usage,
                      int64_t now_ms, int64_t until_ms, int64_t *due, size_t max)
{
    const int64_t today = clock_local_midnight(now_ms);
    size_t n = 0;
    if (p->interval_ms <= 0 || !p->is_active)
        return 0;
    const struct rhythm r = rhythm_of(p, usage);
    for (int64_t at = next_due(&r, last_ms, today); at < until_ms && n < max;) {
        const int64_t now_at = at < today ? today : at; /* overdue: now, and then on from there */
        const int64_t in_season = into_season(&r, now_at);
        if (in_season < until_ms)
            due[n++] = in_season;
        at = following(&r, in_season != INT64_MAX ? in_season : now_at);
    }
    return n;
}

/* "4,000 run hours" of a meter that is named for what it counts, else "4,000 on counter_2". */
static void describe_meter(const struct plan *p, char *out, size_t size)
{
    static const char *const counted[] = {"hour", "cycle", "start", "stroke", "km",
                                          "mile", "litre", "tonne", "piece",  "part",
                                          "turn", "kwh",   "batch", "trip",   "shot"};
    char name[64] = "";
    size_t len = 0;
    for (; p->meter[len] != '\0' && len + 1 < sizeof(name); len++)
        name[len] = p->meter[len] == '_' ? ' ' : p->meter[len];
    name[len] = '\0';
    const char *last = strrchr(name, ' ');
    last = last != NULL ? last + 1 : name;
    bool is_unit = false;
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        const size_t n = strlen(counted[i]);
        is_unit = is_unit || (strncasecmp(last, counted[i], n) == 0 &&
                              (last[n] == '\0' || strcasecmp(last + n, "s") == 0 ||
                               strcasecmp(last + n, "es") == 0));
    }
    char number[40];
    snprintf(out, size, "%.24s %s%.60s", life_number(p->meter_interval, number),
             is_unit ? "" : "on ", is_unit ? name : p->meter);
}

const char *preventive_describe(const struct plan *p, char *out, size_t size)
{
    char words[160];
    char length[WORDS_SIZE];
    struct rrule rule;
    out[0] = '\0';
    if (p->rrule != NULL && rrule_parse(p->rrule, &rule, NULL) == FT_OK)
        snprintf(out, size, "%s", rrule_describe(&rule, words, sizeof(words)));
    else if (!p->meter_only)
        snprintf(out, size, "every %s", words_duration((double)p->interval_ms, length));
    if (p->meter != NULL) {
        const size_t at = strlen(out);
        char amount[120];
        describe_meter(p, amount, sizeof(amount));
        snprintf(out + at, size - at, "%severy %s", at > 0 ? " or " : "", amount);
    }
    return out;
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
