/* One thread owns the child. Requests from outside (nightly_begin) take the lease and open the run
 * row themselves, so that their answer is true, and leave the child to the thread. */
#include "app/nightly.h"

#include "app/base/clock.h"
#include "app/base/log.h"
#include "app/config.h"
#include "app/cron.h"
#include "app/night.h"
#include "app/retention.h"
#include "app/writer.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/run_store.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "/proc/self/exe"
/* One server per database, so its lease is its own again after a crash. */
#define HOLDER "server"
#define TICK_MS 500
#define MISSED_GRACE_MS (5 * MS_PER_MINUTE)
/* Applying a night scores and plans the whole fleet in one transaction. */
#define APPLY_WAIT_MS (10 * MS_PER_MINUTE)

struct nightly {
    pthread_mutex_t lock; /* is_stopping, is_busy, requested_run */
    pthread_cond_t wake;
    pthread_t thread;
    bool has_thread, is_stopping;
    bool is_busy;          /* a night runs or is about to */
    int64_t requested_run; /* run row that the thread shall start a child for; 0 = none */

    /* constant */
    const struct config *config;
    struct writer *writer;
    const char *db_path;
    void (*told)(void *ctx);
    void *told_ctx;
    struct cron cron;
    bool is_scheduled;
    int64_t started_ms;

    /* of the thread */
    struct db *db; /* reader */
    struct night *child;
    int64_t child_run, last_try_ms;
    struct night_progress shown;
};

/* --- what is done on the writer
 * -------------------------------------------------------------------
 */

struct opening {
    const char *holder;
    int64_t run_id;
};

/* Lease and run row, both or none. */
static enum ft_status open_run(struct db *db, void *ctx, struct ft_err *err)
{
    struct opening *o = ctx;
    const enum ft_status st = night_lease_take(db, o->holder, err);
    return st == FT_OK ? run_start(db, "retrain", &o->run_id, err) : st;
}

struct ending {
    const char *holder, *state, *reason;
    int64_t run_id;
};

static enum ft_status end_run(struct db *db, void *ctx, struct ft_err *err)
{
    const struct ending *e = ctx;
    cJSON *report = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(report, "reason", e->reason);
    char *text = cJSON_PrintUnformatted(report);
    cJSON_Delete(report);
    const enum ft_status st = run_finish(db, e->run_id, e->state, text, err);
    free(text);
    night_lease_release(db, e->holder);
    return st;
}

static enum ft_status show_progress(struct db *db, void *ctx, struct ft_err *err)
{
    const struct nightly *n = ctx;
    return run_progress(db, n->child_run, n->shown.stage, n->shown.done, n->shown.total, err);
}

struct applying {
    struct nightly *nightly;
    struct night *child;
};

/* The lease goes back whatever came of the night; a failed child is a result too, so the
 * transaction (with the failed run in it) is kept. */
static enum ft_status apply(struct db *db, void *ctx, struct ft_err *err)
{
    struct applying *a = ctx;
    struct night *child = a->child;
    a->child = NULL; /* night_apply() frees it in every case */
    const enum ft_status st = night_apply(db, child, NULL, err);
    if (st == FT_OK)
        night_lease_release(db, HOLDER);
    return st;
}

/* --- the thread
 * -----------------------------------------------------------------------------------
 */

static void set_idle(struct nightly *n)
{
    pthread_mutex_lock(&n->lock);
    n->is_busy = false;
    pthread_mutex_unlock(&n->lock);
}

static void give_up(struct nightly *n, int64_t run_id, const char *state, const char *reason)
{
    struct ending e = {HOLDER, state, reason, run_id};
    struct ft_err err;
    if (writer_call(n->writer, WRITER_WAIT_MS, end_run, &e, &err) != FT_OK)
        log_warn("night: run %lld was not ended: %s", (long long)run_id, err.msg);
    set_idle(n);
}

/* Files of a child whose server was killed stay behind ("<database>.night-<process>" and its
 * progress); only one server has this database, so whatever lies there is nobody's. */
