/* Sensors; readings out (down-sampled so that no extreme is lost) and in (bulk). */
#include "web/api/bulk.h"
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/catalog.h"
#include "app/ingest/ingest.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_DEFAULT 800

/* Finds the sensor that the request names. */
static enum ft_status find_sensor(struct api_call *c, struct sensor_list *all, size_t *index,
                                  struct ft_err *err)
{
    const char *key = api_text(c, "asset"), *name = api_text(c, "sensor");
    struct asset asset = {0};
    if (key == NULL || name == NULL)
        return ft_fail(err, FT_INVALID, "parameter %s: missing", key == NULL ? "asset" : "sensor");
    enum ft_status st = asset_find(c->db, key, &asset, err);
    if (st == FT_OK)
        st = sensor_list(c->db, asset.id, all, err);
    asset_clear(&asset);
    if (st != FT_OK)
        return st;
    for (*index = 0; *index < all->n; (*index)++)
        if (strcmp(all->items[*index].name, name) == 0)
            return FT_OK;
    return ft_fail(err, FT_NOT_FOUND, "asset %.100s has no sensor %.100s", key, name);
}

static void resolution_text(int64_t column_ms, char *out, size_t size)
{
    if (column_ms == MS_PER_HOUR)
        snprintf(out, size, "hourly min-max");
    else if (column_ms == MS_PER_DAY)
        snprintf(out, size, "daily min-max");
    else if (column_ms >= 2 * MS_PER_DAY)
        snprintf(out, size, "min-max of %.3g d", (double)column_ms / MS_PER_DAY);
    else if (column_ms >= 2 * MS_PER_HOUR)
        snprintf(out, size, "min-max of %.3g h", (double)column_ms / MS_PER_HOUR);
    else if (column_ms >= 2 * MS_PER_MINUTE)
        snprintf(out, size, "min-max of %.3g min", (double)column_ms / MS_PER_MINUTE);
    else
        snprintf(out, size, "min-max of %.3g s", (double)column_ms / MS_PER_SECOND);
}

static enum ft_status add_raw(struct api_call *c, cJSON *items, int64_t sensor_id, int64_t from_ms,
                              int64_t to_ms, struct ft_err *err)
{
    struct readings r = {0};
    const enum ft_status st = reading_scan(c->db, sensor_id, from_ms, to_ms, &r, err);
    for (size_t i = 0; i < r.n && st == FT_OK; i++) {
        cJSON *o = json_add_object(items, NULL);
        json_add_instant(o, "at", r.ts_ms[i]);
        json_add_number(o, "value", r.value[i]);
    }
    if (st == FT_OK)
        readings_free(&r);
    return st;
}

/* Fills items and the resolution for [from, to) in at most n columns. */
static enum ft_status add_columns(struct api_call *c, cJSON *items, int64_t sensor_id,
                                  int64_t from_ms, int64_t to_ms, size_t n, char *resolution,
                                  size_t size, struct ft_err *err)
{
    struct reading_bucket *b = calloc(n, sizeof(*b));
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n);
    enum ft_status st = reading_buckets(c->db, sensor_id, from_ms, to_ms, n, b, err);
    int64_t total = 0;
    for (size_t i = 0; i < n && st == FT_OK; i++)
        total += b[i].n;
    if (st == FT_OK && total <= (int64_t)n) {
        snprintf(resolution, size, "raw");
        st = add_raw(c, items, sensor_id, from_ms, to_ms, err);
    } else if (st == FT_OK) {
        resolution_text((to_ms - from_ms) / (int64_t)n, resolution, size);
        for (size_t i = 0; i < n; i++) {
            if (b[i].n == 0)
                continue;
            cJSON *o = json_add_object(items, NULL);
            json_add_instant(o, "at", b[i].start_ms);
            json_add_number(o, "min", b[i].min);
            json_add_number(o, "max", b[i].max);
            json_add_number(o, "mean", b[i].mean);
            json_add_int(o, "n", b[i].n);
        }
    }
    free(b);
    return st;
}

enum ft_status api_readings_list(struct api_call *c, struct ft_err *err)
{
    struct sensor_list all = {0};
    struct reading_span span = {0};
    size_t k = 0;
    char resolution[60] = "raw";
    cJSON *items = NULL;
    enum ft_status st = find_sensor(c, &all, &k, err);
    if (st == FT_OK)
        st = reading_span(c->db, all.items[k].id, &span, err);
    if (st != FT_OK)
        goto out;
    const int64_t from_ms = api_instant(c, "from", span.n > 0 ? span.first_ms : 0);
    const int64_t to_ms = api_instant(c, "to", span.n > 0 ? span.last_ms + 1 : 1);
    if (to_ms <= from_ms) {
        st = ft_fail(err, FT_INVALID, "parameter to: expected a time after from");
        goto out;
    }
    items = cJSON_CreateArray();
    if (span.n > 0)
        st = add_columns(c, items, all.items[k].id, from_ms, to_ms,
                         (size_t)api_int(c, "max_points", api_int(c, "points", POINTS_DEFAULT)),
                         resolution, sizeof(resolution), err);
    if (st != FT_OK)
        goto out;
    if (reply_accepts(http_header(c->rq, "Accept"), "text/csv")) {
        st = api_reply_list(c, items, NULL, err);
        items = NULL;
        goto out;
    }
    cJSON *body = cJSON_CreateObject();
    json_add_string(body, "asset", api_text(c, "asset"));
    json_add_string(body, "sensor", all.items[k].name);
    json_add_string(body, "unit", all.items[k].unit);
    json_add_string(body, "resolution", resolution);
    json_add_instant(body, "from", from_ms);
    json_add_instant(body, "to", to_ms);
    if (body != NULL && cJSON_AddItemToObject(body, "items", items))
        items = NULL;
    st = api_reply(c, body, err);
out:
    cJSON_Delete(items);
    sensor_list_free(&all);
    return st;
}

