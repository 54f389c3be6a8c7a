/* The site as a whole: top bar, key figures, classes, imports and what they could not take. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/catalog.h"
#include "app/site.h"
#include "app/version.h"
#include "db/import_store.h"
#include "db/prediction_store.h"

#include <math.h>

/* Instant of the newest scoring; DB_NO_TIME when there is none. */
static int64_t scored_at(struct db *db)
{
    struct forecast_row_list rows = {0};
    int64_t newest = DB_NO_TIME;
    if (forecast_list(db, 0, 0, &rows, NULL) != FT_OK)
        return DB_NO_TIME;
    for (size_t i = 0; i < rows.n; i++)
        if (rows.items[i].scored_ms > newest)
            newest = rows.items[i].scored_ms;
    forecast_row_list_free(&rows);
    return newest;
}

enum ft_status api_site_get(struct api_call *c, struct ft_err *err)
{
    struct site site;
    const enum ft_status st = site_load(c->db, &site, err);
    if (st != FT_OK)
        return st;
    const int64_t scored_ms = scored_at(c->db);
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "name", site.name);
    json_add_string(o, "time_zone", site.zone);
    json_add_string(o, "currency", site.currency);
    json_add_instant(o, "now", site.now_ms);
    api_add_instant(o, "last_reading_at", site.last_reading_ms);
    api_add_instant(o, "scored_at", scored_ms);
    json_add_string(o, "version", FETTLE_VERSION);
    json_add_string(o, "role", token_role_name(c->role));
    return api_reply(c, o, err);
}

static void add_class(cJSON *items, const struct catalog *cat, const struct asset_class *k,
                      const char *currency)
{
    int64_t n_assets = 0;
    for (size_t i = 0; i < cat->assets.n; i++)
        n_assets += cat->assets.items[i].class_id == k->id;
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "name", k->name);
    json_add_int(o, "assets", n_assets);
    json_add_number(o, "cycle_s", k->cycle_ms > 0 ? (double)k->cycle_ms / 1000.0 : NAN);
    api_add_money(o, "downtime_per_h", k->downtime_minor_per_h, currency);
    cJSON *parts = json_add_array(o, "components");
    for (size_t i = 0; i < cat->components.n; i++) {
        const struct component *p = &cat->components.items[i];
        if (p->class_id != k->id)
            continue;
        cJSON *part = json_add_object(parts, NULL);
        json_add_string(part, "name", p->name);
        json_add_number(part, "unplanned_h", p->unplanned_h);
        json_add_number(part, "planned_h", p->planned_h);
        api_add_money(part, "unplanned_repair", p->unplanned_repair_minor, currency);
        api_add_money(part, "planned_repair", p->planned_repair_minor, currency);
        json_add_string(part, "spare", p->spare);
        json_add_string(part, "skill", p->skill);
    }
}

enum ft_status api_classes_list(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK) {
        cJSON *items = cJSON_CreateArray();
        for (size_t i = 0; i < cat.classes.n; i++)
            add_class(items, &cat, &cat.classes.items[i], site.currency);
        st = api_reply_list(c, items, NULL, err);
    }
    catalog_free(&cat);
    return st;
}

enum ft_status api_imports_list(struct api_call *c, struct ft_err *err)
{
    struct import_list rows = {0};
    enum ft_status st = import_list(c->db, (size_t)api_int(c, "limit", 100), &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        const struct import_row *r = &rows.items[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_int(o, "id", r->id);
        json_add_string(o, "file", r->file);
        json_add_string(o, "kind", r->kind);
        json_add_instant(o, "started", r->started_ms);
        api_add_instant(o, "ended", r->ended_ms);
        json_add_int(o, "rows", r->n_rows);
        json_add_int(o, "new", r->n_new);
        json_add_int(o, "unchanged", r->n_unchanged);
        json_add_int(o, "rejected", r->n_bad);
    }
    import_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}

enum ft_status api_quarantine_list(struct api_call *c, struct ft_err *err)
{
    struct quarantine_list rows = {0};
    enum ft_status st = quarantine_list(c->db, api_int(c, "import", 0),
                                        (size_t)api_int(c, "limit", 100), &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        const struct quarantine_row *r = &rows.items[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_int(o, "id", r->id);
        api_add_id(o, "import", r->import_id);
        json_add_string(o, "file", r->file);
        json_add_int(o, "line", r->line);
        json_add_string(o, "column", r->column_name);
        json_add_string(o, "reason", r->reason);
        json_add_string(o, "raw", r->raw);
        json_add_instant(o, "at", r->created_ms);
    }
    quarantine_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}
