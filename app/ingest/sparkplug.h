/* Sparkplug B: topics spBv1.0/GROUP/TYPE/NODE[/DEVICE], protobuf payloads, births that give metrics
 * a name and an alias, a sequence number that shows losses, deaths. A metric is a sensor of its
 * name; the asset is the device, or the node when there is none. One thread. No network here. */
#ifndef APP_INGEST_SPARKPLUG_H
#define APP_INGEST_SPARKPLUG_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_batch;
struct sparkplug;

enum {
    SPARKPLUG_MAX_NODES = 10000,
    SPARKPLUG_MAX_ALIASES = 1000000 /* over all nodes */
};

extern const bool sparkplug_is_built; /* with protobuf-c */

/* Text of the births of a node that was kept under key ("sparkplug/GROUP/NODE") or NULL; the caller
 * frees it. */
typedef char *(*sparkplug_load)(void *ctx, const char *key);

/* load is called when a node is heard of for the first time; NULL = nothing was kept. */
enum ft_status sparkplug_new(sparkplug_load load, void *ctx, struct sparkplug **out,
                             struct ft_err *err);
void sparkplug_free(struct sparkplug *s); /* NULL is fine */

bool sparkplug_is_topic(const char *topic); /* begins with spBv1.0/ */

struct sparkplug_stats {
    int64_t n_births, n_deaths;
    int64_t n_gaps;    /* messages whose sequence number was not the next one */
    int64_t n_unknown; /* metrics whose alias no birth has named */
    int64_t n_text;    /* metrics that hold no number */
    int64_t n_nodes;
};
void sparkplug_stats(const struct sparkplug *s, struct sparkplug_stats *out);

/* Adds what one message holds to a batch. What cannot be taken is refused there. FT_NOMEM. */
enum ft_status sparkplug_add(struct sparkplug *s, struct live_batch *b, const char *topic,
                             const void *payload, size_t len, size_t place, int64_t now_ms,
                             struct ft_err *err);

/* Births must outlive a restart, for the broker keeps data messages whose aliases they explain.
 * Calls put(ctx, key, text) for every node that was born since the last sparkplug_saved(); let it
 * be a part of the transaction that writes the batch. */
enum ft_status sparkplug_save(const struct sparkplug *s,
                              enum ft_status (*put)(void *ctx, const char *key, const char *text,
                                                    struct ft_err *err),
                              void *ctx, struct ft_err *err);
void sparkplug_saved(struct sparkplug *s); /* that transaction stands */

#endif
