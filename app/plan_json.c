#include "app/plan_json.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/planner/preventive.h"
#include "app/planner/rrule.h"
#include "app/words.h"
#include "db/asset_store.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 200, MAX_NOTE = 4000, MAX_STEPS = 200 };
#define MAX_INTERVAL_S (100.0 * 365.25 * 86400.0)

static const char *const weekday_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* --- texts ------------------------------------------------------------------------------------ */

static enum ft_status put_text(char **to, const char *value, struct ft_err *err)
{
    char *copy = NULL;
    if (value != NULL && (copy = strdup(value)) == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a text");
    free(*to);
    *to = copy;
    return FT_OK;
}

/* A member as an owned text; null clears it, absent leaves it. */
static enum ft_status take_text(const cJSON *json, const char *key, size_t max, char **to,
                                struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item == NULL)
        return FT_OK;
    if (cJSON_IsNull(item))
        return put_text(to, NULL, err);
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0')
        return ft_fail(err, FT_INVALID, "/%s: expected a text", key);
    if (strlen(item->valuestring) > max)
        return ft_fail(err, FT_INVALID, "/%s: longer than %zu bytes", key, max);
    return put_text(to, item->valuestring, err);
}

/* A JSON array kept as text; null clears it. */
static enum ft_status take_list(const cJSON *json, const char *key, char **to, struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item == NULL)
        return FT_OK;
    if (cJSON_IsNull(item) || (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 0))
        return put_text(to, NULL, err);
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) > MAX_STEPS)
        return ft_fail(err, FT_INVALID, "/%s: expected a list of at most %d", key, MAX_STEPS);
    char *text = json_print(item, false);
    if (text == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a list");
    free(*to);
    *to = text;
    return FT_OK;
}

static void add_parsed(cJSON *to, const char *key, const char *text)
{
    cJSON *list = NULL;
    if (text == NULL || json_parse(text, strlen(text), &list, NULL) != FT_OK)
        list = cJSON_CreateArray();
    if (!cJSON_AddItemToObject(to, key, list))
        cJSON_Delete(list);
}

/* "PM-1,PM-2" as an array. */
static void add_keys(cJSON *to, const char *key, const char *keys)
{
    cJSON *list = json_add_array(to, key);
    for (const char *p = keys != NULL ? keys : ""; *p != '\0';) {
        char one[MAX_TEXT + 1];
        const size_t n = strcspn(p, ",");
        snprintf(one, sizeof(one), "%.*s", (int)n, p);
        json_add_string(list, NULL, one);
        p += n + (p[n] == ',');
    }
}

/* --- plans to JSON ---------------------------------------------------------------------------- */

static void add_season(cJSON *o, const struct plan *p)
{
    char text[32];
    if (p->season_from == 0 || p->season_to == 0) {
        json_add_null(o, "season");
        return;
    }
    snprintf(text, sizeof(text), "%02d-%02d/%02d-%02d", p->season_from / 100 % 100,
             p->season_from % 100, p->season_to / 100 % 100, p->season_to % 100);
    json_add_string(o, "season", text);
}

static void add_rhythm(cJSON *o, const struct plan *p)
{
    char words[PREVENTIVE_WORDS];
    json_add_number(o, "interval_s", (double)p->interval_ms / 1000.0);
    json_add_string(o, "rrule", p->rrule);
    json_add_string(o, "every", preventive_describe(p, words, sizeof(words)));
    json_add_string(o, "meter", p->meter);
    json_add_number(o, "meter_interval", p->meter != NULL ? p->meter_interval : NAN);
    json_add_bool(o, "meter_only", p->meter_only);
    add_season(o, p);
    json_add_number(o, "tolerance_s", (double)p->tolerance_ms / 1000.0);
    json_add_instant(o, "anchor", p->anchor_ms);
    json_add_bool(o, "floating", p->is_floating);
    add_keys(o, "covers", p->covers);
}

