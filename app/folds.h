/* Which rows train and which are held out, per fold. Everything is decided by the arguments and the
 * seed alone. */
#ifndef APP_FOLDS_H
#define APP_FOLDS_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct fold {
    uint32_t *train, *test; /* row numbers, rising; owned */
    size_t n_train, n_test;
};
struct folds {
    size_t n;
    struct fold *fold; /* [n], owned */
};

/* k folds (2..100) of whole groups: rows with the same group[] value are always held out together.
 * Folds are balanced by rows and, when y01 is given (0/1), by its ones; the seed breaks ties.
 * FT_TOO_FEW: fewer groups than folds. FT_INVALID, FT_NOMEM. The caller ends *out with folds_free()
 * in any case. */
enum ft_status folds_by_group(const size_t *group, const double *y01, size_t n_rows, size_t k,
                              uint64_t seed, struct folds *out, struct ft_err *err);

/* k folds of single rows, drawn by the seed; with y01 the ones are spread evenly (stratified). */
enum ft_status folds_of_rows(const double *y01, size_t n_rows, size_t k, uint64_t seed,
                             struct folds *out, struct ft_err *err);

/* Forward in time: the rows, ordered by instant, are cut into k + 1 stretches of equal length in
 * rows (rows of one instant stay together); fold i holds out stretch i + 1 and trains on all rows
 * whose instant is earlier than its beginning by more than embargo_ms (horizon + longest window: no
 * label and no feature then reaches over the cut). Rows of the first stretch are never held out.
 * FT_TOO_FEW: a fold would have no row on one side. */
enum ft_status folds_forward(const int64_t *as_of_ms, size_t n_rows, size_t k, int64_t embargo_ms,
                             struct folds *out, struct ft_err *err);

/* Forward in time as folds_forward(), for times in any unit and an embargo >= 0 in the same. With
 * group: whole groups are dealt to k folds as by folds_by_group(); fold i holds out its groups'
 * rows of the later half (from the median time on) and trains on the other groups' rows that are
 * earlier than the median by more than the embargo: unknown units in a time not seen. FT_INVALID: a
 * time that is not finite. */
enum ft_status folds_by_time(const double *time, const size_t *group, const double *y01,
                             size_t n_rows, size_t k, double embargo, uint64_t seed,
                             struct folds *out, struct ft_err *err);

void folds_free(struct folds *f);

#endif
