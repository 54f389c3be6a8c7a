/* Imports of small tables whose rows become one JSON object each: plans, crews, calendar entries.
 * The same code then takes them as takes them from the API. */
#ifndef APP_INGEST_IMPORT_RECORDS_H
#define APP_INGEST_IMPORT_RECORDS_H

#include "app/ingest/import.h"

enum record_type {
    RECORD_TEXT,
    RECORD_NUMBER,
    RECORD_SECONDS, /* "90d" or a number of seconds; a text with FREQ= goes to the key "rrule" */
    RECORD_BOOL,    /* yes, no, true, false, 1, 0 */
    RECORD_LIST,    /* texts with | between */
    RECORD_PARTS    /* "6205 x2 | grease": part and quantity */
};

struct record_column {
    const char *names; /* of the header, with | between; compared as columns_find() does */
    const char *key;   /* of the JSON object */
    enum record_type type;
};

enum record_outcome { RECORD_NEW, RECORD_CHANGED, RECORD_UNCHANGED };

struct record_kind {
    const char *kind; /* "plans" */
    const struct record_column *columns;
    size_t n_columns;
    /* Takes one row; writes nothing in a dry run. FT_INVALID, FT_CONFLICT and FT_NOT_FOUND send it
     * to quarantine. */
    enum ft_status (*take)(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                           enum record_outcome *outcome, struct ft_err *err);
    void *ctx;            /* of take; NULL = none */
    const cJSON *mapping; /* key -> name of the column that the user says; NULL = all are guessed */
};

/* As the other imports (import.h): one transaction, bad rows in quarantine, columns that are not
 * known are named to the user and left out. db NULL: a dry run without a database, FT_INVALID. */
enum ft_status import_records(struct db *db, const char *file, const struct import_options *o,
                              const struct record_kind *kind, struct import_summary *out,
                              struct ft_err *err);

enum ft_status import_plans(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err);
/* What is known of sensors that are there: unit, role, limits, roll-over (import_sensors.c). */
enum ft_status import_sensors(struct db *db, const char *file, const struct import_options *o,
                              struct import_summary *out, struct ft_err *err);
enum ft_status import_crews(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err);
enum ft_status import_calendar(struct db *db, const char *file, const struct import_options *o,
                               struct import_summary *out, struct ft_err *err);
/* Work-order history (import_orders.c); o->mapping and o->makes_events count. */
enum ft_status import_orders(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err);
enum ft_status import_codes(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err);

#endif
