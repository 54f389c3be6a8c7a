#include "db/asset_store.h"

#include "app/base/clock.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

/* --- rows ----------------------------------------------------------------------------------- */

static void read_class(struct statement *s, void *row)
{
    struct asset_class *c = row;
    c->id = column_int(s, 0);
    c->name = column_text(s, 1);
    c->cycle_ms = column_int(s, 2); /* NULL reads as 0 */
    c->downtime_minor_per_h = column_int_or(s, 3, DB_NO_MONEY);
    c->false_alarm_minor = column_int_or(s, 4, DB_NO_MONEY);
}

static void read_component(struct statement *s, void *row)
{
    struct component *c = row;
    c->id = column_int(s, 0);
    c->class_id = column_int(s, 1);
    c->name = column_text(s, 2);
    c->unplanned_h = column_real(s, 3);
    c->planned_h = column_real(s, 4);
    c->unplanned_repair_minor = column_int_or(s, 5, DB_NO_MONEY);
    c->planned_repair_minor = column_int_or(s, 6, DB_NO_MONEY);
    c->spare = column_text(s, 7);
    c->spare_lead_ms = column_int(s, 8);
    c->skill = column_text(s, 9);
}

static void read_asset(struct statement *s, void *row)
{
    struct asset *a = row;
    a->id = column_int(s, 0);
    a->class_id = column_int(s, 1);
    a->key = column_text(s, 2);
    a->name = column_text(s, 3);
    a->area = column_text(s, 4);
    a->downtime_minor_per_h = column_int_or(s, 5, DB_NO_MONEY);
    a->commissioned_ms = column_int_or(s, 6, DB_NO_TIME);
    a->retired_ms = column_int_or(s, 7, DB_NO_TIME);
    a->is_held_out = column_int(s, 8) != 0;
    a->true_rul_ms = column_int_or(s, 9, DB_NO_TIME);
}

static void read_attribute(struct statement *s, void *row)
{
    struct attribute *a = row;
    a->name = column_text(s, 0);
    a->value = column_text(s, 1);
}

static const char *const role_names[] = {[SENSOR_ROLE_SENSOR] = "sensor",
                                         [SENSOR_ROLE_SETTING] = "setting",
                                         [SENSOR_ROLE_METER] = "meter"};

static void read_sensor(struct statement *s, void *row)
{
    struct sensor *r = row;
    r->id = column_int(s, 0);
    r->asset_id = column_int(s, 1);
    r->name = column_text(s, 2);
    r->unit = column_text(s, 3);
    char *role = column_text(s, 4);
    for (int i = 0; role != NULL && i <= SENSOR_ROLE_METER; i++)
        if (strcmp(role, role_names[i]) == 0)
            r->role = (enum sensor_role)i;
    free(role);
    r->low = column_real(s, 5);
    r->high = column_real(s, 6);
    r->rollover = column_real(s, 7);
}

static void clear_class(void *row)
{
    asset_class_clear(row);
}

static void clear_asset(void *row)
{
    asset_clear(row);
}

static void clear_component(void *row)
{
    struct component *c = row;
    free(c->name);
    free(c->spare);
    free(c->skill);
}

static void clear_attribute(void *row)
{
    struct attribute *a = row;
    free(a->name);
    free(a->value);
}

static void clear_sensor(void *row)
{
    struct sensor *s = row;
    free(s->name);
    free(s->unit);
}

void asset_class_clear(struct asset_class *c)
{
    free(c->name);
    *c = (struct asset_class){0};
}

void asset_clear(struct asset *a)
{
    free(a->key);
    free(a->name);
    free(a->area);
    *a = (struct asset){0};
}

/* --- find ----------------------------------------------------------------------------------- */

enum ft_status class_find(struct db *db, const char *name, struct asset_class *out,
                          struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_class_find, err);
    bind_text(&s, ":name", name);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_class, clear_class, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no asset class '%s'", name) : st;
}

enum ft_status asset_find(struct db *db, const char *key, struct asset *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_asset_find, err);
    bind_text(&s, ":key", key);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_asset, clear_asset, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no asset '%s'", key) : st;
}

enum ft_status asset_get(struct db *db, int64_t id, struct asset *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_asset_get, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_asset, clear_asset, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no asset with id %lld", (long long)id)
                              : st;
}

/* --- ensure --------------------------------------------------------------------------------- */

