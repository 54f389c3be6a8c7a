/* Lives of parts from the event history: how long each lasted, what ended it, and the Weibull fit
 * per class and component that age-only decisions rest on. Times in days.
 *
 * A failure ends a life; a replacement censors it; what still runs is censored now. The replacement
 * that follows a failure within a day is its repair. A first life counts only when the asset was
 * commissioned within the recorded time: before that, replacements may be missing, so its age is
 * unknown until the first recorded renewal. A used part comes in at the age it has
 * (left-truncated). Held-out assets are left out. */
#ifndef APP_LIVES_H
#define APP_LIVES_H

#include "app/base/status.h"
#include "app/catalog.h"
#include "models/weibull.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* Whose life it was, and when it ended (now, while it runs). */
struct life_origin {
    int64_t asset_id, end_ms;
};

struct life {
    int64_t class_id, component_id; /* component_id 0 = any failure of the asset */
    size_t n_failures, n_censored;
    double exposure_d; /* asset-days under observation, n of failures over it is the rate */
    bool has_fit;
    struct weibull fit; /* in days */
    double *time;       /* [n] the lives themselves, in days: what the fit rests on; owned */
    double *entry;      /* [n] age at which each came in; NULL = no used part; owned */
    bool *failed;       /* [n], owned */
    struct life_origin *origin; /* [n] whose they are; owned */
    size_t n;
};

struct renewal {
    int64_t asset_id, component_id;
    int64_t ts_ms;
};

struct lives {
    struct life *items; /* by class, component */
    size_t n;
    struct renewal *renewals; /* newest of each asset and component, by asset, component */
    size_t n_renewals;
};

/* Reads events up to now_ms. The caller ends *out with lives_free(), also after a failure. */
enum ft_status lives_load(struct db *db, const struct catalog *c, int64_t now_ms, struct lives *out,
                          struct ft_err *err);
void lives_free(struct lives *l);

const struct life *lives_find(const struct lives *l, int64_t class_id, int64_t component_id);

/* When the part was last renewed (0 = the asset as a whole), earlier by the age that a used part
 * brought along (app/part_clock.h), so that now minus it is its age; DB_NO_TIME = unknown. */
int64_t lives_renewed_ms(const struct lives *l, int64_t asset_id, int64_t component_id);

/* Long-run cost per day of a part under the best age rule, or of running it to failure when that is
 * cheaper; from the failure rate (half a failure when none was seen) when there is no fit. 0 when
 * nothing is known. life NULL = 0. */
double life_cost_rate(const struct life *life, double cost_planned, double cost_failure);

/* Cost per day of replacing at age interval_d: (C_P S + C_F F) / int S, by Simpson's rule. */
double life_cost_rate_at(const struct weibull *w, double interval_d, double cost_planned,
                         double cost_failure);

#endif
