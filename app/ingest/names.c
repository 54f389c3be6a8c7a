#include "app/ingest/names.h"

#include <stdlib.h>
#include <string.h>

void names_init(struct names *s)
{
    *s = (struct names){0};
}

void names_free(struct names *s)
{
    free(s->bytes);
    free(s->starts);
    free(s->slots);
    names_init(s);
}

/* FNV-1a, folded so that the low bits depend on all of it. */
static uint64_t hash(const char *p, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 32);
}

const char *names_get(const struct names *s, size_t i, size_t *len)
{
    if (len != NULL)
        *len = s->starts[i + 1] - s->starts[i] - 1;
    return s->bytes + s->starts[i];
}

/* The slot that holds the string, or the free one where it belongs. */
static size_t find_slot(const struct names *s, const char *p, size_t len)
{
    size_t at = hash(p, len) & (s->n_slots - 1);
    for (; s->slots[at] != 0; at = (at + 1) & (s->n_slots - 1)) {
        size_t have = 0;
        const char *name = names_get(s, s->slots[at] - 1, &have);
        if (have == len && memcmp(name, p, len) == 0)
            break;
    }
    return at;
}

static bool grow_slots(struct names *s)
{
    const size_t n_slots = s->n_slots == 0 ? 64 : s->n_slots * 2;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return false;
    free(s->slots);
    s->slots = slots;
    s->n_slots = n_slots;
    for (size_t i = 0; i < s->n; i++) {
        size_t len = 0;
        const char *name = names_get(s, i, &len);
        slots[find_slot(s, name, len)] = (uint32_t)i + 1;
    }
    return true;
}

static bool reserve(struct names *s, size_t len)
{
    if (s->n + 2 > s->starts_cap) {
        const size_t cap = s->starts_cap == 0 ? 64 : s->starts_cap * 2;
        size_t *starts = realloc(s->starts, cap * sizeof(*starts));
        if (starts == NULL)
            return false;
        s->starts = starts;
        s->starts_cap = cap;
        s->starts[s->n] = s->len;
    }
    if (s->len + len + 1 > s->cap) {
        const size_t cap = (s->cap == 0 ? 1024 : s->cap * 2) + len;
        char *bytes = realloc(s->bytes, cap);
        if (bytes == NULL)
            return false;
        s->bytes = bytes;
        s->cap = cap;
    }
    return s->n * 2 < s->n_slots || grow_slots(s);
}

bool names_intern(struct names *s, const char *p, size_t len, uint32_t *number)
{
    if (!reserve(s, len) || s->n >= UINT32_MAX - 1)
        return false;
    const size_t at = find_slot(s, p, len);
    if (s->slots[at] == 0) {
        if (len > 0)
            memcpy(s->bytes + s->len, p, len);
        s->bytes[s->len + len] = '\0';
        s->len += len + 1;
        s->starts[++s->n] = s->len;
        s->slots[at] = (uint32_t)s->n;
    }
    *number = s->slots[at] - 1;
    return true;
}