enum { MAX_NAME = 200 }; /* characters, as the schema checks */

static enum ft_status check_name(const char *what, const char *name, struct ft_err *err)
{
    size_t n = 0;
    for (const char *p = name != NULL ? name : ""; *p != '\0'; p++)
        n += ((unsigned char)*p & 0xc0) != 0x80; /* UTF-8: count first bytes only */
    if (n == 0)
        return ft_fail(err, FT_INVALID, "%s is empty: expected 1 to %d characters", what, MAX_NAME);
    if (n > MAX_NAME)
        return ft_fail(err, FT_INVALID, "%s '%.60s...' is too long: expected 1 to %d characters",
                       what, name, MAX_NAME);
    return FT_OK;
}

/* Runs a find that answers one id; *id is 0 when there is no row. */
static enum ft_status run_find(struct statement *s, int64_t *id)
{
    *id = statement_row(s) ? column_int(s, 0) : 0;
    return statement_end(s);
}

static enum ft_status run_insert(struct statement *s, int64_t *id)
{
    const enum ft_status st = statement_run(s);
    *id = st == FT_OK ? s->last_id : 0;
    return st;
}

enum ft_status class_ensure(struct db *db, const char *name, int64_t *id, struct ft_err *err)
{
    *id = 0;
    if (name == NULL)
        name = "default";
    enum ft_status st = check_name("the class name", name, err);
    if (st != FT_OK)
        return st;
    struct statement find = statement_begin(db, QUERY_class_find, err);
    bind_text(&find, ":name", name);
    st = run_find(&find, id);
    if (st != FT_OK || *id != 0)
        return st;
    struct statement insert = statement_begin(db, QUERY_class_insert, err);
    bind_text(&insert, ":name", name);
    bind_int(&insert, ":now_ms", clock_now_ms());
    return run_insert(&insert, id);
}

enum ft_status component_ensure(struct db *db, int64_t class_id, const char *name, int64_t *id,
                                struct ft_err *err)
{
    *id = 0;
    enum ft_status st = check_name("the component name", name, err);
    if (st != FT_OK)
        return st;
    struct statement find = statement_begin(db, QUERY_component_find, err);
    bind_int(&find, ":class_id", class_id);
    bind_text(&find, ":name", name);
    st = run_find(&find, id);
    if (st != FT_OK || *id != 0)
        return st;
    struct statement insert = statement_begin(db, QUERY_component_insert, err);
    bind_int(&insert, ":class_id", class_id);
    bind_text(&insert, ":name", name);
    st = run_insert(&insert, id);
    if (st == FT_INVALID)
        ft_err_prefix(err, "component '%s' of class %lld", name, (long long)class_id);
    return st;
}

static enum ft_status insert_asset(struct db *db, const char *key, const char *class_name,
                                   int64_t *id, struct ft_err *err)
{
    int64_t class_id = 0;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = class_ensure(db, class_name, &class_id, err);
    if (st == FT_OK) {
        struct statement s = statement_begin(db, QUERY_asset_insert, err);
        bind_text(&s, ":key", key);
        bind_int(&s, ":class_id", class_id);
        bind_int(&s, ":now_ms", clock_now_ms());
        st = run_insert(&s, id);
    }
    return unit_end(db, st, err);
}

enum ft_status asset_ensure(struct db *db, const char *key, const char *class_name, int64_t *id,
                            struct ft_err *err)
{
    char *old_class = NULL;
    *id = 0;
    enum ft_status st = check_name("the asset key", key, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_asset_class_of_key, err);
    bind_text(&s, ":key", key);
    if (statement_row(&s)) {
        *id = column_int(&s, 0);
        old_class = column_text(&s, 1);
    }
    st = statement_end(&s);
    if (st == FT_OK && *id == 0)
        st = insert_asset(db, key, class_name, id, err);
    else if (st == FT_OK && class_name != NULL && strcmp(class_name, old_class) != 0)
        st = ft_fail(err, FT_CONFLICT, "asset '%s' is of class '%s', not '%s'", key, old_class,
                     class_name);
    free(old_class);
    return st;
}

