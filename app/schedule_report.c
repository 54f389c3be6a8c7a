#include "app/schedule_report.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/ics.h"
#include "app/planner/jobs.h"
#include "app/snapshot.h"
#include "app/words.h"
#include "db/run_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DAYS = 28, MAX_DAYS = 366, CANCELLED_DAYS = 30, MAX_RUNS = 50 };

struct report {
    struct db *db;
    struct snapshot s;
    struct days days;              /* of the asked span */
    struct work_order_list closed; /* cancelled lately; done in the span */
    const struct work_order **items;
    size_t n;
    int64_t from_ms, to_ms;
    int kinds;   /* bit 1 predictive, bit 2 the rest */
    cJSON *plan; /* report of the newest planner run; NULL = none */
};

/* --- loading ---------------------------------------------------------------------------------- */

static int64_t day_of(const struct work_order *w)
{
    return w->scheduled_ms != DB_NO_TIME ? w->scheduled_ms : w->due_ms;
}

static bool is_predictive(const struct work_order *w)
{
    return strcmp(w->kind, "predictive") == 0;
}

static bool is_asked(const struct report *r, const struct work_order *w)
{
    const int64_t day_ms = day_of(w);
    return (r->kinds & (is_predictive(w) ? 1 : 2)) != 0 && day_ms != DB_NO_TIME &&
           day_ms >= r->from_ms && day_ms < r->to_ms;
}