cJSON *plan_to_json(const struct plan *p, const struct catalog *c, const char *currency)
{
    const struct asset_class *k = catalog_class(c, p->class_id);
    const struct asset *a = catalog_asset(c, p->asset_id);
    const struct component *part = catalog_component(c, p->component_id);
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "key", p->key);
    json_add_string(o, "name", p->name);
    json_add_string(o, "class", k != NULL ? k->name : NULL);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component", part != NULL ? part->name : NULL);
    json_add_string(o, "action", p->action);
    add_rhythm(o, p);
    json_add_number(o, "duration_h", p->duration_h);
    json_add_money(o, "cost", p->cost_minor, currency);
    json_add_string(o, "skill", p->skill);
    add_parsed(o, "checklist", p->checklist);
    add_parsed(o, "parts", p->parts);
    json_add_bool(o, "active", p->is_active);
    json_add_int(o, "version", p->version);
    if (p->updated_ms != 0)
        json_add_instant(o, "updated", p->updated_ms);
    else
        json_add_null(o, "updated");
    return o;
}

/* --- plans from JSON -------------------------------------------------------------------------- */

/* Which class or asset a new plan is for; a patch may only repeat it. */
static enum ft_status take_target(struct db *db, const cJSON *json, bool is_new, struct plan *p,
                                  int64_t *class_id, struct ft_err *err)
{
    const char *class_name = NULL;
    const char *asset_key = NULL;
    struct asset a = {0};
    struct asset_class k = {0};
    enum ft_status st = json_string(json, "class", false, &class_name, err);
    if (st == FT_OK)
        st = json_string(json, "asset", false, &asset_key, err);
    if (st == FT_OK && is_new && (class_name == NULL) == (asset_key == NULL))
        return ft_fail(err, FT_INVALID, "/asset: expected either an asset or a class");
    if (st == FT_OK && asset_key != NULL) {
        st = asset_find(db, asset_key, &a, err);
        if (st == FT_OK && !is_new && a.id != p->asset_id)
            st = ft_fail(err, FT_INVALID, "/asset: cannot change after the plan was made");
        if (st == FT_OK && is_new)
            p->asset_id = a.id;
    } else if (st == FT_OK && class_name != NULL) {
        st = class_find(db, class_name, &k, err);
        if (st == FT_OK && !is_new && k.id != p->class_id)
            st = ft_fail(err, FT_INVALID, "/class: cannot change after the plan was made");
        if (st == FT_OK && is_new)
            p->class_id = k.id;
    }
    if (st == FT_NOT_FOUND)
        st = ft_fail(err, FT_INVALID, "/%s: there is no %s '%.80s'",
                     asset_key != NULL ? "asset" : "class", asset_key != NULL ? "asset" : "class",
                     asset_key != NULL ? asset_key : class_name);
    if (st == FT_OK && a.id == 0 && p->asset_id != 0)
        st = asset_get(db, p->asset_id, &a, err);
    *class_id = p->class_id != 0 ? p->class_id : a.class_id;
    asset_clear(&a);
    asset_class_clear(&k);
    return st;
}

static enum ft_status take_component(struct db *db, const cJSON *json, int64_t class_id,
                                     struct plan *p, struct ft_err *err)
{
    const char *name = NULL;
    struct component_list l = {0};
    if (json_get(json, "component") == NULL)
        return FT_OK;
    p->component_id = 0;
    enum ft_status st = json_string(json, "component", false, &name, err);
    if (st != FT_OK || name == NULL)
        return st;
    st = component_list(db, class_id, &l, err);
    for (size_t i = 0; i < l.n; i++)
        if (strcmp(l.items[i].name, name) == 0)
            p->component_id = l.items[i].id;
    component_list_free(&l);
    if (st == FT_OK && p->component_id == 0)
        st = ft_fail(err, FT_INVALID, "/component: the class has no component '%.80s'", name);
    return st;
}

static enum ft_status take_action(const cJSON *json, bool is_new, struct plan *p,
                                  struct ft_err *err)
{
    const char *action = is_new ? "service" : NULL;
    enum ft_status st = json_string(json, "action", false, &action, err);
    if (st != FT_OK || action == NULL)
        return st;
    if (strcmp(action, "replacement") != 0 && strcmp(action, "inspection") != 0 &&
        strcmp(action, "service") != 0)
        return ft_fail(err, FT_INVALID, "/action: expected replacement, inspection or service");
    return put_text(&p->action, action, err);
}

/* Two digits as a number; -1 when they are none. */
static int two_digits(const char *p)
{
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9'
               ? 10 * (p[0] - '0') + (p[1] - '0')
               : -1;
}

