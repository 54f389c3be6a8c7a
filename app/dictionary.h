/* Distinct texts numbered in the order they were first seen. */
#ifndef APP_DICTIONARY_H
#define APP_DICTIONARY_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define DICTIONARY_NONE ((size_t)-1)

struct dictionary; /* opaque; one thread at a time, or many that only look */

struct dictionary *dictionary_new(void);    /* NULL when memory is gone */
void dictionary_free(struct dictionary *d); /* NULL is fine */

/* Number of the text (len bytes), DICTIONARY_NONE when it is not there. */
size_t dictionary_find(const struct dictionary *d, const char *text, size_t len);
/* The same, adding it (copied) when it is new; DICTIONARY_NONE only when memory is gone. */
size_t dictionary_add(struct dictionary *d, const char *text, size_t len);

size_t dictionary_count(const struct dictionary *d);
const char *dictionary_text(const struct dictionary *d, size_t number);

#endif
