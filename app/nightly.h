/* The server's night: one thread that knows when the next retraining is due (cron expression in the
 * site's zone, missed-night rule), starts the child, follows it, and applies its result through the
 * writer while readings and requests go on. */
#ifndef APP_NIGHTLY_H
#define APP_NIGHTLY_H

#include "app/base/status.h"

#include <stdint.h>

struct config;
struct nightly;
struct writer;

/* Starts the thread. told(ctx) is called after a night was applied, for it may have stored webhook
 * messages. config and writer must outlive it. FT_INVALID: the cron expression of [night]
 * retrain_at. */
enum ft_status nightly_start(const struct config *config, struct writer *writer,
                             const char *db_path, void (*told)(void *ctx), void *ctx,
                             struct nightly **out, struct ft_err *err);

/* Begins a night now (POST /api/v1/runs); *run_id is its row. FT_CONFLICT when one is running;
 * FT_BUSY when another process holds the lease. Any thread; void * so that it can be a hook. */
enum ft_status nightly_begin(void *nightly, int64_t *run_id, struct ft_err *err);

/* Ends a running child, the old champions stay; ends the thread. NULL is fine. */
void nightly_stop(struct nightly *n);

#endif
