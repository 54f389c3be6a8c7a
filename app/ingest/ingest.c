#include "app/ingest/ingest.h"

#include "app/base/utf8.h"
#include "app/ingest/arrivals.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the reason of one refused item. */
static void refuse(struct ingest_result *r, const struct ft_err *why)
{
    r->status = why->code;
    snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, why->msg);
}

/* Is this the fault of the item (true) or of the store, which ends the whole call (false)? */
static bool is_item_fault(enum ft_status st)
{
    return st == FT_INVALID || st == FT_NOT_FOUND || st == FT_CONFLICT || st == FT_REFUSED;
}

static enum ft_status check_policy(const struct ingest_policy *policy, struct ft_err *err)
{
    return policy->class_name == NULL
               ? FT_OK
               : ingest_check_name("class", policy->class_name, strlen(policy->class_name), err);
}

/* Finds the asset, or makes it when the policy has a class. */
static enum ft_status find_asset(struct db *db, const struct ingest_policy *policy, const char *key,
                                 int64_t *id, int64_t *class_id, struct ft_err *err)
{
    struct asset found = {0};
    enum ft_status st = asset_find(db, key, &found, err);
    const bool may_make =
        policy->class_name != NULL && (policy->limits == NULL || policy->limits->may_create);
    if (st == FT_NOT_FOUND && may_make) {
        st = asset_ensure(db, key, policy->class_name, id, err);
        if (st == FT_OK)
            st = asset_get(db, *id, &found, err);
    }
    if (st != FT_OK)
        return st;
    *id = found.id;
    *class_id = found.class_id;
    asset_clear(&found);
    return FT_OK;
}

/* --- readings --- */

enum ft_status ingest_sensor(struct db *db, const struct ingest_limits *limits, int64_t asset_id,
                             const char *name, int64_t *n_sensors, int64_t *id, struct ft_err *err)
{
    if (limits == NULL)
        return sensor_ensure(db, asset_id, name, id, err);
    enum ft_status st = sensor_find(db, asset_id, name, id, err);
    if (st != FT_NOT_FOUND || !limits->may_create)
        return st;
    if (*n_sensors < 0 && (st = sensor_count(db, n_sensors, err)) != FT_OK)
        return st;
    if (*n_sensors >= limits->max_sensors)
        return ft_fail(err, FT_REFUSED, "there are %lld sensors already ([ingest] max_sensors)",
                       (long long)*n_sensors);
    st = sensor_ensure(db, asset_id, name, id, err);
    *n_sensors += st == FT_OK;
    return st;
}

struct order {
    const struct ingest_reading *item;
    size_t i; /* place in the caller's arrays */
};

static int compare_order(const void *pa, const void *pb)
{
    const struct order *a = pa;
    const struct order *b = pb;
    int c = strcmp(a->item->asset, b->item->asset);
    if (c == 0)
        c = strcmp(a->item->sensor, b->item->sensor);
    return c != 0 ? c : (a->i > b->i) - (a->i < b->i);
}

static enum ft_status check_reading(const struct ingest_policy *policy,
                                    const struct ingest_reading *r, struct ft_err *err)
{
    enum ft_status st =
        ingest_check_name("asset", r->asset, r->asset != NULL ? strlen(r->asset) : 0, err);
    if (st == FT_OK)
        st = ingest_check_name("sensor", r->sensor, r->sensor != NULL ? strlen(r->sensor) : 0, err);
    if (st == FT_OK && !isfinite(r->value))
        st = ft_fail(err, FT_INVALID, "value: expected a finite number");
    const char *wrong = ingest_check_instant(policy->limits, r->ts_ms, policy->now_ms);
    if (st == FT_OK && wrong != NULL)
        st = ft_fail(err, FT_INVALID, "%s", wrong);
    return st;
}