static int compare_items(const void *x, const void *y)
{
    const struct work_order *a = *(const struct work_order *const *)x;
    const struct work_order *b = *(const struct work_order *const *)y;
    if (day_of(a) != day_of(b))
        return day_of(a) < day_of(b) ? -1 : 1;
    if (is_predictive(a) != is_predictive(b))
        return is_predictive(a) ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static enum ft_status read_query(const struct schedule_query *q, struct report *r,
                                 struct ft_err *err)
{
    r->kinds = 3;
    if (q->kind != NULL && strcmp(q->kind, "predictive") == 0)
        r->kinds = 1;
    else if (q->kind != NULL && strcmp(q->kind, "preventive") == 0)
        r->kinds = 2;
    else if (q->kind != NULL && q->kind[0] != '\0' && strcmp(q->kind, "all") != 0)
        return ft_fail(err, FT_INVALID, "kind: expected predictive, preventive or all");
    r->from_ms = clock_local_midnight(q->from_ms != 0 ? q->from_ms : r->s.site.now_ms);
    r->to_ms = q->to_ms != 0 ? q->to_ms : clock_local_add_days(r->from_ms, DEFAULT_DAYS);
    if (r->to_ms <= r->from_ms)
        return ft_fail(err, FT_INVALID, "to: lies before from");
    if (r->to_ms - r->from_ms > (int64_t)MAX_DAYS * MS_PER_DAY + 2 * MS_PER_HOUR)
        return ft_fail(err, FT_INVALID, "to: expected at most %d days after from", MAX_DAYS);
    return FT_OK;
}

/* Report of the newest finished planner run, with the changes of every run of the last day. */
static enum ft_status read_plan(struct report *r, struct ft_err *err)
{
    struct run_list runs = {0};
    cJSON *changes = NULL;
    int64_t newest_ms = 0;
    enum ft_status st = run_list(r->db, "plan", MAX_RUNS, &runs, err);
    for (size_t i = 0; i < runs.n && st == FT_OK; i++) {
        cJSON *json = NULL;
        if (strcmp(runs.items[i].state, "done") != 0 || runs.items[i].report == NULL ||
            json_parse(runs.items[i].report, strlen(runs.items[i].report), &json, NULL) != FT_OK)
            continue;
        cJSON *own = cJSON_DetachItemFromObjectCaseSensitive(json, "changes");
        if (r->plan == NULL) {
            r->plan = json;
            newest_ms = runs.items[i].started_ms;
            changes = cJSON_CreateArray();
        } else if (newest_ms - runs.items[i].started_ms > MS_PER_DAY) {
            cJSON_Delete(own);
            cJSON_Delete(json);
            break;
        } else {
            cJSON_Delete(json);
        }
        while (own != NULL && own->child != NULL)
            cJSON_AddItemToArray(changes, cJSON_DetachItemViaPointer(own, own->child));
        cJSON_Delete(own);
    }
    if (changes != NULL && !cJSON_AddItemToObject(r->plan, "changes", changes))
        cJSON_Delete(changes);
    run_list_free(&runs);
    return st;
}

static enum ft_status report_load(struct db *db, const struct schedule_query *q, struct report *r,
                                  struct ft_err *err)
{
    r->db = db;
    enum ft_status st = snapshot_load(db, 0, &r->s, err);
    if (st == FT_OK)
        st = read_query(q, r, err);
    if (st == FT_OK)
        st = days_init(&r->days, r->from_ms,
                       (int)((r->to_ms - r->from_ms + 12 * MS_PER_HOUR) / MS_PER_DAY), &r->s.crews,
                       &r->s.calendar, err);
    if (st == FT_OK)
        st = read_plan(r, err);
    if (st != FT_OK)
        return st;
    r->items = calloc(r->s.open.n + 1, sizeof(struct work_order *));
    if (r->items == NULL)
        return ft_fail(err, FT_NOMEM, "schedule: no memory");
    for (size_t i = 0; i < r->s.open.n; i++)
        if (is_asked(r, &r->s.open.items[i]))
            r->items[r->n++] = &r->s.open.items[i];
    qsort(r->items, r->n, sizeof(struct work_order *), compare_items);
    return FT_OK;
}

static void report_free(struct report *r)
{
    free(r->items);
    cJSON_Delete(r->plan);
    work_order_list_free(&r->closed);
    days_free(&r->days);
    snapshot_free(&r->s);
}

/* --- items ------------------------------------------------------------------------------------ */

/* RFC 3339 with the site's offset, so that the first ten characters are the site's date. */
static void add_local(cJSON *o, const char *key, int64_t ts_ms)
{
    char text[48];
    if (ts_ms == DB_NO_TIME) {
        json_add_null(o, key);
        return;
    }
    const struct clock_local t = clock_to_local(ts_ms);
    const int minutes = abs(t.offset_s) / 60;
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t.year, t.month, t.day,
             t.hour, t.minute, t.second, t.offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
    json_add_string(o, key, text);
}

static const char *crew_name(const struct report *r, int64_t id)
{
    for (size_t i = 0; i < r->s.crews.n; i++)
        if (id != 0 && r->s.crews.items[i].id == id)
            return r->s.crews.items[i].name;
    return NULL;
}

/* "pulled forward 3 d: production stop"; false when it stands on its best day. */
static bool move_text(const struct report *r, const struct work_order *w, char *out, size_t size)
{
    if (w->scheduled_ms == DB_NO_TIME || w->due_ms == DB_NO_TIME)
        return false;
    const double off = (double)(w->scheduled_ms - w->due_ms) / (double)MS_PER_DAY;
    const long days = lround(off);
    if (days == 0)
        return false;
    const struct asset *a = catalog_asset(&r->s.catalog, w->asset_id);
    const int day = days_index(&r->days, w->scheduled_ms);
    const bool in_span = day >= 0 && day < r->days.n;
    const char *why = "room in the crews' hours";
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i] != w && r->items[i]->asset_id == w->asset_id &&
            r->items[i]->scheduled_ms == w->scheduled_ms)
            why = "shares the stop with other work there";
    if (in_span && days_has(&r->days, day, CALENDAR_STOP, a != NULL ? a->area : NULL))
        why = "production stop";
    snprintf(out, size, "%s %ld d: %s", days < 0 ? "pulled forward" : "put back", labs(days), why);
    return true;
}

