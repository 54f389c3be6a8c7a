/* Files into the database: what fettle import does. Every import is idempotent, keeps rows that it
 * cannot take in quarantine, and can be stopped at any time: what was committed stays, and running
 * it again completes it. */
#ifndef APP_INGEST_IMPORT_H
#define APP_INGEST_IMPORT_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct pool;

#define IMPORT_DEFAULT_CLASS "default"
#define IMPORT_DEFAULT_MEMORY (INT64_C(160) << 20)

struct import_options {
    /* Columns by name; NULL = guessed from the header. */
    const char *asset_col, *time_col, *sensor_col, *value_col, *component_col, *code_col;
    const char *asset;      /* the one asset of a file that has no asset column; NULL = none */
    const char *class_name; /* for assets that are new; NULL = "default" */
    const char *settings;   /* sensors that are operating settings, "altitude,mach" */
    const char *meters;     /* sensors that count up */
    const char *kind;       /* of events */
    const char *test, *rul; /* cmapss: cut-off histories and their true remaining cycles */
    int64_t cycle_ms;       /* > 0: the time column is a cycle number; length of one cycle */
    char delimiter;         /* 0 = guessed */
    char decimal;           /* '.' or ','; 0 = guessed */
    bool is_dry_run;        /* read all, write nothing; db may then be NULL (no database yet) */
    const char *mapping;    /* work orders: JSON file that says columns and words; NULL = none */
    bool makes_events;      /* work orders: closed repairs and replacements become events */
    int64_t memory;         /* bytes of readings that wait to be written; 0 = the default */
    struct pool *pool;      /* parses and encodes */
    bool (*is_stopped)(void);
    /* Both may be NULL. say gets one line of text for the user; progress gets bytes of the file. */
    void (*say)(void *ctx, const char *line);
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *ctx;
};

struct import_summary {
    const char *file, *kind;               /* owned by the caller of the import */
    int64_t n_rows;                        /* data rows read, bad ones included */
    int64_t n_new, n_changed, n_unchanged; /* facts: readings, events, assets */
    int64_t n_bad;                         /* rows with something in quarantine */
    int64_t n_missing;                     /* empty cells */
    int64_t n_assets, n_assets_new;        /* seen in the file; of them made by it */
    int64_t n_sensors;                     /* sensors that got a reading */
    int64_t first_ms, last_ms;             /* range of instants; DB_NO_TIME when there is none */
    double seconds;
    bool is_dry_run;
    cJSON *mapping; /* owned: what was read from which column */
};

void import_summary_clear(struct import_summary *s);

/* FT_OK; FT_PARTIAL: done, n_bad rows are in quarantine; FT_INVALID: the file cannot be understood
 * (the text names line and column); FT_INTERRUPTED: is_stopped() said so, whole parts were kept;
 * others. The summary is filled as far as the work went; end it with import_summary_clear(). */
enum ft_status import_readings(struct db *db, const char *file, const struct import_options *o,
                               struct import_summary *out, struct ft_err *err);
enum ft_status import_assets(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err);
enum ft_status import_events(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err);

/* {"file","kind","rows","new","changed","unchanged","quarantined",...}; NULL: no memory. */
cJSON *import_summary_to_json(const struct import_summary *s);

/* What was refused, for the last call of each import: the shared end of all of them. */
enum ft_status import_outcome(const struct import_summary *s, struct ft_err *err);

/* printf to o->say. */
__attribute__((format(printf, 2, 3))) void import_say(const struct import_options *o,
                                                      const char *fmt, ...);

#endif
