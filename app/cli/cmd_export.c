/* fettle export WHAT: facts to standard output as CSV (which fettle import reads back) or JSON, row
 * after row, whatever the size. */
#include "app/base/buf.h"
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/cli/model_exchange.h"
#include "app/ingest/number.h"
#include "app/work_order_json.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/prediction_store.h"
#include "db/reading_store.h"
#include "db/work_order_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_BYTES = 1 << 20 };

/* One run of an export. */
struct export
{
    struct db *db;
    const char *asset, *class_name;
    int64_t from_ms, to_ms;
    bool as_json;
    bool has_parts;             /* some event names the part that went in */
    bool has_rows;              /* JSON: a comma is due before the next row */
    int64_t asset_id, class_id; /* 0 = all */
    struct buf out;
    char currency[8];
    struct asset_list assets; /* those asked for, by key */
    struct asset_class_list classes;
    struct component_list components;
};

static enum ft_status flush(struct export *x, struct ft_err *err)
{
    enum ft_status st = buf_status(&x->out, err);
    if (st == FT_OK && x->out.len > 0 && fwrite(x->out.data, 1, x->out.len, stdout) != x->out.len)
        st = ft_fail(err, FT_IO, "the output cannot be written");
    x->out.len = 0;
    if (st == FT_OK && cli_is_interrupted())
        st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    return st;
}

static enum ft_status end_row(struct export *x, struct ft_err *err)
{
    if (!x->as_json)
        buf_putc(&x->out, '\n');
    return x->out.len >= FLUSH_BYTES ? flush(x, err) : FT_OK;
}

/* A whole JSON row. */
static enum ft_status put_json(struct export *x, const cJSON *row, struct ft_err *err)
{
    char *text = json_print(row, false);
    if (text == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a row");
    buf_puts(&x->out, x->has_rows ? ",\n" : "\n");
    buf_puts(&x->out, text);
    free(text);
    x->has_rows = true;
    return end_row(x, err);
}

/* --- fields of a CSV row --- */

static void put_text(struct export *x, const char *text)
{
    buf_put_csv(&x->out, text != NULL ? text : "");
    buf_putc(&x->out, ',');
}

static void put_instant(struct export *x, int64_t ts_ms)
{
    char text[CLOCK_TEXT_SIZE] = "";
    if (ts_ms != DB_NO_TIME)
        clock_format_utc(ts_ms, text);
    put_text(x, text);
}

static void put_number(struct export *x, double v)
{
    char text[NUMBER_TEXT_SIZE];
    number_format(v, text);
    put_text(x, text);
}

static void put_money(struct export *x, int64_t minor)
{
    put_number(x, minor == DB_NO_MONEY ? NAN : money_to_major(minor, x->currency));
}

/* Takes the last field's comma away: the row is complete. */
static void trim_comma(struct export *x)
{
    if (x->out.len > 0)
        x->out.len--;
}

static const char *class_name(const struct export *x, int64_t id)
{
    for (size_t i = 0; i < x->classes.n; i++)
        if (x->classes.items[i].id == id)
            return x->classes.items[i].name;
    return NULL;
}

static const char *component_name(const struct export *x, int64_t id)
{
    for (size_t i = 0; id != 0 && i < x->components.n; i++)
        if (x->components.items[i].id == id)
            return x->components.items[i].name;
    return NULL;
}

static int compare_asset_ids(const void *a, const void *b)
{
    const struct asset *pa = a;
    const struct asset *pb = b;
    return (pa->id > pb->id) - (pa->id < pb->id);
}

static const char *asset_key(const struct export *x, int64_t id)
{
    const struct asset key = {.id = id};
    if (x->assets.n == 0)
        return NULL;
    const struct asset *a =
        bsearch(&key, x->assets.items, x->assets.n, sizeof(key), compare_asset_ids);
    return a != NULL ? a->key : NULL;
}

/* --- readings --- */

static enum ft_status put_reading(struct export *x, const char *asset, const char *sensor,
                                  int64_t ts_ms, double value, struct ft_err *err)
{
    if (!x->as_json) {
        put_text(x, asset);
        put_instant(x, ts_ms);
        put_text(x, sensor);
        put_number(x, value);
        trim_comma(x);
        return end_row(x, err);
    }
    char number[NUMBER_TEXT_SIZE];
    char when[CLOCK_TEXT_SIZE];
    number_format(value, number);
    clock_format_utc(ts_ms, when);
    /* The names come quoted; cJSON would round the value. */
    buf_printf(&x->out, "%s{\"asset\":%s,\"time\":\"%s\",\"sensor\":%s,\"value\":%s}",
               x->has_rows ? ",\n" : "\n", asset, when, sensor,
               number[0] != '\0' ? number : "null");
    x->has_rows = true;
    return end_row(x, err);
}

/* The name as it stands in the output: a JSON string, or as it is. Caller frees. */
static char *quoted(const struct export *x, const char *name)
{
    if (!x->as_json)
        return strdup(name);
    cJSON *text = cJSON_CreateString(name);
    char *out = text != NULL ? json_print(text, false) : NULL;
    cJSON_Delete(text);
    return out;
}

static enum ft_status export_sensor(struct export *x, const char *asset, const struct sensor *s,
                                    struct ft_err *err)
{
    struct readings r = {0};
    char *name = quoted(x, s->name);
    enum ft_status st = name != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "no memory for a name");
    if (st == FT_OK)
        st = reading_scan(x->db, s->id, x->from_ms, x->to_ms, &r, err);
    for (size_t i = 0; i < r.n && st == FT_OK; i++)
        st = put_reading(x, asset, name, r.ts_ms[i], r.value[i], err);
    readings_free(&r);
    free(name);
    return st;
}

