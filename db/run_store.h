/* Background runs and their leases. */
#ifndef DB_RUN_STORE_H
#define DB_RUN_STORE_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct run_row {
    int64_t id;
    char *kind, *state;
    int64_t started_ms, ended_ms; /* ended_ms DB_NO_TIME = running */
    char *stage;                  /* NULL = none */
    int64_t done, total;
    char *report; /* JSON; NULL until the end */
};
struct run_list {
    struct run_row *items;
    size_t n;
};

enum ft_status run_start(struct db *db, const char *kind, int64_t *id, struct ft_err *err);
enum ft_status run_progress(struct db *db, int64_t id, const char *stage, int64_t done,
                            int64_t total, struct ft_err *err);
/* state: done, failed or interrupted. */
enum ft_status run_finish(struct db *db, int64_t id, const char *state, const char *report,
                          struct ft_err *err);
/* Marks every run that still says "running" as interrupted: called when a writer opens, for then
 * nothing can be running. */
enum ft_status run_mark_interrupted(struct db *db, struct ft_err *err);
enum ft_status run_get(struct db *db, int64_t id, struct run_row *out, struct ft_err *err);
enum ft_status run_list(struct db *db, const char *kind, size_t limit, struct run_list *out,
                        struct ft_err *err); /* kind NULL = all; newest first */
void run_clear(struct run_row *r);
void run_list_free(struct run_list *l);

/* Takes the named lease until expires_ms when it is free, expired or already this holder's;
 * FT_BUSY names the holder. */
enum ft_status lease_take(struct db *db, const char *name, const char *holder, int64_t now_ms,
                          int64_t expires_ms, struct ft_err *err);
enum ft_status lease_release(struct db *db, const char *name, const char *holder,
                             struct ft_err *err);

#endif