enum ft_status sensor_ensure(struct db *db, int64_t asset_id, const char *name, int64_t *id,
                             struct ft_err *err)
{
    *id = 0;
    enum ft_status st = check_name("the sensor name", name, err);
    if (st != FT_OK)
        return st;
    struct statement find = statement_begin(db, QUERY_sensor_find, err);
    bind_int(&find, ":asset_id", asset_id);
    bind_text(&find, ":name", name);
    st = run_find(&find, id);
    if (st != FT_OK || *id != 0)
        return st;
    struct statement insert = statement_begin(db, QUERY_sensor_insert, err);
    bind_int(&insert, ":asset_id", asset_id);
    bind_text(&insert, ":name", name);
    st = run_insert(&insert, id);
    if (st == FT_INVALID)
        ft_err_prefix(err, "sensor '%s' of asset %lld", name, (long long)asset_id);
    return st;
}

enum ft_status sensor_find(struct db *db, int64_t asset_id, const char *name, int64_t *id,
                           struct ft_err *err)
{
    *id = 0;
    struct statement find = statement_begin(db, QUERY_sensor_find, err);
    bind_int(&find, ":asset_id", asset_id);
    bind_text(&find, ":name", name);
    const enum ft_status st = run_find(&find, id);
    if (st == FT_OK && *id == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no sensor '%.200s'", name);
    return st;
}

enum ft_status sensor_arrival_add(struct db *db, int64_t sensor_id, const struct sensor_arrival *a,
                                  struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_arrival_add, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":n", a->n);
    bind_int(&s, ":n_repeated", a->n_repeated);
    bind_int(&s, ":n_changed", a->n_changed);
    bind_int(&s, ":n_late", a->n_late);
    return statement_run(&s);
}

enum ft_status sensor_arrival_get(struct db *db, int64_t sensor_id, struct sensor_arrival *out,
                                  struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_arrival_get, err);
    *out = (struct sensor_arrival){0};
    bind_int(&s, ":sensor_id", sensor_id);
    if (statement_row(&s))
        *out = (struct sensor_arrival){column_int(&s, 0), column_int(&s, 1), column_int(&s, 2),
                                       column_int(&s, 3)};
    return statement_end(&s);
}

enum ft_status sensor_count(struct db *db, int64_t *n, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_sensor_count, err);
    *n = statement_row(&s) ? column_int(&s, 0) : 0;
    return statement_end(&s);
}

/* --- update --------------------------------------------------------------------------------- */

/* Runs an UPDATE by id; FT_NOT_FOUND when there is no such row. */
static enum ft_status run_update(struct statement *s, const char *what, int64_t id)
{
    const enum ft_status st = statement_run(s);
    if (st == FT_OK && s->n_changes == 0)
        return ft_fail(s->err, FT_NOT_FOUND, "there is no %s with id %lld", what, (long long)id);
    return st;
}

enum ft_status class_update(struct db *db, const struct asset_class *c, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_class_update, err);
    bind_int(&s, ":id", c->id);
    bind_text(&s, ":name", c->name);
    bind_int_or_null(&s, ":cycle_ms", c->cycle_ms, 0);
    bind_int_or_null(&s, ":downtime_minor_per_h", c->downtime_minor_per_h, DB_NO_MONEY);
    bind_int_or_null(&s, ":false_alarm_minor", c->false_alarm_minor, DB_NO_MONEY);
    return run_update(&s, "asset class", c->id);
}

enum ft_status component_update(struct db *db, const struct component *c, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_component_update, err);
    bind_int(&s, ":id", c->id);
    bind_int(&s, ":class_id", c->class_id);
    bind_text(&s, ":name", c->name);
    bind_real(&s, ":unplanned_h", c->unplanned_h);
    bind_real(&s, ":planned_h", c->planned_h);
    bind_int_or_null(&s, ":unplanned_repair_minor", c->unplanned_repair_minor, DB_NO_MONEY);
    bind_int_or_null(&s, ":planned_repair_minor", c->planned_repair_minor, DB_NO_MONEY);
    bind_text(&s, ":spare", c->spare);
    bind_int_or_null(&s, ":spare_lead_ms", c->spare_lead_ms, 0);
    bind_text(&s, ":skill", c->skill);
    return run_update(&s, "component", c->id);
}