static enum ft_status export_readings(struct export *x, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (!x->as_json)
        buf_puts(&x->out, "asset,time,sensor,value\n");
    for (size_t i = 0; i < x->assets.n && st == FT_OK; i++) {
        struct sensor_list sensors = {0};
        char *key = quoted(x, x->assets.items[i].key);
        st = key != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "no memory for a name");
        if (st == FT_OK)
            st = sensor_list(x->db, x->assets.items[i].id, &sensors, err);
        for (size_t k = 0; k < sensors.n && st == FT_OK; k++)
            st = export_sensor(x, key, &sensors.items[k], err);
        sensor_list_free(&sensors);
        free(key);
    }
    return st;
}

/* --- assets --- */

/* Names of all attributes of the assets asked for, sorted; each a CSV column. */
struct attribute_names {
    char **items;
    size_t n;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum ft_status collect_attribute_names(struct export *x, struct attribute_names *names,
                                              struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t cap = 0;
    for (size_t i = 0; i < x->assets.n && st == FT_OK; i++) {
        struct attribute_list a = {0};
        st = asset_attribute_list(x->db, x->assets.items[i].id, &a, err);
        for (size_t k = 0; k < a.n && st == FT_OK; k++) {
            char *name = a.items[k].name;
            if (names->n > 0 && bsearch(&name, names->items, names->n, sizeof(name), compare_names))
                continue;
            if (names->n == cap) {
                cap = cap == 0 ? 16 : cap * 2;
                char **grown = reallocarray(names->items, cap, sizeof(*grown));
                if (grown == NULL) {
                    st = ft_fail(err, FT_NOMEM, "no memory for names");
                    break;
                }
                names->items = grown;
            }
            names->items[names->n++] = name;
            a.items[k].name = NULL; /* taken over */
            qsort(names->items, names->n, sizeof(name), compare_names);
        }
        attribute_list_free(&a);
    }
    return st;
}

static void put_asset_json(const struct export *x, const struct asset *a,
                           const struct attribute_list *attributes, cJSON *row)
{
    json_add_string(row, "asset", a->key);
    json_add_string(row, "class", class_name(x, a->class_id));
    json_add_string(row, "name", a->name);
    json_add_string(row, "area", a->area);
    if (a->commissioned_ms != DB_NO_TIME)
        json_add_instant(row, "commissioned", a->commissioned_ms);
    else
        json_add_null(row, "commissioned");
    if (a->retired_ms != DB_NO_TIME)
        json_add_instant(row, "retired", a->retired_ms);
    else
        json_add_null(row, "retired");
    if (a->downtime_minor_per_h != DB_NO_MONEY)
        json_add_money(row, "downtime_cost_per_hour", a->downtime_minor_per_h, x->currency);
    else
        json_add_null(row, "downtime_cost_per_hour");
    json_add_bool(row, "held_out", a->is_held_out);
    if (a->true_rul_ms != DB_NO_TIME)
        json_add_int(row, "true_rul_ms", a->true_rul_ms);
    else
        json_add_null(row, "true_rul_ms");
    cJSON *to = json_add_object(row, "attributes");
    for (size_t i = 0; i < attributes->n; i++)
        json_add_string(to, attributes->items[i].name, attributes->items[i].value);
}

static void put_asset_csv(struct export *x, const struct asset *a,
                          const struct attribute_list *attributes,
                          const struct attribute_names *names)
{
    put_text(x, a->key);
    put_text(x, class_name(x, a->class_id));
    put_text(x, a->name);
    put_text(x, a->area);
    put_instant(x, a->commissioned_ms);
    put_instant(x, a->retired_ms);
    put_money(x, a->downtime_minor_per_h);
    put_text(x, a->is_held_out ? "1" : "");
    put_number(x, a->true_rul_ms != DB_NO_TIME ? (double)a->true_rul_ms : NAN);
    for (size_t k = 0; k < names->n; k++) {
        const char *value = NULL;
        for (size_t i = 0; i < attributes->n; i++)
            if (strcmp(attributes->items[i].name, names->items[k]) == 0)
                value = attributes->items[i].value;
        put_text(x, value);
    }
    trim_comma(x);
}

static enum ft_status export_assets(struct export *x, struct ft_err *err)
{
    struct attribute_names names = {0};
    enum ft_status st = x->as_json ? FT_OK : collect_attribute_names(x, &names, err);
    if (!x->as_json) {
        buf_puts(&x->out, "asset,class,name,area,commissioned,retired,downtime_cost_per_hour,"
                          "held_out,true_rul_ms,");
        for (size_t k = 0; k < names.n; k++)
            put_text(x, names.items[k]);
        trim_comma(x);
        buf_putc(&x->out, '\n');
    }
    for (size_t i = 0; i < x->assets.n && st == FT_OK; i++) {
        struct attribute_list attributes = {0};
        st = asset_attribute_list(x->db, x->assets.items[i].id, &attributes, err);
        if (st == FT_OK && x->as_json) {
            cJSON *row = cJSON_CreateObject();
            put_asset_json(x, &x->assets.items[i], &attributes, row);
            st = put_json(x, row, err);
            cJSON_Delete(row);
        } else if (st == FT_OK) {
            put_asset_csv(x, &x->assets.items[i], &attributes, &names);
            st = end_row(x, err);
        }
        attribute_list_free(&attributes);
    }
    for (size_t k = 0; k < names.n; k++)
        free(names.items[k]);
    free(names.items);
    return st;
}

/* --- events --- */

static void put_event_json(const struct export *x, const struct event *e, cJSON *row)
{
    json_add_string(row, "asset", asset_key(x, e->asset_id));
    json_add_instant(row, "time", e->ts_ms);
    json_add_string(row, "kind", event_kind_name(e->kind));
    json_add_string(row, "component", component_name(x, e->component_id));
    json_add_string(row, "code", e->code[0] != '\0' ? e->code : NULL);
    json_add_string(row, "note", e->note);
    json_add_number(row, "downtime_h",
                    e->downtime_ms != DB_NO_TIME ? (double)e->downtime_ms / MS_PER_HOUR : NAN);
    if (e->cost_minor != DB_NO_MONEY)
        json_add_money(row, "cost", e->cost_minor, x->currency);
    else
        json_add_null(row, "cost");
    json_add_string(row, "external_key", e->external_key);
    json_add_string(row, "part_serial", e->part);
    json_add_string(row, "source", e->source);
}

static enum ft_status put_event(struct export *x, const struct event *e, struct ft_err *err)
{
    if (x->as_json) {
        cJSON *row = cJSON_CreateObject();
        put_event_json(x, e, row);
        const enum ft_status st = put_json(x, row, err);
        cJSON_Delete(row);
        return st;
    }
    put_text(x, asset_key(x, e->asset_id));
    put_instant(x, e->ts_ms);
    put_text(x, event_kind_name(e->kind));
    put_text(x, component_name(x, e->component_id));
    put_text(x, e->code);
    put_text(x, e->note);
    put_number(x, e->downtime_ms != DB_NO_TIME ? (double)e->downtime_ms / MS_PER_HOUR : NAN);
    put_money(x, e->cost_minor);
    put_text(x, e->external_key);
    if (x->has_parts)
        put_text(x, e->part);
    trim_comma(x);
    return end_row(x, err);
}

#define EVENT_COLUMNS "asset,time,kind,component,code,note,downtime_h,cost,external_key"

static enum ft_status export_events(struct export *x, struct ft_err *err)
{
    const struct event_filter filter = {
        .asset_id = x->asset_id, .class_id = x->class_id, .from_ms = x->from_ms, .to_ms = x->to_ms};
    struct event_list events = {0};
    enum ft_status st = event_list(x->db, &filter, &events, err);
    for (size_t i = 0; i < events.n && !x->has_parts; i++)
        x->has_parts = events.items[i].part != NULL;
    if (!x->as_json)
        buf_puts(&x->out, x->has_parts ? EVENT_COLUMNS ",part_serial\n" : EVENT_COLUMNS "\n");
    for (size_t i = 0; i < events.n && st == FT_OK; i++)
        st = put_event(x, &events.items[i], err);
    event_list_free(&events);
    return st;
}

/* --- work orders and ledger: one JSON object a row, the CSV columns are its members --- */

/* A member's value as a CSV field. */
static void put_member(struct export *x, const cJSON *v)
{
    if (cJSON_IsString(v))
        put_text(x, v->valuestring);
    else if (cJSON_IsNumber(v))
        put_number(x, v->valuedouble);
    else
        put_text(x, cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "");
}

static enum ft_status put_object(struct export *x, const cJSON *row, bool *has_header,
                                 struct ft_err *err)
{
    const cJSON *member;
    if (x->as_json)
        return put_json(x, row, err);
    if (!*has_header) {
        cJSON_ArrayForEach (member, row) {
            put_text(x, member->string);
        }
        trim_comma(x);
        buf_putc(&x->out, '\n');
        *has_header = true;
    }
    cJSON_ArrayForEach (member, row) {
        put_member(x, member);
    }
    trim_comma(x);
    return end_row(x, err);
}

static bool is_wanted(const struct export *x, int64_t asset_id, int64_t ts_ms)
{
    return asset_key(x, asset_id) != NULL && ts_ms >= x->from_ms && ts_ms < x->to_ms;
}

static enum ft_status export_work_orders(struct export *x, struct ft_err *err)
{
    const struct work_order_filter filter = {.asset_id = x->asset_id};
    struct work_order_list list = {0};
    bool has_header = false;
    enum ft_status st = work_order_list(x->db, &filter, &list, err);
    for (size_t i = 0; i < list.n && st == FT_OK; i++) {
        cJSON *row = NULL;
        if (!is_wanted(x, list.items[i].asset_id, list.items[i].created_ms))
            continue;
        st = work_order_to_json(x->db, &list.items[i], &row, err);
        if (st == FT_OK)
            st = put_object(x, row, &has_header, err);
        cJSON_Delete(row);
    }
    work_order_list_free(&list);
    return st;
}

static enum ft_status export_ledger(struct export *x, struct ft_err *err)
{
    struct ledger_list list = {0};
    bool has_header = false;
    enum ft_status st = ledger_list(x->db, x->asset_id, 0, &list, err);
    for (size_t i = list.n; i > 0 && st == FT_OK; i--) { /* oldest first */
        const struct ledger_row *r = &list.items[i - 1];
        if (!is_wanted(x, r->asset_id, r->as_of_ms))
            continue;
        cJSON *row = cJSON_CreateObject();
        json_add_string(row, "asset", asset_key(x, r->asset_id));
        json_add_string(row, "component", component_name(x, r->component_id));
        json_add_instant(row, "as_of", r->as_of_ms);
        json_add_number(row, "horizon_h", (double)r->horizon_ms / MS_PER_HOUR);
        json_add_number(row, "p", r->p);
        json_add_int(row, "model", r->model_id);
        json_add_string(row, "outcome", r->outcome);
        if (r->decided_ms != DB_NO_TIME)
            json_add_instant(row, "decided", r->decided_ms);
        else
            json_add_null(row, "decided");
        st = put_object(x, row, &has_header, err);
        cJSON_Delete(row);
    }
    ledger_list_free(&list);
    return st;
}

/* --- frame --- */

/* Finds what --asset and --class name, and loads the names that rows refer to. */
static enum ft_status load_names(struct export *x, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    db_setting_get(x->db, "currency", "EUR", x->currency, sizeof(x->currency));
    if (x->asset != NULL) {
        struct asset a = {0};
        st = asset_find(x->db, x->asset, &a, err);
        x->asset_id = a.id;
        asset_clear(&a);
    }
    if (st == FT_OK && x->class_name != NULL) {
        struct asset_class c = {0};
        st = class_find(x->db, x->class_name, &c, err);
        x->class_id = c.id;
        asset_class_clear(&c);
    }
    if (st == FT_OK)
        st = class_list(x->db, &x->classes, err);
    if (st == FT_OK)
        st = component_list(x->db, 0, &x->components, err);
    if (st == FT_OK)
        st = asset_list(x->db, x->class_id, &x->assets, err);
    size_t n = 0;
    for (size_t i = 0; i < x->assets.n && st == FT_OK; i++) {
        if (x->asset_id != 0 && x->assets.items[i].id != x->asset_id)
            asset_clear(&x->assets.items[i]);
        else
            x->assets.items[n++] = x->assets.items[i];
    }
    if (st == FT_OK) {
        x->assets.n = n;
        if (n > 1)
            qsort(x->assets.items, n, sizeof(*x->assets.items), compare_asset_ids);
    }
    return st;
}

static enum ft_status
run(struct export *x, enum ft_status (*rows)(struct export *x, struct ft_err *), struct ft_err *err)
{
    buf_init(&x->out, 64 << 20);
    enum ft_status st = db_open_reader(cli_db_path(), &x->db, err);
    if (st == FT_OK)
        st = db_begin(x->db, err); /* one snapshot for all of it */
    if (st == FT_OK)
        st = load_names(x, err);
    if (st == FT_OK && x->as_json)
        buf_putc(&x->out, '[');
    if (st == FT_OK)
        st = rows(x, err);
    if (st == FT_OK && x->as_json)
        buf_puts(&x->out, "\n]\n");
    if (st == FT_OK)
        st = flush(x, err);
    if (st == FT_OK && fflush(stdout) != 0)
        st = ft_fail(err, FT_IO, "the output cannot be written");
    if (x->db != NULL)
        db_rollback(x->db);
    asset_list_free(&x->assets);
    asset_class_list_free(&x->classes);
    component_list_free(&x->components);
    db_close(x->db);
    buf_free(&x->out);
    return st;
}

int cmd_export(int argc, char **argv)
{
    static const struct {
        const char *word;
        enum ft_status (*rows)(struct export *x, struct ft_err *err);
    } verbs[] = {{"readings", export_readings},
                 {"assets", export_assets},
                 {"events", export_events},
                 {"work-orders", export_work_orders},
                 {"ledger", export_ledger}};
    struct export x = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    bool as_csv = false;
    const char *word = NULL;
    size_t n_words = 0;
    const struct cli_flag flags[] = {
        {"--asset", CLI_STRING, &x.asset, "K", "only this asset"},
        {"--class", CLI_STRING, &x.class_name, "K", "only assets of this class"},
        {"--from", CLI_INSTANT, &x.from_ms, "TIME", "from this time on"},
        {"--to", CLI_INSTANT, &x.to_ms, "TIME", "before this time"},
        {"--csv", CLI_BOOL, &as_csv, NULL, "print CSV (the default)"},
        {"--json", CLI_BOOL, &x.as_json, NULL, "print a JSON array"}};
    const struct cli_usage usage = {
        .examples = "fettle export readings --asset pump-7 --from 2026-01-01 > pump-7.csv\n"
                    "fettle export events --class pump --json\n"
                    "fettle export model fail.model --format onnx --out fail.onnx",
        .synopsis = "fettle export readings|assets|events|work-orders|ledger [flags]",
        .text = "Times are UTC, numbers have as many digits as bring the same value back. What\n"
                "is exported as CSV can be imported again. fettle export model MODEL --out FILE\n"
                "writes a model of fettle fit as ONNX (fettle export model -h).",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    struct ft_err err;
    if (argc >= 2 && strcmp(argv[1], "model") == 0)
        return cmd_export_model(argc - 1, argv + 1);
    const int code = cli_parse(&usage, argc, argv, &word, 1, &n_words);
    if (code >= 0)
        return code;
    if (as_csv && x.as_json)
        return cli_usage_error("--csv and --json exclude each other");
    for (size_t i = 0; word != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(word, verbs[i].word) == 0)
            return run(&x, verbs[i].rows, &err) == FT_OK ? 0 : cli_fail(&err);
    return cli_usage_error("export what? readings, assets, events, work-orders, ledger or model");
}
