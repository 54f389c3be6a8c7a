/* Discrete Fourier transform of a power of two many points: sum of x[k] exp(-2 pi i j k / n).
 * Our own radix-2 in double precision: every block of a waveform is cut to a power of two anyway,
 * the result is the same bits with gcc and clang, and it needs no library (Debian's kissfft works
 * in float by default, FFTW is under the GPL). Cooley & Tukey 1965. */
#ifndef MODELS_FFT_H
#define MODELS_FFT_H

#include "app/base/status.h"

#include <stddef.h>

struct fft; /* tables for one n; never changes, so any thread may use it */

/* n is a power of two, 2..2^24; else FT_INVALID. FT_NOMEM. Allocates O(n). */
enum ft_status fft_new(size_t n, struct fft **out, struct ft_err *err);
void fft_free(struct fft *f); /* NULL is fine */

/* In place: re[n], im[n]. */
void fft_forward(const struct fft *f, double *re, double *im);
/* Its inverse, divided by n. */
void fft_inverse(const struct fft *f, double *re, double *im);

#endif