static const char *role_name(enum sensor_role role)
{
    return role == SENSOR_ROLE_SETTING ? "setting" : role == SENSOR_ROLE_METER ? "meter" : "sensor";
}

/* The instant since which a sensor must have said nothing to be listed; INT64_MAX = all are. */
static enum ft_status silent_since(struct api_call *c, int64_t *since_ms, struct ft_err *err)
{
    struct site site;
    const int64_t stale_ms = api_duration(c, "stale", -1);
    *since_ms = INT64_MAX;
    if (stale_ms < 0)
        return FT_OK;
    const enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        *since_ms = site.now_ms - stale_ms;
    return st;
}

static enum ft_status add_sensor(struct api_call *c, cJSON *items, const struct sensor *s,
                                 const char *asset_key, int64_t since_ms, struct ft_err *err)
{
    struct reading_span span = {0};
    const enum ft_status st = reading_span(c->db, s->id, &span, err);
    if (st != FT_OK || (span.n > 0 && span.last_ms >= since_ms))
        return st;
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "asset", asset_key);
    json_add_string(o, "name", s->name);
    json_add_string(o, "unit", s->unit);
    json_add_string(o, "role", role_name(s->role));
    json_add_number(o, "low", s->low);
    json_add_number(o, "high", s->high);
    json_add_number(o, "rollover", s->rollover);
    json_add_int(o, "readings", span.n);
    api_add_instant(o, "first_at", span.n > 0 ? span.first_ms : DB_NO_TIME);
    api_add_instant(o, "last_at", span.n > 0 ? span.last_ms : DB_NO_TIME);
    json_add_number(o, "last_value", span.n > 0 ? span.last_value : NAN);
    return FT_OK;
}

enum ft_status api_sensors_list(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct sensor_list sensors = {0};
    struct asset asset = {0};
    const char *key = api_text(c, "asset");
    enum ft_status st = key != NULL ? asset_find(c->db, key, &asset, err) : FT_OK;
    int64_t since_ms = INT64_MAX;
    if (st == FT_OK)
        st = silent_since(c, &since_ms, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = sensor_list(c->db, asset.id, &sensors, err);
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++) {
        const struct asset *a = catalog_asset(&cat, sensors.items[i].asset_id);
        st = add_sensor(c, items, &sensors.items[i], a != NULL ? a->key : NULL, since_ms, err);
    }
    sensor_list_free(&sensors);
    catalog_free(&cat);
    asset_clear(&asset);
    if (st == FT_OK)
        return api_reply_list(c, items, NULL, err);
    cJSON_Delete(items);
    return st;
}

/* --- in
 * -------------------------------------------------------------------------------------------
 */

static enum ft_status take_reading(const void *ctx, const cJSON *item, void *out,
                                   struct ft_err *err)
{
    static const char *const known[] = {"asset", "sensor", "at", "value", NULL};
    struct ingest_reading *r = out;
    const char *asset = NULL, *sensor = NULL;
    (void)ctx;
    enum ft_status st = json_only_keys(item, known, err);
    if (st == FT_OK)
        st = json_string(item, "asset", true, &asset, err);
    if (st == FT_OK)
        st = json_string(item, "sensor", true, &sensor, err);
    if (st == FT_OK)
        st = json_instant(item, "at", true, &r->ts_ms, err);
    if (st == FT_OK)
        st = json_number(item, "value", true, &r->value, err);
    if (st != FT_OK)
        return st;
    r->asset = strdup(asset);
    r->sensor = strdup(sensor);
    if (r->asset == NULL || r->sensor == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a reading");
    return FT_OK;
}

static void clear_reading(void *item)
{
    struct ingest_reading *r = item;
    free((char *)(uintptr_t)r->asset);
    free((char *)(uintptr_t)r->sensor);
}

/* "P-101,vibration,<at>,<value>" of a reading that was refused. */
static char *reading_text(const void *item)
{
    const struct ingest_reading *r = item;
    char at[CLOCK_TEXT_SIZE], text[600];
    clock_format_utc(r->ts_ms, at);
    snprintf(text, sizeof(text), "%.200s,%.200s,%s,%.17g", r->asset, r->sensor, at, r->value);
    return strdup(text);
}

static enum ft_status put_readings(struct db *db, const struct ingest_policy *policy,
                                   const void *items, size_t n, struct ingest_result *results,
                                   struct ft_err *err)
{
    return ingest_readings(db, policy, items, n, results, err);
}

enum ft_status api_readings_post(struct api_call *c, struct ft_err *err)
{
    static const char *const numbers[] = {"value", NULL};
    static const struct bulk_ops ops = {.numbers = numbers,
                                        .item_size = sizeof(struct ingest_reading),
                                        .take = take_reading,
                                        .clear = clear_reading,
                                        .ingest = put_readings,
                                        .text = reading_text};
    int64_t n_new = 0;
    return bulk_post(c, &ops, NULL, &c->n_readings, &n_new, err);
}
