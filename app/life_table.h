/* A table of lives as reliability engineers keep it: CSV with a header, one row per unit (or per
 * number of alike units) with its age at failure or when it was last seen. */
#ifndef APP_LIFE_TABLE_H
#define APP_LIFE_TABLE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Names of columns; NULL = guessed from the header: time by a usual word (time, hours, miles, ...),
 * else the first column of numbers; event, entry and count by usual words. */
struct life_columns {
    const char *time, *event, *entry, *count;
};

struct life_table {
    size_t n;      /* rows */
    double *time;  /* [n], > 0 */
    bool *failed;  /* [n] */
    double *entry; /* [n], or NULL without such a column */
    double *count; /* [n], whole numbers >= 0 */
    /* Names of the columns used, as in the file; "" = none. */
    char time_column[64], event_column[64], entry_column[64], count_column[64];
};

/* Reads a file (.gz and .zst too, "-" = standard input). Failed: 1, true, yes, f, fail, failed,
 * failure, dead, event. Censored: 0, false, no, c, censored, suspended, suspension, s, survived,
 * survivor, alive, running, removed, right_censored; case does not matter. In a column named
 * "censored" or "suspended" 1, true and yes mean censored. Without an event column every row is a
 * failure. FT_INVALID names line, column and expectation: one bad row refuses the file, because a
 * life that is left out bends the fit. FT_NOT_FOUND, FT_IO, FT_NOMEM. The caller ends *out with
 * life_table_free(). */
enum ft_status life_table_read(const char *path, const struct life_columns *columns,
                               struct life_table *out, struct ft_err *err);
void life_table_free(struct life_table *t);

#endif
