/* Columns of categories: a value is the number of a category, a whole number of 0 to 254; anything
 * else is missing. A split sends a set of categories to the left. */
#ifndef MODELS_GBDT_CATEGORY_H
#define MODELS_GBDT_CATEGORY_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_CATEGORIES = 255, CATEGORY_MISSING = 255 };

/* Codes 0..255; the last stands for missing values and for categories that training did not see. */
struct code_set {
    uint64_t word[4];
};

static inline bool code_set_has(const struct code_set *s, unsigned code)
{
    return s->word[code >> 6] >> (code & 63) & 1;
}

static inline void code_set_add(struct code_set *s, unsigned code)
{
    s->word[code >> 6] |= UINT64_C(1) << (code & 63);
}

static inline unsigned category_code(double value)
{
    if (!(value >= 0 && value < MAX_CATEGORIES))
        return CATEGORY_MISSING;
    const unsigned code = (unsigned)value;
    return value == (double)code ? code : CATEGORY_MISSING;
}

#endif
