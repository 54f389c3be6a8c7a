/* Trained models. A row is written once; afterwards only its state and reason change. */
#ifndef DB_MODEL_STORE_H
#define DB_MODEL_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct model_row {
    int64_t id;
    int64_t class_id;
    char *target;         /* "rul" or "failure" */
    int64_t component_id; /* 0 = the asset as a whole */
    int64_t horizon_ms;   /* 0 for rul */
    char *kind;
    char *state; /* candidate, champion, retired, off */
    char *reason;
    int64_t created_ms, until_ms;
    int64_t run_id; /* 0 = none */
    int64_t seed;
    char *build;
    char *fingerprint;
    char *params, *features, *metrics; /* JSON */
    char *sha256;
    char *body; /* model file; NULL in lists, see model_get() */
    size_t body_len;
};
struct model_list {
    struct model_row *items;
    size_t n;
};

/* Inserts; *id is the new row's. State "champion" retires the old champion of the same class,
 * target, component and horizon in the same transaction, with reason "replaced by model N". */
enum ft_status model_insert(struct db *db, const struct model_row *m, int64_t *id,
                            struct ft_err *err);
/* Forgets all but the keep newest of each target, component, horizon and state of a class;
 * champions stay, and so does every model that a forecast, the ledger or a work order names. */
enum ft_status model_prune(struct db *db, int64_t class_id, int64_t keep, struct ft_err *err);
/* Makes a stored model champion (retiring the present one) or puts another state and reason. */
enum ft_status model_set_state(struct db *db, int64_t id, const char *state, const char *reason,
                               struct ft_err *err);
enum ft_status model_get(struct db *db, int64_t id, struct model_row *out, struct ft_err *err);
/* The champion with its body; FT_NOT_FOUND when there is none. */
enum ft_status model_champion(struct db *db, int64_t class_id, const char *target,
                              int64_t component_id, int64_t horizon_ms, struct model_row *out,
                              struct ft_err *err);
/* class_id 0 = all, target and state NULL = all; newest first; without bodies. */
enum ft_status model_list(struct db *db, int64_t class_id, const char *target, const char *state,
                          struct model_list *out, struct ft_err *err);
void model_clear(struct model_row *m);
void model_list_free(struct model_list *l);

#endif
