/* Large arrays on huge pages. Where rows are read in any order, most of the time of a read from an
 * array of small pages can go into finding the page, in a virtual machine twice over. */
#ifndef APP_BASE_BIG_ARRAY_H
#define APP_BASE_BIG_ARRAY_H

#include <stddef.h>

/* Memory for n elements of size bytes, aligned to 64, contents undefined; end it with free(). From
 * 4 MiB on it lies on huge pages, if the system gives any to those who ask. NULL: no memory, or the
 * product is too large. */
void *big_array(size_t n, size_t size);

#endif