static void remove_leftovers(const char *db_path)
{
    const char *slash = strrchr(db_path, '/');
    const char *base = slash != NULL ? slash + 1 : db_path;
    char folder[PATH_MAX], prefix[NAME_MAX + 1];
    snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - db_path + 1) : 2,
             slash != NULL ? db_path : "./");
    snprintf(prefix, sizeof(prefix), "%.200s.night-", base);
    DIR *d = opendir(folder);
    if (d == NULL)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

static void start_child(struct nightly *n, int64_t run_id)
{
    struct ft_err err;
    const struct night_options options = {
        .seed = 1, .n_threads = (size_t)n->config->night_threads, .run_id = run_id};
    memset(&n->shown, 0, sizeof(n->shown));
    remove_leftovers(n->db_path);
    if (night_start(PROGRAM, n->db_path, &options, &n->child, &err) != FT_OK) {
        log_error("night: %s", err.msg);
        give_up(n, run_id, "failed", err.msg);
        return;
    }
    n->child_run = run_id;
    log_info("night: run %lld has started", (long long)run_id);
}

static bool is_stopping(struct nightly *n)
{
    pthread_mutex_lock(&n->lock);
    const bool stopping = n->is_stopping;
    pthread_mutex_unlock(&n->lock);
    return stopping;
}

/* Hours, thinning and dropping, a sensor at a time so that readings go on coming in. What a stop
 * leaves is done the next night. */
static void tidy_readings(struct nightly *n)
{
    struct retention r = {.thin_after_ms = n->config->thin_after_days * MS_PER_DAY,
                          .drop_after_ms = n->config->drop_after_days * MS_PER_DAY,
                          .now_ms = clock_now_ms()};
    struct ft_err err = {FT_OK, ""};
    enum ft_status st = FT_OK;
    while (st == FT_OK && !r.is_done && !is_stopping(n))
        st = writer_call(n->writer, WRITER_WAIT_MS, retention_step, &r, &err);
    if (st != FT_OK)
        log_warn("night: old readings: %s", err.msg);
    else
        log_info("night: %lld hours summed up, %lld readings thinned out, %lld dropped",
                 (long long)r.counts.n_hours, (long long)r.counts.n_thinned,
                 (long long)r.counts.n_dropped);
}

static void finish_child(struct nightly *n)
{
    struct applying a = {n, n->child};
    struct ft_err err = {FT_OK, ""};
    n->child = NULL;
    const enum ft_status st = writer_call(n->writer, APPLY_WAIT_MS, apply, &a, &err);
    if (a.child != NULL) /* the writer never came */
        night_cancel(NULL, a.child);
    if (st == FT_OK) {
        set_idle(n); /* whoever sees it done may ask for the next one */
        log_info("night: run %lld is done", (long long)n->child_run);
        n->told(n->told_ctx);
        tidy_readings(n);
        return;
    }
    log_error("night: run %lld: %s", (long long)n->child_run, err.msg);
    give_up(n, n->child_run, "failed", err.msg);
}

static void look_after_child(struct nightly *n)
{
    struct night_progress p = n->shown;
    struct ft_err err = {FT_OK, ""};
    bool is_done = false;
    (void)night_poll(n->child, &p, &is_done, &err);
    if (is_done) {
        finish_child(n);
        return;
    }
    if (strcmp(p.stage, n->shown.stage) != 0 || p.done != n->shown.done) {
        n->shown = p;
        (void)writer_call(n->writer, 0, show_progress, n, &err); /* next time, when it is busy */
    }
}

/* Is a night due now? One that failed is not tried again before the next due instant. */
static bool is_due(struct nightly *n)
{
    if (!n->is_scheduled)
        return false;
    const int64_t now_ms = clock_now_ms();
    int64_t last_ms = night_last_ms(n->db);
    if (last_ms == DB_NO_TIME)
        last_ms = n->started_ms; /* never: a new plant waits for its first night */
    if (n->last_try_ms > last_ms)
        last_ms = n->last_try_ms;
    const int64_t due_ms = cron_previous(&n->cron, now_ms);
    return due_ms > last_ms || cron_is_missed(&n->cron, last_ms, now_ms, MISSED_GRACE_MS);
}

