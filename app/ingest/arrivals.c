#include "app/ingest/arrivals.h"

#include "app/base/clock.h"
#include "db/asset_store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 1024, FLUSH_ROWS = 1000 };
#define FLUSH_MS MS_PER_MINUTE

struct slot {
    int64_t sensor_id; /* 0 = free */
    int64_t newest_ms;
    struct sensor_arrival counts; /* since the last flush */
};

struct arrivals {
    pthread_mutex_t lock;
    struct slot *slots; /* [n_slots], a power of two, at most half full */
    size_t n_slots, n;
    int64_t next_flush_ms;
    size_t at; /* the walk of the flush under way; n_slots = none */
};

enum ft_status arrivals_new(struct arrivals **out, struct ft_err *err)
{
    struct arrivals *a = calloc(1, sizeof(*a));
    *out = NULL;
    if (a != NULL)
        a->slots = calloc(FIRST_SLOTS, sizeof(*a->slots));
    if (a == NULL || a->slots == NULL) {
        free(a);
        return ft_fail(err, FT_NOMEM, "no memory to count arrivals");
    }
    a->n_slots = a->at = FIRST_SLOTS;
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return FT_OK;
}

void arrivals_free(struct arrivals *a)
{
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->slots);
    free(a);
}

/* The sensor's slot or the free one where it belongs. */
static struct slot *find(struct slot *slots, size_t n_slots, int64_t sensor_id)
{
    size_t i = (size_t)((uint64_t)sensor_id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (n_slots - 1);
    while (slots[i].sensor_id != 0 && slots[i].sensor_id != sensor_id)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

static bool grow(struct arrivals *a)
{
    const size_t n_slots = a->n_slots * 2;
    struct slot *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < a->n_slots; i++)
        if (a->slots[i].sensor_id != 0)
            *find(slots, n_slots, a->slots[i].sensor_id) = a->slots[i];
    free(a->slots);
    a->slots = slots;
    a->at = a->at < a->n_slots ? 0 : n_slots; /* a walk under way begins anew */
    a->n_slots = n_slots;
    return true;
}

static struct slot *open_slot(struct arrivals *a, const struct reading_point *p)
{
    struct slot *s = find(a->slots, a->n_slots, p->sensor_id);
    if (s->sensor_id != 0)
        return s;
    if ((a->n + 1) * 2 > a->n_slots) {
        if (!grow(a))
            return NULL;
        s = find(a->slots, a->n_slots, p->sensor_id);
    }
    *s = (struct slot){.sensor_id = p->sensor_id, .newest_ms = p->ts_ms};
    a->n++;
    return s;
}

void arrivals_note(struct arrivals *a, const struct reading_point *points,
                   const unsigned char *outcome, size_t n)
{
    struct slot *s = NULL;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < n; i++) {
        const struct reading_point *p = &points[i];
        if (s == NULL || s->sensor_id != p->sensor_id)
            s = open_slot(a, p);
        if (s == NULL)
            continue;
        s->counts.n++;
        s->counts.n_repeated += outcome[i] == READING_UNCHANGED;
        s->counts.n_changed += outcome[i] == READING_CHANGED;
        s->counts.n_late += outcome[i] == READING_NEW && p->ts_ms < s->newest_ms;
        if (p->ts_ms > s->newest_ms)
            s->newest_ms = p->ts_ms;
    }
    pthread_mutex_unlock(&a->lock);
}

/* Takes the next sensors with counts; returns how many. */
static size_t take(struct arrivals *a, int64_t now_ms, struct slot *out)
{
    size_t n = 0;
    pthread_mutex_lock(&a->lock);
    if (a->at == a->n_slots && now_ms >= a->next_flush_ms) {
        a->at = a->next_flush_ms == 0 ? a->n_slots : 0; /* the first minute only counts */
        a->next_flush_ms = now_ms + FLUSH_MS;
    }
    for (; a->at < a->n_slots && n < FLUSH_ROWS; a->at++) {
        struct slot *s = &a->slots[a->at];
        if (s->counts.n == 0)
            continue;
        out[n++] = *s;
        s->counts = (struct sensor_arrival){0};
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

enum ft_status arrivals_flush(struct arrivals *a, struct db *db, int64_t now_ms, struct ft_err *err)
{
    struct slot taken[FLUSH_ROWS];
    enum ft_status st = FT_OK;
    const size_t n = take(a, now_ms, taken);
    for (size_t i = 0; i < n && st == FT_OK; i++)
        st = sensor_arrival_add(db, taken[i].sensor_id, &taken[i].counts, err);
    return st;
}
