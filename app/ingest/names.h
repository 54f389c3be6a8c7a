/* A set of byte strings, numbered in the order of their first appearance. */
#ifndef APP_INGEST_NAMES_H
#define APP_INGEST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names {
    size_t n;
    /* private */
    char *bytes; /* all strings one after the other, each ended by a NUL */
    size_t len, cap;
    size_t *starts; /* [n + 1] */
    size_t starts_cap;
    uint32_t *slots; /* [n_slots], power of two; 0 = free, else number + 1 */
    size_t n_slots;
};

void names_init(struct names *s); /* allocates nothing */
void names_free(struct names *s);

/* Number of the string, which is added when it is not there; false: no memory. */
bool names_intern(struct names *s, const char *p, size_t len, uint32_t *number);

/* String number i, NUL-terminated; valid until the next names_intern(). *len may be NULL. */
const char *names_get(const struct names *s, size_t i, size_t *len);

#endif
