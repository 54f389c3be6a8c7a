/* The tables that planning rests on: plans, crews, calendar. */
#include "app/ingest/import_records.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/plan_json.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

/* What a plan says but for its version, to tell a change from a repetition. Owned text. */
static char *plan_text(const struct plan *p)
{
    static const struct catalog none;
    struct plan copy = *p; /* borrows */
    copy.version = copy.updated_ms = 0;
    cJSON *o = plan_to_json(&copy, &none, "EUR");
    json_add_int(o, "component_id", p->component_id);
    char *text = o != NULL ? json_print(o, false) : NULL;
    cJSON_Delete(o);
    return text;
}

static enum ft_status take_plan(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                enum record_outcome *outcome, struct ft_err *err)
{
    const char *key = NULL;
    struct plan p = {0};
    char *before = NULL;
    char *after = NULL;
    int64_t id;
    enum ft_status st = json_string(row, "key", true, &key, err);
    if (st != FT_OK)
        return st;
    st = plan_find(db, key, &p, err);
    const bool is_new = st == FT_NOT_FOUND;
    if (st == FT_OK && (before = plan_text(&p)) == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for a plan");
    if (st == FT_OK || is_new)
        st = plan_from_json(db, row, is_new, clock_local_midnight(clock_now_ms()), &p, err);
    if (st == FT_OK && (after = plan_text(&p)) == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for a plan");
    if (st == FT_OK) {
        const bool is_same = before != NULL && strcmp(before, after) == 0;
        *outcome = is_new ? RECORD_NEW : is_same ? RECORD_UNCHANGED : RECORD_CHANGED;
        p.updated_ms = clock_now_ms();
        if (!is_dry_run && !is_same)
            st = plan_put(db, &p, &id, err);
    }
    free(before);
    free(after);
    plan_clear(&p);
    return st;
}

enum ft_status import_plans(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {
        {"key|plan|pm|pm_number|number|id", "key", RECORD_TEXT},
        {"name|title|task|description", "name", RECORD_TEXT},
        {"class|asset_class", "class", RECORD_TEXT},
        {"asset|machine|equipment|tag", "asset", RECORD_TEXT},
        {"component|part_of|comp", "component", RECORD_TEXT},
        {"action|type|kind", "action", RECORD_TEXT},
        {"interval|every|interval_s|frequency", "interval_s", RECORD_SECONDS},
        {"rrule|recurrence", "rrule", RECORD_TEXT},
        {"meter|counter", "meter", RECORD_TEXT},
        {"meter_interval|counter_interval", "meter_interval", RECORD_NUMBER},
        {"meter_only", "meter_only", RECORD_BOOL},
        {"season", "season", RECORD_TEXT},
        {"tolerance|tolerance_s|window", "tolerance_s", RECORD_SECONDS},
        {"anchor|start|first_due|start_date", "anchor", RECORD_TEXT},
        {"floating|from_completion", "floating", RECORD_BOOL},
        {"covers|includes", "covers", RECORD_LIST},
        {"duration_h|hours|duration", "duration_h", RECORD_NUMBER},
        {"cost|material_cost", "cost", RECORD_NUMBER},
        {"skill|craft|trade", "skill", RECORD_TEXT},
        {"checklist|steps", "checklist", RECORD_LIST},
        {"parts|spares", "parts", RECORD_PARTS},
        {"active|enabled", "active", RECORD_BOOL}};
    static const struct record_kind kind = {
        "plans", columns, sizeof(columns) / sizeof(columns[0]), take_plan, NULL, NULL};
    return import_records(db, file, o, &kind, out, err);
}

static enum ft_status take_crew(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                enum record_outcome *outcome, struct ft_err *err)
{
    const char *name = NULL;
    char currency[4];
    struct crew_list crews = {0};
    struct crew fresh = {0};
    struct crew *k = &fresh;
    int64_t id;
    db_setting_get(db, "currency", "EUR", currency, sizeof(currency));
    enum ft_status st = json_string(row, "name", true, &name, err);
    if (st == FT_OK)
        st = crew_list(db, &crews, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < crews.n; i++)
        if (strcmp(crews.items[i].name, name) == 0)
            k = &crews.items[i];
    cJSON *before = k != &fresh ? crew_to_json(k, currency) : NULL;
    st = crew_from_json(row, currency, k, err);
    if (st == FT_OK) {
        cJSON *after = crew_to_json(k, currency);
        const bool is_same = before != NULL && cJSON_Compare(before, after, true);
        *outcome = before == NULL ? RECORD_NEW : is_same ? RECORD_UNCHANGED : RECORD_CHANGED;
        cJSON_Delete(after);
        if (!is_dry_run && !is_same)
            st = crew_put(db, k, &id, err);
    }
    cJSON_Delete(before);
    crew_clear(&fresh);
    crew_list_free(&crews);
    return st;
}

enum ft_status import_crews(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {
        {"name|crew|team", "name", RECORD_TEXT},
        {"skills|skill|craft", "skills", RECORD_TEXT},
        {"hours_per_day|hours|capacity_h", "hours_per_day", RECORD_NUMBER},
        {"weekdays|days", "weekdays", RECORD_LIST},
        {"rate_per_h|rate", "rate_per_h", RECORD_NUMBER}};
    static const struct record_kind kind = {
        "crews", columns, sizeof(columns) / sizeof(columns[0]), take_crew, NULL, NULL};
    return import_records(db, file, o, &kind, out, err);
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* An entry that stands there already word for word is not made twice. */
static enum ft_status take_entry(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                 enum record_outcome *outcome, struct ft_err *err)
{
    struct crew_list crews = {0};
    struct calendar_list there = {0};
    struct calendar_entry e = {0};
    int64_t id;
    bool is_known = false;
    enum ft_status st = crew_list(db, &crews, err);
    if (st == FT_OK)
        st = calendar_from_json(row, &crews, &e, err);
    if (st == FT_OK)
        st = calendar_list(db, e.start_ms, e.end_ms, &there, err);
    for (size_t i = 0; i < there.n && st == FT_OK; i++) {
        const struct calendar_entry *x = &there.items[i];
        is_known =
            is_known || (x->kind == e.kind && x->start_ms == e.start_ms && x->end_ms == e.end_ms &&
                         x->crew_id == e.crew_id && is_same_text(x->area, e.area) &&
                         is_same_text(x->note, e.note) && is_same_text(x->rrule, e.rrule));
    }
    *outcome = is_known ? RECORD_UNCHANGED : RECORD_NEW;
    if (st == FT_OK && !is_known && !is_dry_run)
        st = calendar_put(db, &e, &id, err);
    calendar_entry_clear(&e);
    calendar_list_free(&there);
    crew_list_free(&crews);
    return st;
}

enum ft_status import_calendar(struct db *db, const char *file, const struct import_options *o,
                               struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {
        {"kind|type", "kind", RECORD_TEXT},        {"start|from|begin|date", "start", RECORD_TEXT},
        {"end|to|until", "end", RECORD_TEXT},      {"crew|team", "crew", RECORD_TEXT},
        {"area|location", "area", RECORD_TEXT},    {"note|name|reason", "note", RECORD_TEXT},
        {"rrule|recurrence", "rrule", RECORD_TEXT}};
    static const struct record_kind kind = {
        "calendar", columns, sizeof(columns) / sizeof(columns[0]), take_entry, NULL, NULL};
    return import_records(db, file, o, &kind, out, err);
}
