/* Open addressing with linear probing, at most half full; the whole hash stands in the slot, so a
 * wrong key is hardly ever compared. Keys lie one after the other in blocks that never move. */
#include "app/ingest/series_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256, BLOCK_BYTES = 1 << 16 };

struct slot {
    uint64_t hash;
    int64_t id;      /* 0 = empty */
    const char *key; /* series, then field */
    uint32_t len, field_len;
};

struct block {
    struct block *next;
    size_t used, size;
    char bytes[];
};

struct series_map {
    struct slot *slots; /* [n_slots], a power of two */
    size_t n_slots, n, max_n;
    struct block *blocks;
    uint64_t seed;
};

enum ft_status series_map_new(size_t max_n, uint64_t seed, struct series_map **out,
                              struct ft_err *err)
{
    struct series_map *m = calloc(1, sizeof(*m));
    struct slot *slots = calloc(FIRST_SLOTS, sizeof(*slots));
    *out = NULL;
    if (m == NULL || slots == NULL) {
        free(m);
        free(slots);
        return ft_fail(err, FT_NOMEM, "no memory for a table of series");
    }
    m->slots = slots;
    m->n_slots = FIRST_SLOTS;
    m->max_n = max_n;
    m->seed = seed;
    *out = m;
    return FT_OK;
}

static void free_blocks(struct series_map *m)
{
    while (m->blocks != NULL) {
        struct block *next = m->blocks->next;
        free(m->blocks);
        m->blocks = next;
    }
}

void series_map_free(struct series_map *m)
{
    if (m == NULL)
        return;
    free_blocks(m);
    free(m->slots);
    free(m);
}

void series_map_clear(struct series_map *m)
{
    free_blocks(m);
    memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
    m->n = 0;
}

size_t series_map_count(const struct series_map *m)
{
    return m->n;
}

/* 64 x 64 -> 128 bits, folded. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t word_at(const char *p, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, p, n);
    return w;
}

static uint64_t hash_bytes(uint64_t h, const char *p, size_t len)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    size_t n = len;
    for (; n >= 8; n -= 8, p += 8)
        h = mix(h ^ word_at(p, 8), k);
    if (n > 0)
        h = mix(h ^ word_at(p, n), k);
    return mix(h ^ len, UINT64_C(0xd6e8feb86659fd93));
}

uint64_t series_map_hash(const struct series_map *m, const char *series, size_t len)
{
    return hash_bytes(m->seed | 1, series, len);
}

static bool is_key(const struct slot *s, const char *series, size_t len, const char *field,
                   size_t field_len)
{
    return s->len == len && s->field_len == field_len && memcmp(s->key, series, len) == 0 &&
           memcmp(s->key + len, field, field_len) == 0;
}

int64_t series_map_find(const struct series_map *m, uint64_t hash, const char *series, size_t len,
                        const char *field, size_t field_len)
{
    const uint64_t h = hash_bytes(hash, field, field_len);
    for (size_t i = h & (m->n_slots - 1); m->slots[i].id != 0; i = (i + 1) & (m->n_slots - 1))
        if (m->slots[i].hash == h && is_key(&m->slots[i], series, len, field, field_len))
            return m->slots[i].id;
    return 0;
}

static void place(struct slot *slots, size_t n_slots, const struct slot *s)
{
    size_t i = s->hash & (n_slots - 1);
    while (slots[i].id != 0)
        i = (i + 1) & (n_slots - 1);
    slots[i] = *s;
}

static enum ft_status grow(struct series_map *m, struct ft_err *err)
{
    const size_t n_slots = m->n_slots * 2;
    struct slot *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu series", m->n + 1);
    for (size_t i = 0; i < m->n_slots; i++)
        if (m->slots[i].id != 0)
            place(slots, n_slots, &m->slots[i]);
    free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    return FT_OK;
}

static char *take_bytes(struct series_map *m, size_t n)
{
    if (m->blocks == NULL || m->blocks->size - m->blocks->used < n) {
        const size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        struct block *b = malloc(sizeof(*b) + size);
        if (b == NULL)
            return NULL;
        *b = (struct block){.next = m->blocks, .size = size};
        m->blocks = b;
    }
    char *p = m->blocks->bytes + m->blocks->used;
    m->blocks->used += n;
    return p;
}

enum ft_status series_map_add(struct series_map *m, uint64_t hash, const char *series, size_t len,
                              const char *field, size_t field_len, int64_t id, struct ft_err *err)
{
    if (m->n >= m->max_n)
        series_map_clear(m);
    if ((m->n + 1) * 2 > m->n_slots) {
        const enum ft_status st = grow(m, err);
        if (st != FT_OK)
            return st;
    }
    char *key = take_bytes(m, len + field_len + 1);
    if (key == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the name of a series");
    memcpy(key, series, len);
    memcpy(key + len, field, field_len);
    const struct slot s = {.hash = hash_bytes(hash, field, field_len),
                           .id = id,
                           .key = key,
                           .len = (uint32_t)len,
                           .field_len = (uint32_t)field_len};
    place(m->slots, m->n_slots, &s);
    m->n++;
    return FT_OK;
}
