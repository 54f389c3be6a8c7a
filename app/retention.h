/* Old readings in coarser form, sensor by sensor, so that a server does it between other writes. */
#ifndef APP_RETENTION_H
#define APP_RETENTION_H

#include "app/base/status.h"
#include "db/reading_tier.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

struct retention {
    int64_t thin_after_ms, drop_after_ms; /* age of readings; 0 = never */
    int64_t now_ms;
    struct reading_tier_counts counts; /* of all steps so far */
    int64_t n_sensors;                 /* handled so far, and the id of the last one */
    int64_t last_id;
    bool is_done;
};

/* One step, in a transaction of its own or inside the caller's: first seals the journal, then takes
 * one sensor after the other; sets is_done behind the last one. ctx is a struct retention, so that
 * it can be a writer_call(). */
enum ft_status retention_step(struct db *db, void *ctx, struct ft_err *err);

#endif
