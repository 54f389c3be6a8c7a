/* Open addressing with linear steps, at most half full; the hash is FNV-1a. */
#include "app/dictionary.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct dictionary {
    char **texts; /* [n], owned */
    size_t n, cap;
    uint32_t *slots; /* [n_slots] number + 1, 0 = empty; n_slots is a power of two */
    size_t n_slots;
};

static uint64_t hash(const char *text, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

struct dictionary *dictionary_new(void)
{
    struct dictionary *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->n_slots = 64;
    d->slots = calloc(d->n_slots, sizeof(*d->slots));
    if (d->slots == NULL) {
        free(d);
        return NULL;
    }
    return d;
}

void dictionary_free(struct dictionary *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++)
        free(d->texts[i]);
    free(d->texts);
    free(d->slots);
    free(d);
}

/* Slot that holds the text, or the empty one where it belongs. */
static size_t slot_of(const struct dictionary *d, const char *text, size_t len)
{
    size_t s = hash(text, len) & (d->n_slots - 1);
    while (d->slots[s] != 0) {
        const char *have = d->texts[d->slots[s] - 1];
        if (strncmp(have, text, len) == 0 && have[len] == '\0')
            break;
        s = (s + 1) & (d->n_slots - 1);
    }
    return s;
}

size_t dictionary_find(const struct dictionary *d, const char *text, size_t len)
{
    const size_t s = slot_of(d, text, len);
    return d->slots[s] != 0 ? d->slots[s] - 1 : DICTIONARY_NONE;
}

static bool make_room(struct dictionary *d)
{
    if (d->n == d->cap) {
        const size_t cap = 2 * d->cap + 16;
        char **texts = reallocarray(d->texts, cap, sizeof(*texts));
        if (texts == NULL)
            return false;
        d->texts = texts;
        d->cap = cap;
    }
    if (2 * (d->n + 1) <= d->n_slots)
        return true;
    uint32_t *slots = calloc(2 * d->n_slots, sizeof(*slots));
    if (slots == NULL)
        return false;
    free(d->slots);
    d->slots = slots;
    d->n_slots *= 2;
    for (size_t i = 0; i < d->n; i++)
        d->slots[slot_of(d, d->texts[i], strlen(d->texts[i]))] = (uint32_t)i + 1;
    return true;
}

size_t dictionary_add(struct dictionary *d, const char *text, size_t len)
{
    const size_t found = dictionary_find(d, text, len);
    if (found != DICTIONARY_NONE)
        return found;
    if (d->n == UINT32_MAX - 1 || !make_room(d))
        return DICTIONARY_NONE;
    char *copy = strndup(text, len);
    if (copy == NULL)
        return DICTIONARY_NONE;
    d->slots[slot_of(d, copy, strlen(copy))] = (uint32_t)d->n + 1;
    d->texts[d->n] = copy;
    return d->n++;
}

size_t dictionary_count(const struct dictionary *d)
{
    return d->n;
}

const char *dictionary_text(const struct dictionary *d, size_t number)
{
    return d->texts[number];
}
