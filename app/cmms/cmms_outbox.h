/* Sends what waits in the outbox (table webhook_delivery): one thread, one message at a time in the
 * order of their due times. A message was stored in the transaction that caused it, so it goes out
 * at least once whatever happens; its id stays the same over all tries. */
#ifndef APP_CMMS_CMMS_OUTBOX_H
#define APP_CMMS_CMMS_OUTBOX_H

#include "app/base/status.h"

#include <stdint.h>

struct config;
struct outbox;
struct writer;

/* Tries after the first one; then the message is dead and waits for a person. */
#define OUTBOX_MAX_TRIES 12

/* Starts the thread. config and writer must outlive it. */
enum ft_status outbox_start(const struct config *config, struct writer *writer, const char *db_path,
                            struct outbox **out, struct ft_err *err);

/* Something was stored: look now. Any thread; void * so that it can be a hook. */
void outbox_wake(void *outbox);

/* Ends the thread after the message in hand (at most its timeout). NULL is fine. */
void outbox_stop(struct outbox *o);

/* Wait before try n_tries + 1, in ms: 5 s doubling up to 24 h, each spread by a quarter either way;
 * random is any 32 bits. */
int64_t outbox_backoff_ms(int64_t n_tries, uint32_t random);

#endif
