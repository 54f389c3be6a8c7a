#include "models/order.h"

#include <stdlib.h>
#include <string.h>

enum { RADIX = 256, FEW = 48 };

/* A rising key for falling values; -0 equals 0. */
static uint64_t key_of(double value)
{
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof(bits));
    return bits >> 63 ? bits : ~bits & ~(UINT64_C(1) << 63);
}

/* Turns counts of digits into the place of each digit's first key. */
static void add_up(size_t *counts)
{
    size_t at = 0;
    for (size_t v = 0; v < RADIX; v++) {
        const size_t count = counts[v];
        counts[v] = at;
        at += count;
    }
}

struct keyed {
    uint64_t key;
    size_t i;
};

/* Returns the array that holds the result. Equal keys keep their order. */
static struct keyed *sort_keyed(struct keyed *keys, struct keyed *scratch, size_t n)
{
    size_t counts[8][RADIX] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < 8; d++)
            counts[d][keys[i].key >> (8 * d) & 255]++;
    for (size_t d = 0; d < 8; d++) {
        if (counts[d][keys[0].key >> (8 * d) & 255] == n)
            continue;
        add_up(counts[d]);
        for (size_t i = 0; i < n; i++)
            scratch[counts[d][keys[i].key >> (8 * d) & 255]++] = keys[i];
        struct keyed *const sorted = scratch;
        scratch = keys;
        keys = sorted;
    }
    return keys;
}

bool order_falling(const double *value, size_t n, size_t *order)
{
    struct keyed *keys = calloc(n, 2 * sizeof(*keys));
    if (keys == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct keyed){key_of(value[i]), i};
    const struct keyed *sorted = n > 0 ? sort_keyed(keys, keys + n, n) : keys;
    for (size_t i = 0; i < n; i++)
        order[i] = sorted[i].i;
    free(keys);
    return true;
}

static void insert_integers(uint32_t *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint32_t v = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > v; at--)
            values[at] = values[at - 1];
        values[at] = v;
    }
}

void order_integers(uint32_t *values, uint32_t *scratch, size_t n)
{
    if (n <= FEW) {
        insert_integers(values, n);
        return;
    }
    size_t counts[4][RADIX] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < 4; d++)
            counts[d][values[i] >> (8 * d) & 255]++;
    uint32_t *from = values, *to = scratch;
    for (size_t d = 0; d < 4; d++) {
        if (counts[d][from[0] >> (8 * d) & 255] == n)
            continue;
        add_up(counts[d]);
        for (size_t i = 0; i < n; i++)
            to[counts[d][from[i] >> (8 * d) & 255]++] = from[i];
        uint32_t *const done = to;
        to = from;
        from = done;
    }
    if (from != values)
        memcpy(values, from, n * sizeof(*values));
}
