#include "models/fft.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { MAX_LOG2 = 24 };

struct fft {
    size_t n;
    double *cosine, *sine; /* [n / 2] of 2 pi k / n, owned */
    uint32_t *turned;      /* [n] bits of the index in reverse, owned */
};

enum ft_status fft_new(size_t n, struct fft **out, struct ft_err *err)
{
    *out = NULL;
    if (n < 2 || n > (size_t)1 << MAX_LOG2 || (n & (n - 1)) != 0)
        return ft_fail(err, FT_INVALID, "fft: %zu points, expected a power of two from 2 to 2^%d",
                       n, MAX_LOG2);
    struct fft *f = calloc(1, sizeof(*f));
    if (f != NULL) {
        f->n = n;
        f->cosine = calloc(n / 2, sizeof(*f->cosine));
        f->sine = calloc(n / 2, sizeof(*f->sine));
        f->turned = calloc(n, sizeof(*f->turned));
    }
    if (f == NULL || f->cosine == NULL || f->sine == NULL || f->turned == NULL) {
        fft_free(f);
        return ft_fail(err, FT_NOMEM, "fft: no memory for %zu points", n);
    }
    for (size_t k = 0; k < n / 2; k++) {
        f->cosine[k] = cos(2 * M_PI * (double)k / (double)n);
        f->sine[k] = sin(2 * M_PI * (double)k / (double)n);
    }
    for (size_t i = 1; i < n; i++)
        f->turned[i] = (f->turned[i >> 1] >> 1) | (i % 2 == 1 ? (uint32_t)(n / 2) : 0);
    *out = f;
    return FT_OK;
}

void fft_free(struct fft *f)
{
    if (f == NULL)
        return;
    free(f->cosine);
    free(f->sine);
    free(f->turned);
    free(f);
}

/* One level: halves of length half become wholes. */
static void combine(const struct fft *f, size_t half, double *re, double *im)
{
    const size_t step = f->n / (2 * half);
    for (size_t begin = 0; begin < f->n; begin += 2 * half) {
        for (size_t k = 0; k < half; k++) {
            const size_t a = begin + k;
            const size_t b = a + half;
            const double c = f->cosine[k * step];
            const double s = f->sine[k * step];
            const double re_b = re[b] * c + im[b] * s;
            const double im_b = im[b] * c - re[b] * s;
            re[b] = re[a] - re_b;
            im[b] = im[a] - im_b;
            re[a] += re_b;
            im[a] += im_b;
        }
    }
}

void fft_forward(const struct fft *f, double *re, double *im)
{
    for (size_t i = 0; i < f->n; i++) {
        const size_t j = f->turned[i];
        if (j <= i)
            continue;
        const double r = re[i];
        const double m = im[i];
        re[i] = re[j];
        im[i] = im[j];
        re[j] = r;
        im[j] = m;
    }
    for (size_t half = 1; half < f->n; half *= 2)
        combine(f, half, re, im);
}

void fft_inverse(const struct fft *f, double *re, double *im)
{
    fft_forward(f, im, re); /* exchanging the parts turns the direction round */
    for (size_t i = 0; i < f->n; i++) {
        re[i] /= (double)f->n;
        im[i] /= (double)f->n;
    }
}
