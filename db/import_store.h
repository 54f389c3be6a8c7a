/* Runs of an import and the rows it could not take. */
#ifndef DB_IMPORT_STORE_H
#define DB_IMPORT_STORE_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct import_row {
    int64_t id;
    char *file, *kind;
    int64_t started_ms, ended_ms; /* ended_ms DB_NO_TIME = interrupted */
    int64_t n_rows, n_new, n_unchanged, n_bad;
};
struct import_list {
    struct import_row *items;
    size_t n;
};
struct quarantine_row {
    int64_t id, import_id;
    char *file;
    int64_t line;
    char *column_name; /* NULL = the whole row */
    char *reason, *raw;
    int64_t created_ms;
};
struct quarantine_list {
    struct quarantine_row *items;
    size_t n;
};

enum ft_status import_start(struct db *db, const char *file, const char *kind, int64_t *id,
                            struct ft_err *err);
enum ft_status import_finish(struct db *db, const struct import_row *row, struct ft_err *err);
/* The same bad row of the same file twice is kept once. raw is cut at 4,000 bytes. */
enum ft_status quarantine_put(struct db *db, const struct quarantine_row *row, struct ft_err *err);
enum ft_status import_list(struct db *db, size_t limit, struct import_list *out,
                           struct ft_err *err); /* newest first */
enum ft_status quarantine_list(struct db *db, int64_t import_id, size_t limit,
                               struct quarantine_list *out, struct ft_err *err);
void import_list_free(struct import_list *l);
void quarantine_list_free(struct quarantine_list *l);

#endif
