#include "app/inbox.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/fleet_rows.h"
#include "app/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FRIDAY = 5 };

int inbox_next_stop(const struct snapshot *s, const struct snapshot_case *k)
{
    for (int d = k->window.best + 1; d < s->days.n; d++)
        if (days_has(&s->days, d, CALENDAR_STOP, k->asset->area))
            return d;
    return -1;
}

/* --- one case --------------------------------------------------------------------------------- */

/* When the work is done as things stand: its place in the plan, else the best day. */
static int64_t planned_ms(const struct snapshot *s, const struct snapshot_case *k)
{
    return k->order != NULL && k->order->scheduled_ms != DB_NO_TIME
               ? k->order->scheduled_ms
               : s->days.start_ms[k->window.best];
}

/* A spare that is not in stock decides the first possible day: the reader must know. */
static void add_spare(const struct snapshot *s, const struct snapshot_case *k, char *text,
                      size_t size)
{
    char date[WORDS_SIZE];
    const struct component *c = catalog_component(&s->catalog, k->component_id);
    const int earliest = k->window.earliest;
    if (c == NULL || c->spare_lead_ms < MS_PER_DAY || earliest <= 0)
        return;
    snprintf(text + strlen(text), size - strlen(text), " The spare takes %lld days: here on %s.",
             (long long)(c->spare_lead_ms / MS_PER_DAY),
             words_date(s->days.start_ms[earliest], s->site.now_ms, date));
}

void inbox_decision(const struct snapshot *s, const struct snapshot_case *k,
                    struct inbox_decision *out)
{
    char date[WORDS_SIZE];
    char p[WORDS_SIZE];
    char then[WORDS_SIZE];
    char later[WORDS_SIZE];
    const struct predictive_window *w = &k->window;
    const int stop = inbox_next_stop(s, k);
    const int64_t day_ms = planned_ms(s, k);
    int day = days_index(&s->days, day_ms);
    if (day < 0 || day >= s->days.n)
        day = w->best;
    snprintf(out->lead, sizeof(out->lead), "%s the %s on %s.",
             k->component_id != 0 ? "Replace" : "Inspect",
             catalog_component_name(&s->catalog, k->component_id),
             words_date(day_ms, s->site.now_ms, date));
    snprintf(out->rest, sizeof(out->rest), "%s chance of failure in 30 days. Expected cost %s then",
             words_percent(w->p_window, p),
             words_money(llround(w->cost[day]), s->site.currency, then));
    const size_t n = strlen(out->rest);
    if (stop > day)
        snprintf(out->rest + n, sizeof(out->rest) - n, ", %s at the next stop.",
                 words_money(llround(w->cost[stop]), s->site.currency, later));
    else
        snprintf(out->rest + n, sizeof(out->rest) - n, ", %s when left.",
                 words_money(llround(w->cost_left), s->site.currency, later));
    add_spare(s, k, out->rest, sizeof(out->rest));
}

static const char *crew_name(const struct snapshot *s, int64_t id)
{
    for (size_t i = 0; i < s->crews.n && id != 0; i++)
        if (s->crews.items[i].id == id)
            return s->crews.items[i].name;
    return NULL;
}

/* Where the work stands in the plan, or would. */
static void add_lands(const struct snapshot *s, const struct snapshot_case *k, cJSON *o)
{
    char date[WORDS_SIZE];
    const struct work_order *w = k->order;
    const char *crew = w != NULL ? crew_name(s, w->crew_id) : NULL;
    words_date(planned_ms(s, k), s->site.now_ms, date);
    if (w == NULL)
        json_add_format(o, "lands", "No work order yet; the best day is %s.", date);
    else if (w->scheduled_ms == DB_NO_TIME)
        json_add_format(o, "lands", "%.40s has no day in the plan yet; the best one is %s.", w->key,
                        date);
    else
        json_add_format(o, "lands", "%.40s stands on %s%s%.80s.", w->key, date,
                        crew != NULL ? ", " : "", crew != NULL ? crew : "");
    json_add_string(o, "crew", crew);
    json_add_number(o, "duration_h", w != NULL ? w->duration_h : k->costs.planned_h);
}