/* Finds or makes the sensor of one (asset, sensor) group; an item fault refuses the whole group. */
static enum ft_status resolve_group(struct db *db, const struct ingest_policy *policy,
                                    const struct order *g, size_t n, int64_t *n_sensors,
                                    struct ingest_result *results, struct ft_err *err)
{
    struct ft_err why = {0};
    int64_t asset_id = 0;
    int64_t class_id = 0;
    int64_t sensor_id = 0;
    enum ft_status st = find_asset(db, policy, g[0].item->asset, &asset_id, &class_id, &why);
    if (st == FT_OK)
        st = ingest_sensor(db, policy->limits, asset_id, g[0].item->sensor, n_sensors, &sensor_id,
                           &why);
    if (st != FT_OK && !is_item_fault(st))
        return ft_fail(err, st, "%s", why.msg);
    for (size_t i = 0; i < n; i++) {
        if (st != FT_OK)
            refuse(&results[g[i].i], &why);
        else
            results[g[i].i].id = sensor_id;
    }
    return FT_OK;
}

static enum ft_status resolve_groups(struct db *db, const struct ingest_policy *policy,
                                     const struct order *order, size_t n,
                                     struct ingest_result *results, struct ft_err *err)
{
    int64_t n_sensors = -1;
    for (size_t begin = 0; begin < n;) {
        const struct ingest_reading *head = order[begin].item;
        size_t end = begin + 1;
        while (end < n && strcmp(order[end].item->asset, head->asset) == 0 &&
               strcmp(order[end].item->sensor, head->sensor) == 0)
            end++;
        const enum ft_status st =
            resolve_group(db, policy, order + begin, end - begin, &n_sensors, results, err);
        if (st != FT_OK)
            return st;
        begin = end;
    }
    return FT_OK;
}

/* Writes what is good, in the caller's order, for a later item wins. */
static enum ft_status append_good(struct db *db, const struct ingest_policy *policy,
                                  const struct ingest_reading *items, size_t n,
                                  struct ingest_result *results, struct reading_point *points,
                                  unsigned char *outcome, struct ft_err *err)
{
    struct reading_counts counts = {0};
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (results[i].status == FT_OK)
            points[k++] = (struct reading_point){results[i].id, items[i].ts_ms, items[i].value};
    enum ft_status st = reading_append(db, points, k, outcome, &counts, err);
    if (st == FT_OK && policy->arrivals != NULL) {
        arrivals_note(policy->arrivals, points, outcome, k);
        st = arrivals_flush(policy->arrivals, db, policy->now_ms, err);
    }
    k = 0;
    for (size_t i = 0; i < n && st == FT_OK; i++)
        if (results[i].status == FT_OK)
            results[i].is_new = outcome[k++] == READING_NEW;
    return st;
}

/* FT_PARTIAL when an item was refused. */
static enum ft_status overall(const struct ingest_result *results, size_t n, struct ft_err *err)
{
    size_t n_refused = 0;
    for (size_t i = 0; i < n; i++)
        n_refused += results[i].status != FT_OK;
    if (n_refused == 0)
        return FT_OK;
    return ft_fail(err, FT_PARTIAL, "%zu of %zu items were not taken", n_refused, n);
}

enum ft_status ingest_readings(struct db *db, const struct ingest_policy *policy,
                               const struct ingest_reading *items, size_t n,
                               struct ingest_result *results, struct ft_err *err)
{
    if (check_policy(policy, err) != FT_OK)
        return FT_INVALID;
    struct order *order = calloc(n + 1, sizeof(*order));
    struct reading_point *points = calloc(n + 1, sizeof(*points));
    unsigned char *outcome = calloc(n + 1, 1);
    enum ft_status st = FT_OK;
    size_t n_good = 0;

    if (order == NULL || points == NULL || outcome == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        struct ft_err why;
        results[i] = (struct ingest_result){.status = FT_OK};
        if (check_reading(policy, &items[i], &why) == FT_OK)
            order[n_good++] = (struct order){&items[i], i};
        else
            refuse(&results[i], &why);
    }
    qsort(order, n_good, sizeof(*order), compare_order);
    st = db_part_begin(db, err);
    if (st != FT_OK)
        goto out;
    st = resolve_groups(db, policy, order, n_good, results, err);
    if (st == FT_OK)
        st = append_good(db, policy, items, n, results, points, outcome, err);
    st = db_part_end(db, st, err);
    if (st == FT_OK)
        st = overall(results, n, err);
out:
    free(order);
    free(points);
    free(outcome);
    return st;
}

