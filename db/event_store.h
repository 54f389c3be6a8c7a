/* Events: failures, replacements, repairs, inspections, alarms. An event is the same as another
 * when asset, instant, kind, component and code agree, or when the external key does: a re-send
 * changes nothing. */
#ifndef DB_EVENT_STORE_H
#define DB_EVENT_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum event_kind {
    EVENT_FAILURE,
    EVENT_REPLACEMENT,
    EVENT_REPAIR,
    EVENT_INSPECTION,
    EVENT_ALARM,
    EVENT_KIND_COUNT
};

const char *event_kind_name(enum event_kind kind);
enum ft_status event_kind_parse(const char *word, enum event_kind *out, struct ft_err *err);

struct event {
    int64_t id;
    int64_t asset_id;
    int64_t component_id; /* 0 = the asset as a whole */
    enum event_kind kind;
    int64_t ts_ms;
    char *code;          /* "" = none */
    char *note;          /* NULL = none */
    int64_t downtime_ms; /* DB_NO_TIME = unknown */
    int64_t cost_minor;  /* DB_NO_MONEY = unknown */
    char *source;
    char *external_key; /* NULL = none */
    char *part;         /* serial number of the part that went in; NULL = unknown */
};
struct event_list {
    struct event *items;
    size_t n;
};

/* Writes one event; *is_new is false when it was there already (then *id is the old row's).
 * FT_CONFLICT when the external key stands on a different event. */
enum ft_status event_put(struct db *db, const struct event *e, int64_t *id, bool *is_new,
                         struct ft_err *err);

/* Which events a list holds; zero means no limit on that column. */
struct event_filter {
    int64_t asset_id, class_id;
    int64_t from_ms, to_ms; /* from_ms <= ts_ms < to_ms; to_ms 0 = no end */
    unsigned kinds;         /* bit 1 << EVENT_...; 0 = all */
    bool is_newest_first;
    size_t limit;     /* 0 = all */
    int64_t after_id; /* for paging: only rows after this one in the order */
};
enum ft_status event_list(struct db *db, const struct event_filter *f, struct event_list *out,
                          struct ft_err *err); /* ordered by (ts_ms, id) */
enum ft_status event_get(struct db *db, int64_t id, struct event *out, struct ft_err *err);
void event_clear(struct event *e);
void event_list_free(struct event_list *l);

#endif