static void add_item(const struct report *r, cJSON *items, const struct work_order *w)
{
    char moves[120];
    const char *currency = r->s.site.currency;
    const struct asset *a = catalog_asset(&r->s.catalog, w->asset_id);
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "key", w->key);
    json_add_string(o, "work_order", w->key);
    json_add_string(o, "title", w->title);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component",
                    w->component_id != 0 ? catalog_component_name(&r->s.catalog, w->component_id)
                                         : NULL);
    json_add_string(o, "kind", w->kind);
    json_add_string(o, "status", w->status);
    add_local(o, "due", w->due_ms);
    add_local(o, "earliest", w->earliest_ms);
    add_local(o, "latest", w->latest_ms);
    add_local(o, "scheduled", w->scheduled_ms);
    json_add_number(o, "duration_h", w->duration_h);
    json_add_string(o, "crew", crew_name(r, w->crew_id));
    json_add_string(o, "reason", w->reason);
    json_add_number(o, "risk_by_due", w->risk_by_due);
    json_add_number(o, "expected_cost",
                    w->expected_cost_minor != DB_NO_MONEY
                        ? money_to_major(w->expected_cost_minor, currency)
                        : NAN);
    json_add_number(o, "waiting_per_day",
                    w->waiting_minor_per_day != DB_NO_MONEY
                        ? money_to_major(w->waiting_minor_per_day, currency)
                        : NAN);
    json_add_bool(o, "pinned", w->is_pinned);
    json_add_string(o, "moves", move_text(r, w, moves, sizeof(moves)) ? moves : NULL);
}

/* --- crews, stops, plans ---------------------------------------------------------------------- */

/* Hours of every open work order on the days it takes, as the assignment spreads them. */
static void book_hours(const struct report *r, double *used)
{
    const struct days *d = &r->days;
    for (size_t i = 0; i < r->s.open.n; i++) {
        const struct work_order *w = &r->s.open.items[i];
        double left = w->duration_h;
        size_t c = 0;
        while (c < d->n_crews && d->crews[c].id != w->crew_id)
            c++;
        const int first = w->scheduled_ms != DB_NO_TIME ? days_index(d, w->scheduled_ms) : -1;
        if (c == d->n_crews || first < 0)
            continue;
        for (int day = first; day < d->n && left > 1e-9; day++) {
            const size_t at = c * (size_t)d->n + (size_t)day;
            const double take = day == first && d->hours[at] <= 0 ? left : fmin(left, d->hours[at]);
            used[at] += take;
            left -= take;
        }
    }
}

static enum ft_status add_crews(const struct report *r, cJSON *o, struct ft_err *err)
{
    const struct days *d = &r->days;
    double *used = calloc(d->n_crews * (size_t)d->n + 1, sizeof(*used));
    cJSON *crews = json_add_array(o, "crews");
    if (used == NULL)
        return ft_fail(err, FT_NOMEM, "schedule: no memory");
    book_hours(r, used);
    for (size_t c = 0; c < d->n_crews; c++) {
        cJSON *crew = json_add_object(crews, NULL);
        json_add_string(crew, "name", d->crews[c].name);
        json_add_string(crew, "skills", d->crews[c].skills);
        cJSON *days = json_add_array(crew, "days");
        for (int i = 0; i < d->n; i++) {
            char date[CLOCK_TEXT_SIZE];
            cJSON *day = json_add_object(days, NULL);
            clock_format_local_date(d->start_ms[i], date);
            json_add_string(day, "date", date);
            json_add_number(day, "hours_used", used[c * (size_t)d->n + (size_t)i]);
            json_add_number(day, "hours_available", d->hours[c * (size_t)d->n + (size_t)i]);
            json_add_string(day, "note",
                            days_crew_away(d, i, d->crews[c].id)      ? "away"
                            : days_has(d, i, CALENDAR_BLACKOUT, NULL) ? "blackout"
                                                                      : NULL);
        }
    }
    free(used);
    return FT_OK;
}

static void add_stops(const struct report *r, cJSON *o)
{
    cJSON *stops = json_add_array(o, "stops");
    for (size_t i = 0; i < r->s.calendar.n; i++) {
        const struct calendar_entry *e = &r->s.calendar.items[i];
        if (e->kind != CALENDAR_STOP || e->end_ms <= r->from_ms || e->start_ms >= r->to_ms)
            continue;
        cJSON *stop = json_add_object(stops, NULL);
        add_local(stop, "from", e->start_ms);
        add_local(stop, "to", e->end_ms);
        json_add_string(stop, "area", e->area);
        json_add_string(stop, "note", e->note);
    }
}

