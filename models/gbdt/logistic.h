/* Gradients of the logistic loss, four rows at once. exp() is our own, so that the bits depend
 * neither on the C library nor on what the processor has. */
#ifndef MODELS_GBDT_LOGISTIC_H
#define MODELS_GBDT_LOGISTIC_H

#include <stddef.h>

/* g[i] = w (p - y), h[i] = w max(p (1 - p), least) with p = 1 / (1 + exp(-score[i])) and w =
 * weight[i], 1 when weight is NULL; p is within 4e-16 of it, relatively, for scores within +-700,
 * and the same as at +-700 beyond. */
void logistic_gradients(const double *score, const double *y, const double *weight, size_t n,
                        double least, double *g, double *h);

#endif
