/* Which model speaks: stores training results as immutable rows and decides on the champion. One
 * champion per class, target, component and horizon. */
#ifndef APP_REGISTRY_H
#define APP_REGISTRY_H

#include "app/base/status.h"
#include "app/train_job.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

enum registry_policy {
    REGISTRY_TRAIN, /* asked for by a person: the best candidate that beats age alone is promoted */
    REGISTRY_NIGHT  /* the same, and only when it is not worse than the present champion: the share
                       that is left of age alone's loss, both out of fold, against the stored share
                       of the champion, with one standard error of slack; candidates that are kept
                       off are not stored */
};

struct registry_counts {
    size_t n_stored, n_promoted, n_kept; /* kept: challengers that did not replace a champion */
};

/* Stores every candidate of the result with its state and reason, in the caller's transaction, and
 * completes result->report: "run_id", and "model_id", "champion" and "reason" of each candidate;
 * with one component its members are lifted to the top of the report (DESIGN section 7). run_id 0 =
 * none. Adds to *counts (may be NULL). */
enum ft_status registry_apply(struct db *writer, struct train_result *result, int64_t run_id,
                              enum registry_policy policy, int64_t now_ms,
                              struct registry_counts *counts, struct ft_err *err);

#endif