static enum ft_status add_drop(const struct report *r, cJSON *o, double *sum, struct ft_err *err)
{
    struct jobs jobs;
    cJSON *drop = json_add_array(o, "drop");
    *sum = 0;
    const enum ft_status st = jobs_judge_plans(r->db, &r->s, &jobs, err);
    if (st == FT_OK)
        qsort(jobs.plans, jobs.n_plans, sizeof(*jobs.plans), jobs_compare_plans);
    for (size_t i = 0; i < jobs.n_plans && st == FT_OK; i++) {
        const struct job_plan *p = &jobs.plans[i];
        if (p->verdict.advice != PREVENTIVE_STOP && p->verdict.advice != PREVENTIVE_LONGER)
            continue;
        cJSON *row = json_add_object(drop, NULL);
        json_add_string(row, "plan", p->plan->name);
        json_add_string(row, "key", p->plan->key);
        json_add_string(row, "advice",
                        p->verdict.advice == PREVENTIVE_STOP ? "stop" : "less_often");
        json_add_number(row, "every_s", (double)p->plan->interval_ms / 1000);
        json_add_number(row, "best_s", p->verdict.best_interval_d * 86400);
        json_add_int(row, "assets", (int64_t)p->n_assets);
        json_add_string(row, "why", p->verdict.why);
        json_add_number(row, "saving_per_year",
                        money_to_major(llround(p->verdict.saving_per_year), r->s.site.currency));
        *sum += p->verdict.saving_per_year;
    }
    jobs_free(&jobs);
    return st;
}

/* --- sentence --------------------------------------------------------------------------------- */

/* What comes next, and what could stop. */
static void add_answer(const struct report *r, cJSON *o, double drop)
{
    char lead[240];
    char rest[240] = "";
    char date[WORDS_SIZE];
    char count[WORDS_SIZE];
    char money[WORDS_SIZE];
    size_t n_predictive = 0;
    const struct work_order *first = NULL;
    for (size_t i = 0; i < r->n; i++) {
        n_predictive += is_predictive(r->items[i]);
        if (first == NULL && is_predictive(r->items[i]))
            first = r->items[i];
    }
    if (r->plan == NULL && r->n == 0)
        snprintf(lead, sizeof(lead), "There is no plan yet.");
    else if (r->n == 0)
        snprintf(lead, sizeof(lead), "Nothing is due in these days.");
    else if (first != NULL)
        snprintf(lead, sizeof(lead), "%s job%s by forecast, the first on %s: %.120s.",
                 words_count(n_predictive, count), n_predictive == 1 ? "" : "s",
                 words_date(day_of(first), r->s.site.now_ms, date), first->title);
    else
        snprintf(lead, sizeof(lead), "%s job%s by rule, none by forecast.",
                 words_count(r->n, count), r->n == 1 ? "" : "s");
    if (r->n > 0)
        snprintf(rest, sizeof(rest), "%zu job%s from %s on.", r->n, r->n == 1 ? "" : "s",
                 words_date(r->from_ms, r->s.site.now_ms, date));
    if (drop >= 1)
        snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest),
                 "%sWork that does not pay costs %s a year.", rest[0] != '\0' ? " " : "",
                 words_money(llround(drop), r->s.site.currency, money));
    cJSON *answer = json_add_object(o, "answer");
    json_add_string(answer, "lead", lead);
    json_add_string(answer, "rest", rest);
}

/* Moves a member of the planner's report into the answer; an empty one of the kind when absent. */
static void add_from_plan(struct report *r, cJSON *o, const char *key, bool is_array)
{
    cJSON *item = r->plan != NULL ? cJSON_DetachItemFromObjectCaseSensitive(r->plan, key) : NULL;
    if (item == NULL)
        item = is_array ? cJSON_CreateArray() : cJSON_CreateNull();
    if (!cJSON_AddItemToObject(o, key, item))
        cJSON_Delete(item);
}