/* "11-28" as 1128; 0 when it is no day of a year. */
static int month_day(const char *p)
{
    const int month = two_digits(p);
    const int day = p[2] == '-' ? two_digits(p + 3) : -1;
    return month >= 1 && month <= 12 && day >= 1 && day <= clock_days_in_month(2000, month)
               ? 100 * month + day
               : 0;
}

static enum ft_status take_season(const cJSON *json, struct plan *p, struct ft_err *err)
{
    const char *text = NULL;
    if (json_get(json, "season") == NULL)
        return FT_OK;
    p->season_from = p->season_to = 0;
    enum ft_status st = json_string(json, "season", false, &text, err);
    if (st != FT_OK || text == NULL)
        return st;
    if (strlen(text) == 11 && text[5] == '/') {
        p->season_from = month_day(text);
        p->season_to = month_day(text + 6);
    }
    if (p->season_from == 0 || p->season_to == 0)
        return ft_fail(err, FT_INVALID, "/season: expected first and last day such as 11-01/02-28");
    return FT_OK;
}

static enum ft_status take_rhythm(const cJSON *json, bool is_new, struct plan *p,
                                  struct ft_err *err)
{
    struct rrule rule;
    double interval_s = NAN;
    enum ft_status st = json_number(json, "interval_s", false, &interval_s, err);
    if (st == FT_OK && (interval_s < 1 || interval_s > MAX_INTERVAL_S))
        st = ft_fail(err, FT_INVALID, "/interval_s: expected seconds from 1 to 100 years");
    if (st == FT_OK)
        st = take_text(json, "rrule", MAX_TEXT, &p->rrule, err);
    if (st == FT_OK)
        st = take_text(json, "meter", MAX_TEXT, &p->meter, err);
    if (st == FT_OK)
        st = json_number(json, "meter_interval", false, &p->meter_interval, err);
    if (st == FT_OK)
        st = json_bool(json, "meter_only", false, &p->meter_only, err);
    if (st != FT_OK)
        return st;
    if (p->meter != NULL && !(p->meter_interval > 0 && p->meter_interval < 1e15))
        return ft_fail(err, FT_INVALID, "/meter_interval: expected units of the meter, above 0");
    if (!isnan(interval_s)) {
        p->interval_ms = (int64_t)llround(interval_s * 1000);
        if (json_get(json, "rrule") == NULL && put_text(&p->rrule, NULL, err) != FT_OK)
            return FT_NOMEM;
    }
    if (p->rrule != NULL) {
        st = rrule_parse(p->rrule, &rule, err);
        if (st != FT_OK) {
            ft_err_prefix(err, "/rrule");
            return st;
        }
        p->interval_ms = llround(rrule_nominal_days(&rule) * (double)MS_PER_DAY);
    }
    if (is_new && p->interval_ms == 0 && p->meter != NULL) {
        p->meter_only = true;
        p->interval_ms = 365 * MS_PER_DAY; /* of costs and tolerances only */
    }
    if (p->interval_ms == 0)
        return ft_fail(err, FT_INVALID, "/interval_s: expected interval_s, rrule or meter");
    if (p->meter_only && p->meter == NULL)
        return ft_fail(err, FT_INVALID, "/meter_only: there is no meter");
    return FT_OK;
}

static enum ft_status take_numbers(struct db *db, const cJSON *json, bool is_new, struct plan *p,
                                   struct ft_err *err)
{
    char currency[4];
    double tolerance_s = NAN;
    double cost = NAN;
    db_setting_get(db, "currency", "EUR", currency, sizeof(currency));
    enum ft_status st = json_number(json, "tolerance_s", false, &tolerance_s, err);
    if (st == FT_OK && (tolerance_s < 0 || tolerance_s > MAX_INTERVAL_S))
        st = ft_fail(err, FT_INVALID, "/tolerance_s: expected seconds from 0");
    if (st == FT_OK)
        st = json_instant(json, "anchor", false, &p->anchor_ms, err);
    if (st == FT_OK)
        st = json_bool(json, "floating", false, &p->is_floating, err);
    if (st == FT_OK)
        st = json_bool(json, "active", false, &p->is_active, err);
    if (st == FT_OK)
        st = json_number(json, "duration_h", false, &p->duration_h, err);
    if (st == FT_OK && !(p->duration_h > 0 && p->duration_h <= 10000))
        st = ft_fail(err, FT_INVALID, "/duration_h: expected hours above 0, at most 10000");
    if (st == FT_OK)
        st = json_number(json, "cost", false, &cost, err);
    if (st == FT_OK && (cost < 0 || cost > 1e13))
        st = ft_fail(err, FT_INVALID, "/cost: expected a sum of 0 or more");
    if (st != FT_OK)
        return st;
    if (!isnan(tolerance_s))
        p->tolerance_ms = (int64_t)llround(tolerance_s * 1000);
    else if (is_new)
        p->tolerance_ms = p->interval_ms / 10;
    if (!isnan(cost))
        p->cost_minor = money_from_major(cost, currency);
    return FT_OK;
}

