/* Asset classes, components, assets, attributes, sensors. Lists are heap arrays that the caller
 * ends with the matching _free; strings inside are owned by the list. An id of 0 means "none". */
#ifndef DB_ASSET_STORE_H
#define DB_ASSET_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define DB_NO_MONEY INT64_MIN /* a money column that is NULL */
#define DB_NO_TIME INT64_MIN  /* an instant or duration that is NULL */

struct asset_class {
    int64_t id;
    char *name;
    int64_t cycle_ms;             /* 0 = data counts time */
    int64_t downtime_minor_per_h; /* DB_NO_MONEY = default */
    int64_t false_alarm_minor;    /* DB_NO_MONEY = default */
};
struct asset_class_list {
    struct asset_class *items;
    size_t n;
};

struct component {
    int64_t id, class_id;
    char *name;
    double unplanned_h, planned_h;                        /* NaN = default */
    int64_t unplanned_repair_minor, planned_repair_minor; /* DB_NO_MONEY = default */
    char *spare;                                          /* NULL = unknown */
    int64_t spare_lead_ms;                                /* 0 = in stock */
    char *skill;                                          /* NULL = any crew */
};
struct component_list {
    struct component *items;
    size_t n;
};

struct asset {
    int64_t id, class_id;
    char *key;
    char *name;                          /* NULL = unknown */
    char *area;                          /* NULL = unknown */
    int64_t downtime_minor_per_h;        /* DB_NO_MONEY = as its class */
    int64_t commissioned_ms, retired_ms; /* DB_NO_TIME = unknown / in service */
    bool is_held_out;
    int64_t true_rul_ms; /* DB_NO_TIME = unknown */
};
struct asset_list {
    struct asset *items;
    size_t n;
};

struct attribute {
    char *name, *value;
};
struct attribute_list {
    struct attribute *items; /* sorted by name */
    size_t n;
};

enum sensor_role { SENSOR_ROLE_SENSOR, SENSOR_ROLE_SETTING, SENSOR_ROLE_METER };
struct sensor {
    int64_t id, asset_id;
    char *name;
    char *unit; /* NULL = unknown */
    enum sensor_role role;
    double low, high; /* values that can be; NaN = no limit */
    double rollover;  /* a meter begins at 0 again here; NaN = a fall is a new counter */
};
struct sensor_list {
    struct sensor *items;
    size_t n;
};

/* Finds by name or key; FT_NOT_FOUND names it. */
enum ft_status class_find(struct db *db, const char *name, struct asset_class *out,
                          struct ft_err *err);
enum ft_status asset_find(struct db *db, const char *key, struct asset *out, struct ft_err *err);
enum ft_status asset_get(struct db *db, int64_t id, struct asset *out, struct ft_err *err);
void asset_class_clear(struct asset_class *c); /* frees the strings of a found row */
void asset_clear(struct asset *a);

/* Finds or makes; *id is the row's. asset_ensure on a known key leaves its class as it is unless
 * class_name differs, which is FT_CONFLICT. class_name NULL means "default". */
enum ft_status class_ensure(struct db *db, const char *name, int64_t *id, struct ft_err *err);
enum ft_status component_ensure(struct db *db, int64_t class_id, const char *name, int64_t *id,
                                struct ft_err *err);
enum ft_status asset_ensure(struct db *db, const char *key, const char *class_name, int64_t *id,
                            struct ft_err *err);
enum ft_status sensor_ensure(struct db *db, int64_t asset_id, const char *name, int64_t *id,
                             struct ft_err *err);

/* Id of a sensor, FT_NOT_FOUND when the asset has none of that name; number of all sensors. */
enum ft_status sensor_find(struct db *db, int64_t asset_id, const char *name, int64_t *id,
                           struct ft_err *err);
enum ft_status sensor_count(struct db *db, int64_t *n, struct ft_err *err);

/* How readings of a sensor came in; adds to what stands there. */
struct sensor_arrival {
    int64_t n, n_repeated, n_changed, n_late;
};
enum ft_status sensor_arrival_add(struct db *db, int64_t sensor_id, const struct sensor_arrival *a,
                                  struct ft_err *err);
/* All 0 when nothing is known. */
enum ft_status sensor_arrival_get(struct db *db, int64_t sensor_id, struct sensor_arrival *out,
                                  struct ft_err *err);

/* Overwrites every column of the row with this id from the struct. */
enum ft_status class_update(struct db *db, const struct asset_class *c, struct ft_err *err);
enum ft_status component_update(struct db *db, const struct component *c, struct ft_err *err);
enum ft_status asset_update(struct db *db, const struct asset *a, struct ft_err *err);
enum ft_status sensor_update(struct db *db, const struct sensor *s, struct ft_err *err);
enum ft_status asset_attribute_set(struct db *db, int64_t asset_id, const char *name,
                                   const char *value, struct ft_err *err);

/* Gives the asset another class. Its events and work orders name the components of the same names
 * in the new class, which are made when they are not there. */
enum ft_status asset_move(struct db *db, int64_t asset_id, int64_t class_id, struct ft_err *err);

/* Lists, ordered by name or key. class_id 0 = all; asset_id 0 = all. */
enum ft_status class_list(struct db *db, struct asset_class_list *out, struct ft_err *err);
enum ft_status component_list(struct db *db, int64_t class_id, struct component_list *out,
                              struct ft_err *err);
enum ft_status asset_list(struct db *db, int64_t class_id, struct asset_list *out,
                          struct ft_err *err);
enum ft_status asset_attribute_list(struct db *db, int64_t asset_id, struct attribute_list *out,
                                    struct ft_err *err);
enum ft_status sensor_list(struct db *db, int64_t asset_id, struct sensor_list *out,
                           struct ft_err *err);

void asset_class_list_free(struct asset_class_list *l);
void component_list_free(struct component_list *l);
void asset_list_free(struct asset_list *l);
void attribute_list_free(struct attribute_list *l);
void sensor_list_free(struct sensor_list *l);

#endif
