#include "app/cmms/cmms_outbox.h"

#include "app/base/clock.h"
#include "app/base/log.h"
#include "app/cmms/webhook.h"
#include "app/config.h"
#include "app/writer.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/integration_store.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BACKOFF_FIRST_MS (5 * MS_PER_SECOND)
#define BACKOFF_LAST_MS MS_PER_DAY
#define LOOK_EVERY_S 1 /* without a wake-up, for messages whose time comes */
#define BATCH 16

struct outbox {
    pthread_mutex_t lock; /* is_awake, is_stopping */
    pthread_cond_t wake;
    pthread_t thread;
    bool is_awake, is_stopping;
    const struct config *config;
    struct writer *writer;
    struct db *db; /* reader of the thread */
};

int64_t outbox_backoff_ms(int64_t n_tries, uint32_t random)
{
    int64_t ms = BACKOFF_FIRST_MS;
    for (int64_t i = 1; i < n_tries && ms < BACKOFF_LAST_MS; i++)
        ms *= 2;
    if (ms > BACKOFF_LAST_MS)
        ms = BACKOFF_LAST_MS;
    return ms - ms / 4 + (int64_t)((double)random / 4294967296.0 * ((double)ms / 2.0));
}

struct result {
    int64_t id, next_try_ms, http_status;
    const char *state, *error;
};

static enum ft_status store_result(struct db *db, void *ctx, struct ft_err *err)
{
    const struct result *r = ctx;
    return delivery_result(db, r->id, r->state, r->next_try_ms, r->http_status, r->error, err);
}

static bool is_stopping(void *ctx)
{
    struct outbox *o = ctx;
    pthread_mutex_lock(&o->lock);
    const bool stop = o->is_stopping;
    pthread_mutex_unlock(&o->lock);
    return stop;
}

/* Sends one message and notes how it went. */
static void deliver(struct outbox *o, const struct delivery *d)
{
    const int64_t now_ms = clock_now_ms();
    const struct webhook_request rq = {.url = d->url,
                                       .secret = d->secret,
                                       .message_id = d->message_id,
                                       .body = d->body,
                                       .timestamp_s = now_ms / 1000,
                                       .allow = o->config->webhook_allow,
                                       .timeout_ms = o->config->webhook_timeout_ms,
                                       .is_stopped = is_stopping,
                                       .ctx = o};
    struct webhook_response answer;
    webhook_send(&rq, &answer);
    if (answer.was_stopped)
        return; /* it stays waiting and goes out after the next start */
    const bool is_done = answer.error[0] == '\0';
    /* 410 Gone: the receiver wants no more of it (Standard Webhooks). */
    const bool is_dead = !is_done && (d->n_tries + 1 >= OUTBOX_MAX_TRIES || answer.status == 410);
    int64_t wait_ms = outbox_backoff_ms(d->n_tries + 1, randombytes_random());
    if (answer.retry_after_s > 0 && answer.retry_after_s * 1000 > wait_ms)
        wait_ms = answer.retry_after_s * 1000 < BACKOFF_LAST_MS ? answer.retry_after_s * 1000
                                                                : BACKOFF_LAST_MS;
    struct result r = {.id = d->id,
                       .state = is_done   ? "delivered"
                                : is_dead ? "dead"
                                          : "waiting",
                       .next_try_ms = clock_now_ms() + wait_ms,
                       .http_status = answer.status,
                       .error = is_done ? NULL : answer.error};
    struct ft_err err = {FT_OK, ""};
    /* Not noted means sent again: at least once. */
    if (writer_call(o->writer, 10 * WRITER_WAIT_MS, store_result, &r, &err) != FT_OK)
        log_warn("outbox: delivery %lld was not noted: %s", (long long)d->id, err.msg);
    if (!is_done)
        log_warn("outbox: %s to webhook %lld, try %lld: %s", d->event_type,
                 (long long)d->webhook_id, (long long)d->n_tries + 1, answer.error);
}

static void wait_for_work(struct outbox *o)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_EVERY_S;
    pthread_mutex_lock(&o->lock);
    if (!o->is_awake && !o->is_stopping)
        pthread_cond_timedwait(&o->wake, &o->lock, &until);
    o->is_awake = false;
    pthread_mutex_unlock(&o->lock);
}

static void *outbox_main(void *arg)
{
    struct outbox *o = arg;
    while (!is_stopping(o)) {
        struct delivery_list due = {0};
        struct ft_err err = {FT_OK, ""};
        size_t n = 0;
        if (delivery_due(o->db, clock_now_ms(), BATCH, &due, &err) != FT_OK) {
            log_warn("outbox: %s", err.msg);
        } else {
            n = due.n;
            for (size_t i = 0; i < due.n && !is_stopping(o); i++)
                deliver(o, &due.items[i]);
            delivery_list_free(&due);
        }
        if (n < BATCH)
            wait_for_work(o);
    }
    return NULL;
}

enum ft_status outbox_start(const struct config *config, struct writer *writer, const char *db_path,
                            struct outbox **out, struct ft_err *err)
{
    *out = NULL;
    struct outbox *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the outbox");
    o->config = config;
    o->writer = writer;
    enum ft_status st = FT_OK;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        st = ft_fail(err, FT_INTERNAL, "libcurl does not start");
    if (st == FT_OK)
        st = db_open_reader(db_path, &o->db, err);
    if (st != FT_OK) {
        free(o);
        return st;
    }
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->wake, NULL);
    if (pthread_create(&o->thread, NULL, outbox_main, o) != 0) {
        db_close(o->db);
        free(o);
        return ft_fail(err, FT_IO, "no thread for the outbox");
    }
    *out = o;
    return FT_OK;
}

void outbox_wake(void *outbox)
{
    struct outbox *o = outbox;
    pthread_mutex_lock(&o->lock);
    o->is_awake = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

void outbox_stop(struct outbox *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    o->is_stopping = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    pthread_join(o->thread, NULL);
    db_close(o->db);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