/* A list of keys, or one text with commas (the form of a table). */
static enum ft_status take_covers(const cJSON *json, struct plan *p, struct ft_err *err)
{
    char keys[2000] = "";
    const cJSON *list = json_get(json, "covers");
    const cJSON *one;
    if (list == NULL)
        return FT_OK;
    if (cJSON_IsNull(list))
        return put_text(&p->covers, NULL, err);
    if (!cJSON_IsArray(list))
        return ft_fail(err, FT_INVALID, "/covers: expected a list of plan keys");
    cJSON_ArrayForEach (one, list) {
        const size_t at = strlen(keys);
        if (!cJSON_IsString(one) || strchr(one->valuestring, ',') != NULL ||
            at + strlen(one->valuestring) + 2 > sizeof(keys))
            return ft_fail(err, FT_INVALID, "/covers: expected a list of plan keys");
        if (p->key != NULL && strcmp(one->valuestring, p->key) == 0)
            return ft_fail(err, FT_INVALID, "/covers: a plan cannot cover itself");
        snprintf(keys + at, sizeof(keys) - at, "%s%s", at > 0 ? "," : "", one->valuestring);
    }
    return put_text(&p->covers, keys[0] != '\0' ? keys : NULL, err);
}

static enum ft_status check_parts(const cJSON *json, struct ft_err *err)
{
    static const char *const known[] = {"part", "quantity", NULL};
    const cJSON *list = json_get(json, "parts");
    const cJSON *steps = json_get(json, "checklist");
    const cJSON *one;
    cJSON_ArrayForEach (one, steps)
        if (!cJSON_IsString(one) || strlen(one->valuestring) > MAX_NOTE)
            return ft_fail(err, FT_INVALID, "/checklist: expected a list of texts");
    cJSON_ArrayForEach (one, list) {
        const char *part = NULL;
        double quantity = 1;
        enum ft_status st = cJSON_IsObject(one)
                                ? json_only_keys(one, known, err)
                                : ft_fail(err, FT_INVALID, "expected an object with part");
        if (st == FT_OK)
            st = json_string(one, "part", true, &part, err);
        if (st == FT_OK)
            st = json_number(one, "quantity", false, &quantity, err);
        if (st == FT_OK && !(quantity > 0 && quantity < 1e9))
            st = ft_fail(err, FT_INVALID, "/quantity: expected a number above 0");
        if (st != FT_OK) {
            ft_err_prefix(err, "/parts");
            return st;
        }
    }
    return FT_OK;
}

enum ft_status plan_from_json(struct db *db, const cJSON *json, bool is_new, int64_t now_ms,
                              struct plan *p, struct ft_err *err)
{
    static const char *const allowed[] = {
        "key",    "name",       "class",  "asset",    "component",  "action",         "interval_s",
        "rrule",  "meter",      "season", "anchor",   "meter_only", "meter_interval", "tolerance_s",
        "covers", "duration_h", "cost",   "floating", "skill",      "checklist",      "parts",
        "active", NULL};
    int64_t class_id = 0;
    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    if (is_new)
        *p = (struct plan){.anchor_ms = now_ms,
                           .is_floating = true,
                           .is_active = true,
                           .duration_h = 1,
                           .meter_interval = NAN};
    enum ft_status st = json_only_keys(json, allowed, err);
    const cJSON *key = json_get(json, "key");
    if (st == FT_OK && !is_new && key != NULL &&
        (!cJSON_IsString(key) || strcmp(key->valuestring, p->key) != 0))
        st = ft_fail(err, FT_INVALID, "/key: cannot change after the plan was made");
    if (st == FT_OK && is_new)
        st = take_text(json, "key", MAX_TEXT, &p->key, err);
    if (st == FT_OK)
        st = take_text(json, "name", MAX_TEXT, &p->name, err);
    if (st == FT_OK && p->name == NULL)
        st = ft_fail(err, FT_INVALID, "/name: missing, expected a text");
    if (st == FT_OK)
        st = take_target(db, json, is_new, p, &class_id, err);
    if (st == FT_OK)
        st = take_component(db, json, class_id, p, err);
    if (st == FT_OK)
        st = take_action(json, is_new, p, err);
    if (st == FT_OK)
        st = take_rhythm(json, is_new, p, err);
    if (st == FT_OK)
        st = take_season(json, p, err);
    if (st == FT_OK)
        st = take_numbers(db, json, is_new, p, err);
    if (st == FT_OK)
        st = take_text(json, "skill", MAX_TEXT, &p->skill, err);
    if (st == FT_OK)
        st = take_covers(json, p, err);
    if (st == FT_OK)
        st = check_parts(json, err);
    if (st == FT_OK)
        st = take_list(json, "checklist", &p->checklist, err);
    return st == FT_OK ? take_list(json, "parts", &p->parts, err) : st;
}

