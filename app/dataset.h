/* As-of rows of a class and their labels. A row is (asset, instant); its features see nothing after
 * the instant, its label looks strictly after it.
 *
 * failure: one row an asset and period. y = 1 when the component fails in (t, t + H]. A preventive
 * replacement in that span before any failure censors the row (left out: it is never "healthy to
 * the end"); so does the end of data. A replacement recorded at the instant of a failure is its
 * repair.
 * rul: run-to-failure assets only; every few readings counted back from the failure,
 * y = min(time to failure, cap) in units; each asset weighs the same. */
#ifndef APP_DATASET_H
#define APP_DATASET_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/features.h"
#include "app/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dataset_span {
    int64_t start_ms, end_ms; /* end_ms <= start_ms: never watched */
};

/* When failures of this asset would have been recorded: from the class's first reading, alarm or
 * failure (or the asset's own first fact) to the end of the class's data, its retirement, its last
 * failure when it runs to failure, or until_ms (DB_NO_TIME = no limit). An asset whose readings and
 * alarms fall silent long before the others counts as watched for SILENCE more. */
struct dataset_span dataset_watched(const struct history *h, const struct history_asset *a,
                                    int64_t until_ms);

struct dataset_row {
    size_t asset;
    int64_t as_of_ms;
};

struct dataset {
    struct dataset_row *rows; /* [n], by asset, then instant */
    size_t n;
};
void dataset_clear(struct dataset *d);

/* Rows for failure labels at multiples of step_ms from local midnight, of assets with include[i],
 * with from_ms <= as-of (DB_NO_TIME = from the start) inside the watched span. */
enum ft_status dataset_failure_rows(const struct history *h, const bool *include, int64_t step_ms,
                                    int64_t from_ms, int64_t until_ms, struct dataset *out,
                                    struct ft_err *err);

/* y[d->n]: 1, 0, or NaN where the outcome is censored. component as in history.h. lead_ms (may be
 * NULL): time from the row to the failure, DB_NO_TIME where y is not 1. */
void dataset_failure_labels(const struct history *h, const struct dataset *d, size_t component,
                            int64_t horizon_ms, int64_t until_ms, double *y, int64_t *lead_ms);

/* Rows of run-to-failure assets. y[] and weight[] are allocated; every: take each n-th reading, 0 =
 * 3, or more for long lives. FT_TOO_FEW: fewer than three assets ran to failure. */
enum ft_status dataset_rul_rows(const struct history *h, const bool *include, double cap_units,
                                size_t every, struct dataset *out, double **y, double **weight,
                                struct ft_err *err);

/* Features of every row, float [d->n][fs->n], allocated; assets in parallel. */
enum ft_status dataset_features(const struct feature_set *fs, const struct history *h,
                                const struct dataset *d, struct pool *pool, float **out,
                                struct ft_err *err);

/* The series with the most readings of an asset: its rhythm. NULL when it has none. */
const struct readings *dataset_lead_series(const struct history *h, const struct history_asset *a);

/* Unit of rul targets: the class's cycle, else one day. */
double dataset_unit_ms(const struct history *h);

#endif
