/* Kept what-ifs of the plan. */
#ifndef DB_SCENARIO_STORE_H
#define DB_SCENARIO_STORE_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;

#define SCENARIO_MAX 200 /* as many are kept */

struct scenario {
    int64_t id;
    char *key;              /* 1 to 100 bytes */
    char *changes, *result; /* JSON */
    char *actor;
    int64_t computed_ms;
};
struct scenario_list {
    struct scenario *items;
    size_t n;
};

/* By key: makes or overwrites. FT_INVALID: the key is too long; FT_CONFLICT: SCENARIO_MAX stand. */
enum ft_status scenario_put(struct db *db, const struct scenario *x, struct ft_err *err);
/* Both: FT_NOT_FOUND names the key. The caller ends *out with scenario_clear(). */
enum ft_status scenario_find(struct db *db, const char *key, struct scenario *out,
                             struct ft_err *err);
enum ft_status scenario_delete(struct db *db, const char *key, struct ft_err *err);
enum ft_status scenario_list(struct db *db, struct scenario_list *out,
                             struct ft_err *err); /* by key */
void scenario_clear(struct scenario *x);
void scenario_list_free(struct scenario_list *l);

#endif
