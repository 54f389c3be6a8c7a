/* All facts of one asset class in memory: the sensors' readings, events, attributes. Loaded once
 * (app/history.c), never changed afterwards, so any thread may read it. Everything that learns or
 * scores starts from here; nothing in this struct has been looked at with an as-of in mind, so
 * users must filter by instant themselves (app/features.c does). */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include "app/base/status.h"
#include "db/asset_store.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define HISTORY_NO_INDEX SIZE_MAX

/* A sensor name of the class; assets may lack some of them. */
struct history_sensor {
    char *name;
    char *unit; /* NULL = unknown */
    enum sensor_role role;
    double rollover; /* of a meter; NaN = unknown */
};

struct history_component {
    int64_t id;
    char *name;
    size_t n_failures; /* over the class, held-out assets left out */
    bool has_renewals; /* some asset goes on after a replacement or failure of it */
};

struct history_event {
    int64_t id;
    int64_t ts_ms;
    enum event_kind kind;
    size_t component;   /* index into components; HISTORY_NO_INDEX = the asset as a whole */
    size_t code;        /* alarms: index into codes; else HISTORY_NO_INDEX */
    int64_t carried_ms; /* age that the part put in brings along; app/part_clock.h */
};

struct history_asset {
    int64_t id;
    char *key;
    bool is_held_out;
    int64_t true_rul_ms;                 /* DB_NO_TIME = unknown */
    int64_t commissioned_ms, retired_ms; /* DB_NO_TIME = unknown / in service */
    struct readings *series;             /* [n_sensors]; n = 0 when the asset has no such sensor */
    struct history_event *events;        /* [n_events], by instant */
    size_t n_events;
    const char **attributes; /* [n_attributes]; NULL = the asset has no value */
    int64_t first_ms;        /* first fact; DB_NO_TIME = none */
    int64_t last_ms;         /* newest reading or event */
    int64_t last_reading_ms; /* DB_NO_TIME = none */
    bool is_ended; /* its last fact is a failure and readings stop there: run to failure */
};

struct history {
    int64_t class_id;
    char *class_name;
    int64_t cycle_ms; /* 0 = the data counts time */
    struct history_sensor *sensors;
    size_t n_sensors;
    struct history_component *components;
    size_t n_components;
    char **codes; /* alarm codes, most frequent first */
    size_t n_codes;
    char **attribute_names;
    size_t n_attributes;
    struct history_asset *assets; /* by key */
    size_t n_assets;
    int64_t step_ms;          /* typical time between two readings; 0 = no readings */
    int64_t observe_start_ms; /* first reading, alarm or failure: failures are recorded from here */
    int64_t event_start_ms;   /* first reading or event of any kind: the record begins */
    int64_t end_ms;           /* newest fact of the class */
    struct attribute_list *attribute_store; /* [n_assets], owner of the attribute texts */
};

/* Loads the class in one read transaction. until_ms: nothing later is read at all (DB_NO_TIME = no
 * limit). FT_NOT_FOUND when the class is unknown, FT_TOO_FEW when it has no asset. Allocates O(all
 * readings of the class). */
enum ft_status history_load(struct db *db, const char *class_name, int64_t until_ms,
                            struct history **out, struct ft_err *err);
void history_free(struct history *h); /* NULL is fine */

/* Fills the derived members (first_ms .. is_ended, step_ms, starts, end, n_failures) from the
 * facts; history_load() calls it, tests that build a history by hand call it themselves. */
void history_derive(struct history *h);

/* Start of the clock of a part: last failure or replacement at or before at_ms of a component
 * (HISTORY_NO_INDEX: any failure, or a replacement of the whole asset), or the start of life when
 * that is known; DB_NO_TIME = unknown. Start of life is the commissioning when it lies within the
 * recorded time; a commissioning before the first recorded event says nothing about parts that are
 * replaced in service, whose age is then unknown until their first recorded renewal. */
int64_t history_renewal_ms(const struct history *h, const struct history_asset *a, size_t component,
                           int64_t at_ms);

/* Start of life of the asset: commissioned, else its first fact. */
int64_t history_origin_ms(const struct history_asset *a);

/* Is this event a failure of the component (HISTORY_NO_INDEX: of anything)? And a renewal that is
 * not a failure (a replacement; a replacement recorded with a failure at the same instant is the
 * repair of that failure)? */
bool history_is_failure(const struct history_event *e, size_t component);
bool history_is_replacement(const struct history_event *e, size_t component);

/* Index of a component by name; HISTORY_NO_INDEX when there is none. */
size_t history_component(const struct history *h, const char *name);

#endif