enum ft_status schedule_json(struct db *db, const struct schedule_query *q, cJSON **out,
                             struct ft_err *err)
{
    struct report r = {0};
    double drop = 0;
    *out = NULL;
    enum ft_status st = report_load(db, q, &r, err);
    cJSON *o = st == FT_OK ? cJSON_CreateObject() : NULL;
    cJSON *tail = o != NULL ? cJSON_CreateObject() : NULL;
    if (st == FT_OK && tail == NULL)
        st = ft_fail(err, FT_NOMEM, "schedule: no memory");
    if (st == FT_OK)
        st = add_drop(&r, tail, &drop, err);
    if (st == FT_OK) {
        add_answer(&r, o, drop);
        add_local(o, "from", r.from_ms);
        add_local(o, "to", r.to_ms);
        json_add_string(o, "currency", r.s.site.currency);
        add_from_plan(&r, o, "planned_at", false);
        add_from_plan(&r, o, "summary", false);
        cJSON *items = json_add_array(o, "items");
        for (size_t i = 0; i < r.n; i++)
            add_item(&r, items, r.items[i]);
        st = add_crews(&r, o, err);
    }
    if (st == FT_OK) {
        add_stops(&r, o);
        add_from_plan(&r, o, "not_placed", true);
        add_from_plan(&r, o, "changes", true);
        cJSON *d = cJSON_DetachItemFromObjectCaseSensitive(tail, "drop");
        if (!cJSON_AddItemToObject(o, "drop", d))
            cJSON_Delete(d);
        *out = o;
        o = NULL;
    }
    cJSON_Delete(o);
    cJSON_Delete(tail);
    report_free(&r);
    return st;
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void csv_date(struct buf *b, int64_t ts_ms)
{
    char date[CLOCK_TEXT_SIZE];
    if (ts_ms != DB_NO_TIME) {
        clock_format_local_date(ts_ms, date);
        buf_puts(b, date);
    }
    buf_putc(b, ',');
}

static void csv_money(struct buf *b, int64_t minor, const char *currency)
{
    if (minor != DB_NO_MONEY)
        buf_printf(b, "%.*f", money_digits(currency), money_to_major(minor, currency));
    buf_putc(b, ',');
}

static void csv_text(struct buf *b, const char *text, char end)
{
    buf_put_csv(b, text != NULL ? text : "");
    buf_putc(b, end);
}

enum ft_status schedule_csv(struct db *db, const struct schedule_query *q, struct buf *out,
                            struct ft_err *err)
{
    struct report r = {0};
    enum ft_status st = report_load(db, q, &r, err);
    if (st == FT_OK)
        buf_puts(out, "key,asset,component,title,kind,status,scheduled,due,earliest,latest,"
                      "duration_h,crew,risk_by_due,expected_cost,waiting_per_day,currency,reason"
                      "\r\n");
    for (size_t i = 0; i < r.n && st == FT_OK; i++) {
        const struct work_order *w = r.items[i];
        const struct asset *a = catalog_asset(&r.s.catalog, w->asset_id);
        const char *currency = r.s.site.currency;
        csv_text(out, w->key, ',');
        csv_text(out, a != NULL ? a->key : NULL, ',');
        csv_text(out,
                 w->component_id != 0 ? catalog_component_name(&r.s.catalog, w->component_id)
                                      : NULL,
                 ',');
        csv_text(out, w->title, ',');
        csv_text(out, w->kind, ',');
        csv_text(out, w->status, ',');
        csv_date(out, w->scheduled_ms);
        csv_date(out, w->due_ms);
        csv_date(out, w->earliest_ms);
        csv_date(out, w->latest_ms);
        buf_printf(out, "%g,", w->duration_h);
        csv_text(out, crew_name(&r, w->crew_id), ',');
        if (!isnan(w->risk_by_due))
            buf_printf(out, "%.4f", w->risk_by_due);
        buf_putc(out, ',');
        csv_money(out, w->expected_cost_minor, currency);
        csv_money(out, w->waiting_minor_per_day, currency);
        csv_text(out, currency, ',');
        csv_text(out, w->reason, '\r');
        buf_putc(out, '\n');
    }
    report_free(&r);
    return st == FT_OK ? buf_status(out, err) : st;
}

/* --- iCalendar -------------------------------------------------------------------------------- */

/* Last day of a job: it takes whole crew days. */
static int64_t last_day(const struct report *r, const struct work_order *w)
{
    const struct days *d = &r->days;
    double left = w->duration_h;
    const int first = days_index(d, day_of(w));
    size_t c = 0;
    while (c < d->n_crews && d->crews[c].id != w->crew_id)
        c++;
    if (first < 0 || first >= d->n || c == d->n_crews)
        return day_of(w);
    for (int day = first; day < d->n; day++) {
        left -= d->hours[c * (size_t)d->n + (size_t)day];
        if (left <= 1e-9)
            return d->start_ms[day];
    }
    return day_of(w);
}

static void put_event(const struct report *r, struct buf *out, const struct work_order *w)
{
    char uid[120];
    char text[1200];
    const struct asset *a = catalog_asset(&r->s.catalog, w->asset_id);
    const char *crew = crew_name(r, w->crew_id);
    const bool is_gone = strcmp(w->status, "cancelled") == 0 || strcmp(w->status, "rejected") == 0;
    snprintf(uid, sizeof(uid), "%.80s@fettle", w->key);
    snprintf(text, sizeof(text), "%s%s%s%s\n%g h%s%s, %s, %s", w->reason != NULL ? w->reason : "",
             w->note != NULL ? "\n" : "", w->note != NULL ? w->note : "",
             is_gone ? "\nCancelled." : "", w->duration_h, crew != NULL ? ", " : "",
             crew != NULL ? crew : "", w->kind, w->status);
    const struct ics_event e = {.uid = uid,
                                .sequence = w->version - 1,
                                .stamp_ms = w->updated_ms,
                                .start_ms = day_of(w),
                                .end_ms = last_day(r, w),
                                .is_all_day = true,
                                .summary = w->title,
                                .description = text,
                                .location = a != NULL ? a->area : NULL,
                                .category = w->kind,
                                .status = is_gone                           ? ICS_CANCELLED
                                          : strcmp(w->status, "draft") == 0 ? ICS_TENTATIVE
                                                                            : ICS_CONFIRMED};
    ics_put(out, &e);
}

enum ft_status schedule_ics(struct db *db, const struct schedule_query *q, struct buf *out,
                            struct ft_err *err)
{
    struct report r = {0};
    enum ft_status st = report_load(db, q, &r, err);
    const struct work_order_filter gone = {.status = "cancelled,rejected",
                                           .changed_since_ms =
                                               r.s.site.now_ms - CANCELLED_DAYS * MS_PER_DAY};
    if (st == FT_OK)
        st = work_order_list(db, &gone, &r.closed, err);
    if (st == FT_OK) {
        char name[160];
        snprintf(name, sizeof(name), "%s%smaintenance", r.s.site.name,
                 r.s.site.name[0] != '\0' ? ": " : "");
        ics_begin(out, name, r.s.site.zone);
        for (size_t i = 0; i < r.n; i++)
            put_event(&r, out, r.items[i]);
        for (size_t i = 0; i < r.closed.n; i++)
            if (is_asked(&r, &r.closed.items[i]))
                put_event(&r, out, &r.closed.items[i]);
        ics_end(out);
        st = buf_status(out, err);
    }
    report_free(&r);
    return st;
}

enum ft_status schedule_exists(struct db *db, bool *exists, struct ft_err *err)
{
    struct run_list runs = {0};
    *exists = false;
    const enum ft_status st = run_list(db, "plan", MAX_RUNS, &runs, err);
    for (size_t i = 0; i < runs.n; i++)
        *exists |= strcmp(runs.items[i].state, "done") == 0;
    run_list_free(&runs);
    return st;
}
