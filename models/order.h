/* Rows in the order of a value. */
#ifndef MODELS_ORDER_H
#define MODELS_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* order[n]: the row numbers by falling value, equal ones by rising number. False: no memory. No NaN
 * among the values. */
bool order_falling(const double *value, size_t n, size_t *order);

#endif
