/* Readings by MQTT: one thread, one connection, QoS 1 and a session that the broker keeps. A
 * message is acknowledged when its batch is on disk, not before: acknowledgements wait in the
 * library's queue, which is written to the socket only after the commit. While the writer is behind
 * or the disk is full nothing is read, so the broker keeps what comes. */
#ifndef APP_INGEST_MQTT_H
#define APP_INGEST_MQTT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct disk_guard;
struct live;
struct mqtt;
struct writer;

extern const bool mqtt_is_built; /* with libmosquitto */

/* Starts the thread when [mqtt] broker is set. What it is given must outlive it. FT_INVALID names a
 * wrong key of the configuration; FT_REFUSED: built without MQTT. A broker that is not there is no
 * failure: it is tried again for ever. */
enum ft_status mqtt_start(const struct config *config, struct writer *writer, struct live *live,
                          struct disk_guard *disk, struct mqtt **out, struct ft_err *err);

/* Ends the thread, lets change(ctx) alter the [mqtt] part of the configuration, and starts it anew.
 * When that is wrong MQTT stays off. Not from two threads at once. */
enum ft_status mqtt_reload(struct mqtt *m, void (*change)(void *ctx), void *ctx,
                           struct ft_err *err);

struct mqtt_stats {
    bool is_on, is_connected;
    int64_t n_messages; /* received */
    int64_t n_batches;  /* committed */
    int64_t n_connects; /* sessions begun */
    int64_t n_waits;    /* times that a batch had to wait for the writer or for room */
    int64_t n_births, n_deaths, n_gaps, n_unknown; /* Sparkplug */
};
void mqtt_stats(struct mqtt *m, struct mqtt_stats *out); /* NULL: all zero */

/* Writes what was read, takes leave of the broker, ends the thread. NULL is fine. */
void mqtt_stop(struct mqtt *m);

#endif
