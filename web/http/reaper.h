/* Ends slow clients. The HTTP library's own timeout counts idle time only, so a client that sends a
 * byte now and then would hold a connection for ever. Here every phase of a connection has a total
 * limit. One thread; a connection's slot lives from accept to close. */
#ifndef WEB_HTTP_REAPER_H
#define WEB_HTTP_REAPER_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct reaper;
struct reaper_slot;

enum reaper_phase {
    REAPER_HEADER, /* a new connection, or a request line was read: header_s in all */
    REAPER_IDLE,   /* kept alive between requests: idle_s, then the header's time */
    REAPER_BODY,   /* body_grace_s, then at least bytes_per_s on average */
    REAPER_WORK,   /* we compute: no limit on the client */
    REAPER_REPLY   /* the client reads: reply_grace_s, then at least bytes_per_s on average */
};

struct reaper_limits {
    double header_s, idle_s, body_grace_s, reply_grace_s;
    double bytes_per_s;
};

enum ft_status reaper_new(const struct reaper_limits *limits, struct reaper **out,
                          struct ft_err *err);
void reaper_free(struct reaper *r); /* stops the thread; NULL is fine */

/* fd is shut down, never closed, by the reaper. NULL when memory is gone. */
struct reaper_slot *reaper_add(struct reaper *r, int fd);
void reaper_remove(struct reaper *r, struct reaper_slot *slot);
/* A phase begins; n_bytes is the length of a reply. */
void reaper_phase(struct reaper *r, struct reaper_slot *slot, enum reaper_phase phase,
                  size_t n_bytes);
/* Bytes of a body came in. */
void reaper_progress(struct reaper *r, struct reaper_slot *slot, size_t n_bytes);

size_t reaper_n_open(struct reaper *r);
int64_t reaper_n_ended(struct reaper *r); /* slow clients ended so far */

#endif