enum ft_status asset_update(struct db *db, const struct asset *a, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_asset_update, err);
    bind_int(&s, ":id", a->id);
    bind_int(&s, ":class_id", a->class_id);
    bind_text(&s, ":key", a->key);
    bind_text(&s, ":name", a->name);
    bind_text(&s, ":area", a->area);
    bind_int_or_null(&s, ":downtime_minor_per_h", a->downtime_minor_per_h, DB_NO_MONEY);
    bind_int_or_null(&s, ":commissioned_ms", a->commissioned_ms, DB_NO_TIME);
    bind_int_or_null(&s, ":retired_ms", a->retired_ms, DB_NO_TIME);
    bind_int(&s, ":is_held_out", a->is_held_out);
    bind_int_or_null(&s, ":true_rul_ms", a->true_rul_ms, DB_NO_TIME);
    return run_update(&s, "asset", a->id);
}

enum ft_status sensor_update(struct db *db, const struct sensor *r, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_sensor_update, err);
    bind_int(&s, ":id", r->id);
    bind_int(&s, ":asset_id", r->asset_id);
    bind_text(&s, ":name", r->name);
    bind_text(&s, ":unit", r->unit);
    bind_text(&s, ":role", r->role <= SENSOR_ROLE_METER ? role_names[r->role] : "?");
    bind_real(&s, ":low", r->low);
    bind_real(&s, ":high", r->high);
    bind_real(&s, ":rollover", r->rollover);
    return run_update(&s, "sensor", r->id);
}

enum ft_status asset_attribute_set(struct db *db, int64_t asset_id, const char *name,
                                   const char *value, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_asset_attribute_set, err);
    bind_int(&s, ":asset_id", asset_id);
    bind_text(&s, ":name", name);
    bind_text(&s, ":value", value);
    return statement_run(&s);
}

/* --- lists ---------------------------------------------------------------------------------- */

enum ft_status class_list(struct db *db, struct asset_class_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_class_list, err);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_class, clear_class, &a);
    *out = (struct asset_class_list){a.items, a.n};
    return st;
}

enum ft_status component_list(struct db *db, int64_t class_id, struct component_list *out,
                              struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_component_list, err);
    bind_int(&s, ":class_id", class_id);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_component, clear_component, &a);
    *out = (struct component_list){a.items, a.n};
    return st;
}

enum ft_status asset_list(struct db *db, int64_t class_id, struct asset_list *out,
                          struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_asset_list, err);
    bind_int(&s, ":class_id", class_id);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_asset, clear_asset, &a);
    *out = (struct asset_list){a.items, a.n};
    return st;
}

enum ft_status asset_attribute_list(struct db *db, int64_t asset_id, struct attribute_list *out,
                                    struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_asset_attribute_list, err);
    bind_int(&s, ":first_id", asset_id);
    bind_int(&s, ":last_id", asset_id == 0 ? INT64_MAX : asset_id);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_attribute, clear_attribute, &a);
    *out = (struct attribute_list){a.items, a.n};
    return st;
}

enum ft_status sensor_list(struct db *db, int64_t asset_id, struct sensor_list *out,
                           struct ft_err *err)
{
    struct row_array a;
    struct statement s =
        statement_begin(db, asset_id == 0 ? QUERY_sensor_list_all : QUERY_sensor_list, err);
    if (asset_id != 0)
        bind_int(&s, ":asset_id", asset_id);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_sensor, clear_sensor, &a);
    *out = (struct sensor_list){a.items, a.n};
    return st;
}

void asset_class_list_free(struct asset_class_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_class);
    *l = (struct asset_class_list){0};
}

void component_list_free(struct component_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_component);
    *l = (struct component_list){0};
}

void asset_list_free(struct asset_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_asset);
    *l = (struct asset_list){0};
}

void attribute_list_free(struct attribute_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_attribute);
    *l = (struct attribute_list){0};
}

void sensor_list_free(struct sensor_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_sensor);
    *l = (struct sensor_list){0};
}

/* Runs one of the statements of a move, which all have the same parameters. */
static enum ft_status run_move(struct db *db, enum query_id id, int64_t asset_id, int64_t class_id,
                               struct ft_err *err)
{
    struct statement s = statement_begin(db, id, err);
    bind_int(&s, ":asset_id", asset_id);
    bind_int(&s, ":class_id", class_id);
    return statement_run(&s);
}

enum ft_status asset_move(struct db *db, int64_t asset_id, int64_t class_id, struct ft_err *err)
{
    static const enum query_id steps[] = {QUERY_move_components, QUERY_move_events,
                                          QUERY_move_work_orders, QUERY_move_asset};
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && st == FT_OK; i++)
        st = run_move(db, steps[i], asset_id, class_id, err);
    return unit_end(db, st, err);
}
