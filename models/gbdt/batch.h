/* A forest made ready for scoring many rows: a block of rows is turned into codes once, by the
 * thresholds the forest has for each column, and then goes through all trees, many rows at a time.
 * The answers have the bits of the plain walk: the same leaves, added in the same order. */
#ifndef MODELS_GBDT_BATCH_H
#define MODELS_GBDT_BATCH_H

#include "models/gbdt/forest.h"
#include "models/matrix.h"

#include <stdbool.h>

struct batch; /* opaque; never changes once made */

/* NULL when memory is gone, or when a column has more than 255 thresholds or a forest more than
 * 32,767 columns in use: then the plain walk serves. Allocates about 45 bytes per node and 3 KiB
 * per column in use. */
struct batch *batch_new(const struct gbdt *g);

/* Adds the leaves of every tree to out[x->n_rows]. false: no memory for a block of codes, nothing
 * was added. */
bool batch_add(const struct batch *b, const struct matrix *x, double *out);

void batch_free(struct batch *b); /* NULL is fine */

#endif
