#include "models/order.h"

#include <stdlib.h>

struct key {
    double value;
    size_t i;
};

static int by_value_descending(const void *a, const void *b)
{
    const struct key *p = a;
    const struct key *q = b;
    if (p->value != q->value)
        return p->value > q->value ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

bool order_falling(const double *value, size_t n, size_t *order)
{
    struct key *keys = calloc(n, sizeof(*keys));
    if (keys == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct key){value[i], i};
    qsort(keys, n, sizeof(*keys), by_value_descending);
    for (size_t i = 0; i < n; i++)
        order[i] = keys[i].i;
    free(keys);
    return true;
}
