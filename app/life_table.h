/* A table of lives as reliability engineers keep it: CSV with a header, one row per unit (or per
 * number of alike units) with its age at failure or when it was last seen. */
#ifndef APP_LIFE_TABLE_H
#define APP_LIFE_TABLE_H

#include "app/base/status.h"
#include "models/life_data.h"

#include <stdbool.h>
#include <stddef.h>

/* Names of columns; NULL = guessed from the header: time by a usual word (time, hours, miles, ...),
 * else the first column of numbers; event, entry, count, lower and upper by usual words. mode and
 * asset are used only when named. */
struct life_columns {
    const char *time, *event, *entry, *count;
    const char *lower, *upper; /* ends of an interval that holds the age at failure */
    const char *mode;          /* failure mode of a failed unit */
    const char *asset;         /* which unit a row of recurrent events belongs to */
};

/* The distinct texts of a column, in the order of their first row. */
struct life_labels {
    size_t *of; /* [n rows] index into names; NULL without such a column */
    char (*names)[64];
    size_t n;
};
#define LIFE_NO_LABEL ((size_t)-1)

struct life_table {
    size_t n;                 /* rows */
    double *time;             /* [n], > 0; begin of an interval, >= 0 */
    bool *failed;             /* [n] */
    double *entry;            /* [n], or NULL without such a column */
    double *count;            /* [n], whole numbers >= 0 */
    double *upper;            /* [n] ends of intervals, 0 = none; NULL without such columns */
    struct life_labels mode;  /* LIFE_NO_LABEL for a unit still running */
    struct life_labels asset; /* rows are recurrent events: failed[i] is an event, else the end of
                                 observation */
    /* Names of the columns used, as in the file; "" = none. */
    char time_column[64], event_column[64], entry_column[64], count_column[64];
    char upper_column[64], mode_column[64], asset_column[64];
};

/* Reads a file (.gz and .zst too, "-" = standard input). Failed: 1, true, yes, f, fail, failed,
 * failure, dead, event. Censored: 0, false, no, c, censored, suspended, suspension, s, survived,
 * survivor, alive, running, removed, right_censored; case does not matter. In a column named
 * "censored" or "suspended" 1, true and yes mean censored. Without an event column every row is a
 * failure, or with a mode column those whose mode is neither empty nor a word for censored.
 *
 * Intervals: lower and upper hold the age at failure. No upper = still running at lower, no lower
 * or 0 = failed at any age before upper, both equal = failed at that age.
 *
 * With an asset column a row is an event in the life of a repairable asset (also: repair,
 * replacement, renewal) or the end of its observation (also: end, last, stop).
 *
 * FT_INVALID names line, column and expectation: one bad row refuses the file, because a
 * life that is left out bends the fit. FT_NOT_FOUND, FT_IO, FT_NOMEM. The caller ends *out with
 * life_table_free(). */
enum ft_status life_table_read(const char *path, const struct life_columns *columns,
                               struct life_table *out, struct ft_err *err);
/* The arrays of a table of lives as the fits want them; they stay the table's. */
struct life_data life_table_data(const struct life_table *t);
void life_table_free(struct life_table *t);

#endif
