#include "web/http/reaper.h"

#include "app/base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct reaper_slot {
    struct reaper_slot *next, *prev;
    int fd;
    enum reaper_phase phase;
    double since_s;
    size_t n_bytes;
    bool is_ended;
};

struct reaper {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool has_thread, is_stopping;
    struct reaper_limits limits;
    struct reaper_slot head; /* ring */
    size_t n_open;
    int64_t n_ended;
};

static bool is_late(const struct reaper_limits *l, const struct reaper_slot *s, double now_s)
{
    const double age_s = now_s - s->since_s;
    const double transfer_s = (double)s->n_bytes / l->bytes_per_s;
    switch (s->phase) {
    case REAPER_HEADER:
        return age_s > l->header_s;
    case REAPER_IDLE:
        return age_s > l->idle_s + l->header_s;
    case REAPER_BODY:
        return age_s > l->body_grace_s + transfer_s;
    case REAPER_REPLY:
        return age_s > l->reply_grace_s + transfer_s;
    default:
        return false;
    }
}

static void *reaper_main(void *arg)
{
    struct reaper *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->is_stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250 * 1000 * 1000;
        if (until.tv_nsec >= 1000 * 1000 * 1000) {
            until.tv_nsec -= 1000 * 1000 * 1000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&r->wake, &r->lock, &until);
        const double now_s = clock_mono_s();
        for (struct reaper_slot *s = r->head.next; s != &r->head; s = s->next) {
            if (!s->is_ended && is_late(&r->limits, s, now_s)) {
                /* The slot goes before the library closes the socket, so fd is still this one. */
                shutdown(s->fd, SHUT_RDWR);
                s->is_ended = true;
                r->n_ended++;
            }
        }
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

enum ft_status reaper_new(const struct reaper_limits *limits, struct reaper **out,
                          struct ft_err *err)
{
    *out = NULL;
    struct reaper *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the connection table");
    r->limits = *limits;
    r->head.next = r->head.prev = &r->head;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    if (pthread_create(&r->thread, NULL, reaper_main, r) != 0) {
        reaper_free(r);
        return ft_fail(err, FT_IO, "no thread for the connection table");
    }
    r->has_thread = true;
    *out = r;
    return FT_OK;
}

void reaper_free(struct reaper *r)
{
    if (r == NULL)
        return;
    if (r->has_thread) {
        pthread_mutex_lock(&r->lock);
        r->is_stopping = true;
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    while (r->head.next != &r->head)
        reaper_remove(r, r->head.next);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

struct reaper_slot *reaper_add(struct reaper *r, int fd)
{
    struct reaper_slot *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->fd = fd;
    s->phase = REAPER_HEADER;
    s->since_s = clock_mono_s();
    pthread_mutex_lock(&r->lock);
    s->prev = &r->head;
    s->next = r->head.next;
    s->next->prev = s;
    r->head.next = s;
    r->n_open++;
    pthread_mutex_unlock(&r->lock);
    return s;
}

void reaper_remove(struct reaper *r, struct reaper_slot *slot)
{
    if (slot == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    slot->prev->next = slot->next;
    slot->next->prev = slot->prev;
    r->n_open--;
    pthread_mutex_unlock(&r->lock);
    free(slot);
}

void reaper_phase(struct reaper *r, struct reaper_slot *slot, enum reaper_phase phase,
                  size_t n_bytes)
{
    if (slot == NULL)
        return;
    const double now_s = clock_mono_s();
    pthread_mutex_lock(&r->lock);
    slot->phase = phase;
    slot->since_s = now_s;
    slot->n_bytes = n_bytes;
    pthread_mutex_unlock(&r->lock);
}

void reaper_progress(struct reaper *r, struct reaper_slot *slot, size_t n_bytes)
{
    if (slot == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    slot->n_bytes += n_bytes;
    pthread_mutex_unlock(&r->lock);
}

size_t reaper_n_open(struct reaper *r)
{
    pthread_mutex_lock(&r->lock);
    const size_t n = r->n_open;
    pthread_mutex_unlock(&r->lock);
    return n;
}

int64_t reaper_n_ended(struct reaper *r)
{
    pthread_mutex_lock(&r->lock);
    const int64_t n = r->n_ended;
    pthread_mutex_unlock(&r->lock);
    return n;
}