/* --- events --- */

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum ft_status check_event(const struct ingest_event *e, enum event_kind *kind,
                                  struct ft_err *err)
{
    enum ft_status st =
        ingest_check_name("asset", e->asset, e->asset != NULL ? strlen(e->asset) : 0, err);
    if (st == FT_OK)
        st = event_kind_parse(e->kind != NULL ? e->kind : "", kind, err);
    if (st == FT_OK && is_set(e->component))
        st = ingest_check_name("component", e->component, strlen(e->component), err);
    if (st == FT_OK && is_set(e->code))
        st = ingest_check_name("code", e->code, strlen(e->code), err);
    if (st == FT_OK && is_set(e->external_key))
        st = ingest_check_name("external_key", e->external_key, strlen(e->external_key), err);
    if (st == FT_OK && is_set(e->part))
        st = ingest_check_name("part_serial", e->part, strlen(e->part), err);
    if (st == FT_OK && is_set(e->part) && *kind != EVENT_REPLACEMENT)
        st = ft_fail(err, FT_INVALID, "part_serial: only a replacement puts a part in");
    if (st == FT_OK && is_set(e->note) && !utf8_is_valid(e->note, strlen(e->note), NULL))
        st = ft_fail(err, FT_INVALID, "note: not valid UTF-8");
    if (st == FT_OK && !ingest_is_instant(e->ts_ms))
        st = ft_fail(err, FT_INVALID, "ts: expected a time between the years 1 and 9999");
    /* A stop of more than a century is a wrong unit. */
    if (st == FT_OK && !isnan(e->downtime_h) && !(e->downtime_h >= 0 && e->downtime_h < 876600))
        st = ft_fail(err, FT_INVALID, "downtime_h: expected hours, 0 to 876600");
    return st;
}

static enum ft_status put_event(struct db *db, const struct ingest_policy *policy,
                                const struct ingest_event *e, struct ingest_result *r,
                                struct ft_err *err)
{
    enum event_kind kind = EVENT_FAILURE;
    int64_t class_id = 0;
    enum ft_status st = check_event(e, &kind, err);
    struct event row = {.kind = kind,
                        .ts_ms = e->ts_ms,
                        .code = (char *)(e->code != NULL ? e->code : ""),
                        .note = (char *)(is_set(e->note) ? e->note : NULL),
                        .downtime_ms = DB_NO_TIME,
                        .cost_minor = e->cost_minor,
                        .source = (char *)(policy->source != NULL ? policy->source : ""),
                        .external_key = (char *)(is_set(e->external_key) ? e->external_key : NULL),
                        .part = (char *)(is_set(e->part) ? e->part : NULL)};
    if (st == FT_OK)
        st = find_asset(db, policy, e->asset, &row.asset_id, &class_id, err);
    if (st == FT_OK && is_set(e->component))
        st = component_ensure(db, class_id, e->component, &row.component_id, err);
    if (st == FT_OK && !isnan(e->downtime_h))
        row.downtime_ms = (int64_t)llround(e->downtime_h * 3600000.0);
    if (st == FT_OK)
        st = event_put(db, &row, &r->id, &r->is_new, err);
    return st;
}

enum ft_status ingest_events(struct db *db, const struct ingest_policy *policy,
                             const struct ingest_event *items, size_t n,
                             struct ingest_result *results, struct ft_err *err)
{
    if (check_policy(policy, err) != FT_OK)
        return FT_INVALID;
    enum ft_status st = db_part_begin(db, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct ft_err why = {0};
        results[i] = (struct ingest_result){.status = FT_OK};
        st = put_event(db, policy, &items[i], &results[i], &why);
        if (st != FT_OK && is_item_fault(st)) {
            refuse(&results[i], &why);
            st = FT_OK;
        } else if (st != FT_OK) {
            ft_fail(err, st, "event %zu: %s", i + 1, why.msg);
        }
    }
    st = db_part_end(db, st, err);
    return st == FT_OK ? overall(results, n, err) : st;
}
