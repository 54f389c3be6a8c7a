/* Crews, calendar entries, preventive plans and work orders. */
#ifndef DB_WORK_ORDER_STORE_H
#define DB_WORK_ORDER_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct crew {
    int64_t id;
    char *name;
    char *skills; /* comma-separated; "" = any */
    double hours_per_day;
    int weekdays;             /* bit 0 Sunday ... bit 6 Saturday */
    int64_t rate_minor_per_h; /* DB_NO_MONEY = default */
};
struct crew_list {
    struct crew *items;
    size_t n;
};
enum ft_status crew_put(struct db *db, const struct crew *c, int64_t *id,
                        struct ft_err *err); /* by name: makes or overwrites */
enum ft_status crew_list(struct db *db, struct crew_list *out, struct ft_err *err);
void crew_list_free(struct crew_list *l);

enum calendar_kind {
    CALENDAR_BLACKOUT,
    CALENDAR_STOP,
    CALENDAR_CREW_AWAY,
    CALENDAR_HOLIDAY,
    CALENDAR_KINDS
};
const char *calendar_kind_name(enum calendar_kind kind); /* "blackout", ... */
struct calendar_entry {
    int64_t id;
    enum calendar_kind kind;
    int64_t start_ms, end_ms;
    int64_t crew_id; /* 0 = none */
    char *area;      /* NULL = the whole site */
    char *note;
    char *rrule; /* RFC 5545; NULL = once. Only app/planner/days.h works out the repetitions */
};
struct calendar_list {
    struct calendar_entry *items;
    size_t n;
};
enum ft_status calendar_put(struct db *db, const struct calendar_entry *e, int64_t *id,
                            struct ft_err *err); /* e->id 0 makes a row, else overwrites it */
enum ft_status calendar_delete(struct db *db, int64_t id, struct ft_err *err);
/* Entries that touch [from_ms, to_ms) or may come again in it, by their begin. */
enum ft_status calendar_list(struct db *db, int64_t from_ms, int64_t to_ms,
                             struct calendar_list *out, struct ft_err *err);
void calendar_list_free(struct calendar_list *l);

struct plan {
    int64_t id;
    char *key, *name;
    int64_t class_id, asset_id, component_id; /* 0 = none */
    char *action;                             /* replacement, inspection, service */
    int64_t interval_ms, tolerance_ms, anchor_ms;
    bool is_floating;
    double duration_h;
    int64_t cost_minor;
    char *skill; /* NULL = any */
    bool is_active;
    char *rrule;                /* NULL = every interval_ms; else interval_ms is about its length */
    char *meter;                /* sensor that counts up; NULL = calendar only */
    double meter_interval;      /* units of the meter */
    bool meter_only;            /* the calendar does not count; else whichever comes first */
    int season_from, season_to; /* month * 100 + day; 0 = all year */
    char *covers;               /* keys of the plans it includes, by commas; NULL = none */
    char *checklist, *parts;    /* JSON; NULL = none */
    int64_t version, updated_ms;
};
struct plan_list {
    struct plan *items;
    size_t n;
};
enum ft_status plan_put(struct db *db, const struct plan *p, int64_t *id,
                        struct ft_err *err); /* by key: makes or overwrites */
enum ft_status plan_list(struct db *db, struct plan_list *out, struct ft_err *err);
/* FT_NOT_FOUND names the key. The caller ends *out with plan_clear(). */
enum ft_status plan_find(struct db *db, const char *key, struct plan *out, struct ft_err *err);
void plan_clear(struct plan *p);
void plan_list_free(struct plan_list *l);

struct work_order {
    int64_t id;
    char *key; /* NULL on insert: the next "WO-00001" is given */
    char *external_key;
    char *title, *note;
    char *kind, *status;
    int priority; /* 1 most urgent ... 5; 0 is stored as 3 */
    int64_t asset_id, component_id, plan_id, model_id, crew_id; /* 0 = none */
    int64_t due_ms, earliest_ms, latest_ms;                     /* DB_NO_TIME = none */
    int64_t scheduled_ms, started_ms, ended_ms;
    double duration_h;
    double risk_by_due;                                 /* NaN = none */
    int64_t expected_cost_minor, waiting_minor_per_day; /* DB_NO_MONEY = none */
    char *reason;
    char *outcome; /* NULL = none */
    bool is_pinned;
    int64_t version;
    int64_t created_ms, updated_ms;
    int64_t approved_ms;         /* when it last left draft for good; DB_NO_TIME = not approved */
    char *assignee;              /* NULL = none */
    double labour_h, downtime_h; /* booked; NaN = unknown */
    int64_t actual_cost_minor;   /* DB_NO_MONEY = unknown */
    char *failure_code, *cause_code, *remedy_code;
    char *checklist, *parts; /* JSON; NULL = none */
};
struct work_order_list {
    struct work_order *items;
    size_t n;
};

/* FT_CONFLICT when key or external_key is taken. created_ms and updated_ms 0 mean now; the version
 * starts at 1. approved_ms DB_NO_TIME means now in the states approved, scheduled and
 * in_progress. */
enum ft_status work_order_insert(struct db *db, const struct work_order *w, int64_t *id,
                                 struct ft_err *err);
/* Overwrites the row when its version is still w->version (else FT_CONFLICT) and adds one to it;
 * updated_ms becomes now, created_ms stays. approved_ms DB_NO_TIME is filled as above, or stays; a
 * draft has none. */
enum ft_status work_order_update(struct db *db, const struct work_order *w, struct ft_err *err);
/* By our key, or by the external key when it starts with "ext:". */
enum ft_status work_order_find(struct db *db, const char *key, struct work_order *out,
                               struct ft_err *err);
struct work_order_filter {
    int64_t asset_id;         /* 0 = all */
    const char *status;       /* comma-separated; NULL = all */
    const char *kind;         /* NULL = all */
    int64_t changed_since_ms; /* 0 = all */
    int64_t after_id;         /* paging: rows with a greater id */
    size_t limit;             /* 0 = all */
};
enum ft_status work_order_list(struct db *db, const struct work_order_filter *f,
                               struct work_order_list *out, struct ft_err *err); /* by id */
void work_order_clear(struct work_order *w);
void work_order_list_free(struct work_order_list *l);

/* Words for what was found and done; kind is failure, cause or remedy (FT_INVALID otherwise). */
struct code {
    char *kind, *code, *name;
};
struct code_list {
    struct code *items;
    size_t n;
};
enum ft_status code_put(struct db *db, const struct code *c, struct ft_err *err);
enum ft_status code_list(struct db *db, const char *kind, struct code_list *out,
                         struct ft_err *err); /* kind NULL = all */
void code_list_free(struct code_list *l);

#endif