void inbox_add_case(const struct snapshot *s, const struct snapshot_case *k,
                    const struct forecast *f, cJSON *o)
{
    struct inbox_decision d = {0};
    char rule[240] = "";
    const char *part =
        k->component_id != 0 ? catalog_component_name(&s->catalog, k->component_id) : "machine";
    const struct asset_class *c = catalog_class(&s->catalog, k->asset->class_id);
    json_add_string(o, "name", k->asset->name);
    json_add_string(o, "class", c != NULL ? c->name : NULL);
    json_add_string(o, "area", k->asset->area);
    json_add_string(o, "asset_state", fleet_state_name(fleet_state_of(s, k, f, rule)));
    json_add_string(o, "asset_state_rule", rule);
    json_add_format(o, "work", "%s %.80s", k->component_id != 0 ? "Replace" : "Inspect", part);
    inbox_decision(s, k, &d);
    cJSON *decision = json_add_object(o, "decision");
    json_add_string(decision, "lead", d.lead);
    json_add_string(decision, "rest", d.rest);
    add_lands(s, k, o);
    json_add_number(o, "risk_limit", s->site.risk_limit);
}

/* --- answer line ------------------------------------------------------------------------------ */

struct tally {
    size_t n, n_pressing;
    double waiting; /* minor units per day */
};

/* End of the coming Friday: today's, when today is one. */
static int64_t friday_ms(const struct snapshot *s)
{
    const struct clock_local now = clock_to_local(s->site.now_ms);
    const int days = (FRIDAY - now.weekday + 7) % 7;
    return clock_local_add_days(clock_local_midnight(s->site.now_ms), days);
}

static struct tally count_open(const struct snapshot *s, int64_t until_ms)
{
    struct tally t = {0};
    for (size_t i = 0; i < s->cases.n; i++) {
        struct snapshot_case k = {0};
        const struct risk_case *c = &s->cases.items[i];
        if (strcmp(c->state, "open") != 0)
            continue;
        t.n++;
        if (!cases_find(s, c, &k, NULL))
            continue;
        t.n_pressing += cases_decide_by_ms(s, &k) <= until_ms;
        t.waiting += k.window.waiting_per_day;
    }
    return t;
}

static void write_budget(const struct snapshot *s, const struct case_budget *b, char *out,
                         size_t size)
{
    char money[WORDS_SIZE];
    if (b->per_week > 0)
        snprintf(out, size, "%zu of this week's %d alarms used.", b->n_used, b->per_week);
    else
        snprintf(out, size, "%zu raised in the last seven days.", b->n_used);
    if (b->n_waiting == 0 || b->next_minor == DB_NO_MONEY)
        return;
    const size_t n = strlen(out);
    snprintf(out + n, size - n, " %zu more %s for a slot; the first is worth %s.", b->n_waiting,
             b->n_waiting == 1 ? "waits" : "wait",
             words_money(b->next_minor, s->site.currency, money));
}

/* Why the list is empty. */
static const char *why_empty(const struct snapshot *s)
{
    if (s->n_forecasts == 0)
        return "There are no forecasts yet: cases come from them, after the first training.";
    for (size_t i = 0; i < s->cases.n; i++)
        if (case_is_open(&s->cases.items[i]))
            return "Every case that stands is decided.";
    return "No part's chance of failure is high enough for work to pay.";
}

void inbox_add_answer(const struct snapshot *s, const struct case_budget *budget, cJSON *body)
{
    char date[WORDS_SIZE];
    char money[WORDS_SIZE];
    char used[240];
    const int64_t until_ms = friday_ms(s);
    const struct tally t = count_open(s, until_ms);
    cJSON *answer = json_add_object(body, "answer");
    write_budget(s, budget, used, sizeof(used));
    if (t.n == 0) {
        json_add_string(answer, "lead", "Nothing to decide.");
        json_add_format(answer, "rest", "%s %s", why_empty(s), used);
        return;
    }
    words_date(until_ms, s->site.now_ms, date);
    if (t.n_pressing > 0)
        json_add_format(answer, "lead", "%zu to decide; %zu cannot wait past %s.", t.n,
                        t.n_pressing, date);
    else
        json_add_format(answer, "lead", "%zu to decide; all can wait past %s.", t.n, date);
    json_add_format(answer, "rest", "Waiting costs %s a day in all. %s",
                    words_money(llround(t.waiting), s->site.currency, money), used);
}
