/* Columns that know what they should not: the date of the next planned work, a count of what is
 * still to come, the order of rows that were sorted by the label, a copy of the label with noise.
 * A model trained on one looks splendid and is worthless, so training refuses, names the column and
 * says why. A column that a person vouches for is let through. */
#ifndef APP_LEAK_GUARD_H
#define APP_LEAK_GUARD_H

#include "app/base/status.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>

enum leak_kind { LEAK_NONE, LEAK_ALONE, LEAK_ROW_ORDER, LEAK_NAME };

struct leak {
    enum leak_kind kind;
    double strength; /* how well the column alone puts rows in the order of the label: 0.5..1 */
};

/* One column against the label: y 0/1 or any number, in the order of the rows. is_01 as said.
 * LEAK_ALONE: it orders the rows almost as the label does; LEAK_ROW_ORDER: it counts the rows, and
 * orders them well; LEAK_NAME: it is called after the future or the plan ("next_pm_date",
 * "alarms_next_week", "planned_start"), and says something about the label. Too few rows to tell
 * (30 of each label, or 60) are no leak. FT_NOMEM only. */
enum ft_status leak_check(const char *name, const struct matrix *x, size_t column, const double *y,
                          bool is_01, struct leak *out, struct ft_err *err);

/* The same as a verdict: FT_REFUSED says of a column, called what it is ("column", "sensor"), why
 * it is a leak and what can be done about it (advice). Columns in trusted (names separated by
 * commas, may be NULL) pass. */
enum ft_status leak_guard_one(const char *what, const char *name, const struct matrix *x,
                              size_t column, const double *y, bool is_01, const char *trusted,
                              const char *advice, struct ft_err *err);

/* All columns but those in trusted (names separated by commas, may be NULL). FT_REFUSED names the
 * first leak and says why and what to do. */
enum ft_status leak_guard(const char *const *names, const struct matrix *x, const double *y,
                          bool is_01, const char *trusted, struct ft_err *err);

#endif