enum ft_status plan_next_key(struct db *db, char out[32], struct ft_err *err)
{
    struct plan_list l = {0};
    enum ft_status st = plan_list(db, &l, err);
    bool is_taken = true;
    for (size_t n = l.n + 1; st == FT_OK && is_taken && n < 10 * l.n + 1000; n++) {
        snprintf(out, 32, "PM-%04zu", n);
        is_taken = false;
        for (size_t i = 0; i < l.n; i++)
            is_taken = is_taken || strcmp(l.items[i].key, out) == 0;
    }
    plan_list_free(&l);
    return st == FT_OK && is_taken ? ft_fail(err, FT_INTERNAL, "no free plan key") : st;
}

/* --- calendar --------------------------------------------------------------------------------- */

cJSON *calendar_to_json(const struct calendar_entry *e, const struct crew_list *crews)
{
    const char *crew = NULL;
    cJSON *o = cJSON_CreateObject();
    for (size_t i = 0; i < crews->n; i++)
        if (crews->items[i].id == e->crew_id)
            crew = crews->items[i].name;
    json_add_int(o, "id", e->id);
    json_add_string(o, "kind", calendar_kind_name(e->kind));
    json_add_instant(o, "start", e->start_ms);
    json_add_instant(o, "end", e->end_ms);
    json_add_string(o, "crew", crew);
    json_add_string(o, "area", e->area);
    json_add_string(o, "note", e->note);
    json_add_string(o, "rrule", e->rrule);
    return o;
}

void calendar_entry_clear(struct calendar_entry *e)
{
    free(e->area);
    free(e->note);
    free(e->rrule);
    *e = (struct calendar_entry){0};
}

static enum ft_status take_kind(const cJSON *json, struct calendar_entry *e, struct ft_err *err)
{
    const char *kind = NULL;
    const enum ft_status st = json_string(json, "kind", true, &kind, err);
    if (st != FT_OK)
        return st;
    for (int i = 0; i < CALENDAR_KINDS; i++)
        if (strcmp(kind, calendar_kind_name((enum calendar_kind)i)) == 0) {
            e->kind = (enum calendar_kind)i;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID, "/kind: expected blackout, stop, crew_away or holiday");
}

static enum ft_status take_crew(const cJSON *json, const struct crew_list *crews,
                                struct calendar_entry *e, struct ft_err *err)
{
    const char *crew = NULL;
    const enum ft_status st = json_string(json, "crew", false, &crew, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < crews->n && crew != NULL; i++)
        if (strcmp(crews->items[i].name, crew) == 0)
            e->crew_id = crews->items[i].id;
    if (crew != NULL && e->crew_id == 0)
        return ft_fail(err, FT_INVALID, "/crew: there is no crew '%.80s'", crew);
    if (e->kind == CALENDAR_CREW_AWAY && crew == NULL)
        return ft_fail(err, FT_INVALID, "/crew: missing, expected who is away");
    return FT_OK;
}

