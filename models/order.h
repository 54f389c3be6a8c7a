/* Rows in the order of a value, in time proportional to their number: radix sorts, least byte
 * first.
 */
#ifndef MODELS_ORDER_H
#define MODELS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* order[n]: the row numbers by falling value, equal ones by rising number. False: no memory. No NaN
 * among the values. */
bool order_falling(const double *value, size_t n, size_t *order);

/* Brings n integers into rising order; scratch[n]. */
void order_integers(uint32_t *values, uint32_t *scratch, size_t n);

#endif
