/* What the sensors of a class should read at their settings, and how far they are from it, tick by
 * tick: readings become the unlabelled residuals that models/anomaly.h looks at.
 *
 * Readings stand on a grid (at most 24 rows in a tick). Per operating regime (app/features.h) each
 * sensor is a line in the settings, fitted inside assets, so that machines that sit a little off
 * their class do not bend it; the residual is in standard deviations of its noise from row to row.
 * A row at which every setting stands at 0, its least value, is a stopped machine and says nothing.
 * A value that does not change for 12 rows while the settings do is a stuck sensor and is missing.
 * A tick is the median of its rows. */
#ifndef APP_HEALTH_EXPECT_H
#define APP_HEALTH_EXPECT_H

#include "app/base/status.h"
#include "app/history.h"

#include <stddef.h>
#include <stdint.h>

struct health_expect; /* never changes after fit; any thread may use it */

/* A day of data in time, a cycle of data that counts cycles, the step of coarser data. */
int64_t health_tick_ms(const struct history *h);

/* Looks at the readings of h before until_ms (DB_NO_TIME = all). FT_TOO_FEW: no readings, or no
 * sensor beside settings and meters. Allocates O(200,000 rows). h must outlive *out; end it with
 * health_expect_free(). */
enum ft_status health_expect_fit(const struct history *h, int64_t until_ms,
                                 struct health_expect **out, struct ft_err *err);
void health_expect_free(struct health_expect *e); /* NULL is fine */

/* The sensors that are looked at: indexes into h->sensors, at most ANOMALY_MAX_SENSORS. */
size_t health_expect_sensors(const struct health_expect *e, const size_t **sensor);

/* Residuals of one asset: out[n_ticks][n_sensors], tick i is [start_ms + i tick, + tick); NaN where
 * fewer than a tenth of a tick's rows speak. FT_NOMEM. */
enum ft_status health_expect_ticks(const struct health_expect *e, size_t asset, int64_t start_ms,
                                   size_t n_ticks, double *out, struct ft_err *err);

#endif