enum ft_status calendar_from_json(const cJSON *json, const struct crew_list *crews,
                                  struct calendar_entry *e, struct ft_err *err)
{
    static const char *const allowed[] = {"id",   "kind", "start", "end", "crew",
                                          "area", "note", "rrule", NULL};
    struct rrule rule;
    *e = (struct calendar_entry){0};
    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    enum ft_status st = json_only_keys(json, allowed, err);
    if (st == FT_OK)
        st = take_kind(json, e, err);
    if (st == FT_OK)
        st = json_instant(json, "start", true, &e->start_ms, err);
    if (st == FT_OK)
        st = json_instant(json, "end", true, &e->end_ms, err);
    if (st == FT_OK && e->end_ms <= e->start_ms)
        st = ft_fail(err, FT_INVALID, "/end: expected an instant after start");
    if (st == FT_OK)
        st = take_crew(json, crews, e, err);
    if (st == FT_OK)
        st = take_text(json, "area", MAX_TEXT, &e->area, err);
    if (st == FT_OK)
        st = take_text(json, "note", MAX_NOTE, &e->note, err);
    if (st == FT_OK)
        st = take_text(json, "rrule", MAX_TEXT, &e->rrule, err);
    if (st == FT_OK && e->rrule != NULL && (st = rrule_parse(e->rrule, &rule, err)) != FT_OK)
        ft_err_prefix(err, "/rrule");
    return st;
}

/* --- crews ------------------------------------------------------------------------------------ */

cJSON *crew_to_json(const struct crew *k, const char *currency)
{
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "name", k->name);
    json_add_string(o, "skills", k->skills);
    json_add_number(o, "hours_per_day", k->hours_per_day);
    cJSON *weekdays = json_add_array(o, "weekdays");
    for (int d = 0; d < 7; d++)
        if ((k->weekdays & 1 << d) != 0)
            json_add_string(weekdays, NULL, weekday_names[d]);
    if (k->rate_minor_per_h != DB_NO_MONEY)
        json_add_money(o, "rate_per_h", k->rate_minor_per_h, currency);
    else
        json_add_null(o, "rate_per_h");
    return o;
}

void crew_clear(struct crew *k)
{
    free(k->name);
    free(k->skills);
    *k = (struct crew){0};
}

static enum ft_status take_weekdays(const cJSON *json, struct crew *k, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *one;
    const enum ft_status st = json_array(json, "weekdays", false, &list, err);
    if (st != FT_OK || list == NULL)
        return st;
    k->weekdays = 0;
    cJSON_ArrayForEach (one, list) {
        int day = 0;
        while (day < 7 &&
               !(cJSON_IsString(one) && strncmp(one->valuestring, weekday_names[day], 3) == 0))
            day++;
        if (day == 7)
            return ft_fail(err, FT_INVALID, "/weekdays: expected Mon, Tue, ... Sun");
        k->weekdays |= 1 << day;
    }
    return FT_OK;
}

enum ft_status crew_from_json(const cJSON *json, const char *currency, struct crew *k,
                              struct ft_err *err)
{
    static const char *const allowed[] = {"name",     "skills",     "hours_per_day",
                                          "weekdays", "rate_per_h", NULL};
    double rate = NAN;
    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    if (k->name == NULL)
        *k = (struct crew){.hours_per_day = 8, .weekdays = 62, .rate_minor_per_h = DB_NO_MONEY};
    enum ft_status st = json_only_keys(json, allowed, err);
    if (st == FT_OK)
        st = take_text(json, "name", MAX_TEXT, &k->name, err);
    if (st == FT_OK && k->name == NULL)
        st = ft_fail(err, FT_INVALID, "/name: missing, expected a text");
    if (st == FT_OK)
        st = take_text(json, "skills", MAX_NOTE, &k->skills, err);
    if (st == FT_OK)
        st = json_number(json, "hours_per_day", false, &k->hours_per_day, err);
    if (st == FT_OK && !(k->hours_per_day >= 0 && k->hours_per_day <= 1000))
        st = ft_fail(err, FT_INVALID, "/hours_per_day: expected hours from 0 to 1000");
    if (st == FT_OK)
        st = take_weekdays(json, k, err);
    if (st == FT_OK)
        st = json_number(json, "rate_per_h", false, &rate, err);
    if (st == FT_OK && (rate < 0 || rate > 1e9))
        st = ft_fail(err, FT_INVALID, "/rate_per_h: expected a sum of 0 or more");
    if (st == FT_OK && !isnan(rate))
        k->rate_minor_per_h = money_from_major(rate, currency);
    return st;
}