static void begin_scheduled(struct nightly *n)
{
    int64_t run_id = 0;
    struct ft_err err;
    n->last_try_ms = clock_now_ms();
    if (nightly_begin(n, &run_id, &err) != FT_OK)
        log_warn("night: not started: %s", err.msg);
}

static void *nightly_main(void *arg)
{
    struct nightly *n = arg;
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&n->lock);
        if (!n->is_stopping && n->requested_run == 0)
            pthread_cond_timedwait(&n->wake, &n->lock, &until);
        const bool is_stopping = n->is_stopping;
        const int64_t requested = n->requested_run;
        n->requested_run = 0;
        pthread_mutex_unlock(&n->lock);
        if (is_stopping) {
            if (n->child != NULL) {
                night_cancel(NULL, n->child);
                n->child = NULL;
                give_up(n, n->child_run, "interrupted", "the server was stopped");
            } else if (requested != 0) {
                give_up(n, requested, "interrupted", "the server was stopped");
            }
            return NULL;
        }
        if (requested != 0)
            start_child(n, requested);
        else if (n->child != NULL)
            look_after_child(n);
        else if (is_due(n))
            begin_scheduled(n);
    }
}

/* --- from outside
 * ---------------------------------------------------------------------------------
 */

enum ft_status nightly_begin(void *nightly, int64_t *run_id, struct ft_err *err)
{
    struct nightly *n = nightly;
    pthread_mutex_lock(&n->lock);
    const bool is_free = !n->is_busy && !n->is_stopping;
    n->is_busy = n->is_busy || is_free;
    pthread_mutex_unlock(&n->lock);
    if (!is_free)
        return ft_fail(err, FT_CONFLICT, "a retraining is running already");
    struct opening o = {HOLDER, 0};
    const enum ft_status st = writer_call(n->writer, WRITER_WAIT_MS, open_run, &o, err);
    if (st != FT_OK) {
        set_idle(n);
        return st;
    }
    *run_id = o.run_id;
    pthread_mutex_lock(&n->lock);
    n->requested_run = o.run_id;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
    return FT_OK;
}

enum ft_status nightly_start(const struct config *config, struct writer *writer,
                             const char *db_path, void (*told)(void *ctx), void *ctx,
                             struct nightly **out, struct ft_err *err)
{
    *out = NULL;
    struct nightly *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the night");
    n->config = config;
    n->writer = writer;
    n->db_path = db_path;
    n->told = told;
    n->told_ctx = ctx;
    n->started_ms = clock_now_ms();
    n->is_scheduled = config->retrain_at[0] != '\0';
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->wake, NULL);
    enum ft_status st = FT_OK;
    if (n->is_scheduled && cron_parse(config->retrain_at, &n->cron, err) != FT_OK)
        st = ft_err_prefix(err, "[night] retrain_at");
    if (st == FT_OK)
        st = db_open_reader(db_path, &n->db, err);
    if (st == FT_OK && pthread_create(&n->thread, NULL, nightly_main, n) != 0)
        st = ft_fail(err, FT_IO, "no thread for the night");
    n->has_thread = st == FT_OK;
    if (st != FT_OK) {
        nightly_stop(n);
        return st;
    }
    *out = n;
    return FT_OK;
}

void nightly_stop(struct nightly *n)
{
    if (n == NULL)
        return;
    if (n->has_thread) {
        pthread_mutex_lock(&n->lock);
        n->is_stopping = true;
        pthread_cond_signal(&n->wake);
        pthread_mutex_unlock(&n->lock);
        pthread_join(n->thread, NULL);
    }
    db_close(n->db);
    pthread_cond_destroy(&n->wake);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
