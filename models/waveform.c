#include "models/waveform.h"

#include "models/fft.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void waveform_plan_default(double rate_hz, struct waveform_plan *out)
{
    static const double edges[] = {0.002, 0.01, 0.04, 0.1, 0.25, 0.5};
    static const double slow[] = {0.0005, 0.002, 0.008, 0.03};
    *out = (struct waveform_plan){.rate_hz = rate_hz, .n_bands = 5, .n_envelope = 3};
    for (size_t i = 0; i < 5; i++)
        out->bands[i] = (struct waveform_band){edges[i] * rate_hz, edges[i + 1] * rate_hz};
    for (size_t i = 0; i < 3; i++)
        out->envelope[i] = (struct waveform_band){slow[i] * rate_hz, slow[i + 1] * rate_hz};
    out->carrier = (struct waveform_band){0.1 * rate_hz, 0.4 * rate_hz};
}

static enum ft_status check_band(const char *what, const struct waveform_band *b, double rate_hz,
                                 struct ft_err *err)
{
    if (b->low_hz >= 0 && b->low_hz < b->high_hz && b->high_hz <= rate_hz / 2)
        return FT_OK;
    return ft_fail(err, FT_INVALID, "%s %g-%g Hz: expected 0 <= low < high <= half the rate, %g",
                   what, b->low_hz, b->high_hz, rate_hz / 2);
}

enum ft_status waveform_plan_check(const struct waveform_plan *p, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (!(p->rate_hz > 0) || !isfinite(p->rate_hz))
        return ft_fail(err, FT_INVALID, "rate: expected samples a second, above 0");
    if (p->n_bands > WAVEFORM_MAX_BANDS || p->n_envelope > WAVEFORM_MAX_BANDS)
        return ft_fail(err, FT_INVALID, "more than %d bands", WAVEFORM_MAX_BANDS);
    for (size_t i = 0; i < p->n_bands && st == FT_OK; i++)
        st = check_band("band", &p->bands[i], p->rate_hz, err);
    for (size_t i = 0; i < p->n_envelope && st == FT_OK; i++)
        st = check_band("envelope band", &p->envelope[i], p->rate_hz, err);
    if (st == FT_OK && p->n_envelope > 0)
        st = check_band("carrier", &p->carrier, p->rate_hz, err);
    return st;
}

static size_t power_of_two(size_t n, size_t most)
{
    size_t p = 1;
    while (p * 2 <= n && p * 2 <= most)
        p *= 2;
    return p;
}

/* --- spectrum by Welch ------------------------------------------------------------------------ */

struct welch {
    size_t n; /* points of a window */
    struct fft *fft;
    double *window, *re, *im; /* [n] */
    double *density;          /* [n / 2 + 1] sum over windows */
    size_t n_windows;
};

static void welch_clear(struct welch *w)
{
    fft_free(w->fft);
    free(w->window);
    free(w->re);
    free(w->im);
    free(w->density);
}

static enum ft_status welch_init(struct welch *w, size_t n_samples, struct ft_err *err)
{
    *w = (struct welch){.n = power_of_two(n_samples, WAVEFORM_WINDOW)};
    enum ft_status st = fft_new(w->n, &w->fft, err);
    if (st != FT_OK)
        return st;
    w->window = calloc(w->n, sizeof(double));
    w->re = calloc(w->n, sizeof(double));
    w->im = calloc(w->n, sizeof(double));
    w->density = calloc(w->n / 2 + 1, sizeof(double));
    if (w->window == NULL || w->re == NULL || w->im == NULL || w->density == NULL)
        return ft_fail(err, FT_NOMEM, "waveform: no memory for a window of %zu", w->n);
    for (size_t i = 0; i < w->n; i++) /* periodic Hann */
        w->window[i] = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)w->n);
    return FT_OK;
}

/* Adds the half overlapping windows of x[n] less its mean. */
static void welch_add(struct welch *w, const double *x, size_t n, double mean)
{
    for (size_t begin = 0; begin + w->n <= n; begin += w->n / 2) {
        for (size_t i = 0; i < w->n; i++) {
            w->re[i] = (x[begin + i] - mean) * w->window[i];
            w->im[i] = 0;
        }
        fft_forward(w->fft, w->re, w->im);
        for (size_t k = 0; k <= w->n / 2; k++)
            w->density[k] += w->re[k] * w->re[k] + w->im[k] * w->im[k];
        w->n_windows++;
    }
}

static double welch_band(const struct welch *w, double rate_hz, const struct waveform_band *b)
{
    const double step_hz = rate_hz / (double)w->n;
    double power = 0; /* of the window */
    double sum = 0;
    for (size_t i = 0; i < w->n; i++)
        power += w->window[i] * w->window[i];
    for (size_t k = 0; k <= w->n / 2; k++) {
        const double f = (double)k * step_hz;
        const bool is_single = k == 0 || k == w->n / 2;
        if (f >= b->low_hz && f < b->high_hz)
            sum += (is_single ? 1 : 2) * w->density[k];
    }
    return sqrt(sum / (rate_hz * power * (double)w->n_windows) * step_hz);
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static enum ft_status describe_bands(const struct waveform_plan *p, const double *x, size_t n,
                                     struct waveform_summary *out, struct ft_err *err)
{
    struct welch w;
    const enum ft_status st = welch_init(&w, n, err);
    if (st == FT_OK)
        welch_add(&w, x, n, out->mean);
    for (size_t i = 0; i < p->n_bands && st == FT_OK; i++)
        out->band_rms[i] = welch_band(&w, p->rate_hz, &p->bands[i]);
    welch_clear(&w);
    return st;
}

/* --- envelope --------------------------------------------------------------------------------- */

/* x[n] in re becomes its envelope in the carrier band. */
static void take_envelope(const struct fft *f, const struct waveform_plan *p, size_t n, double *re,
                          double *im)
{
    const double step_hz = p->rate_hz / (double)n;
    memset(im, 0, n * sizeof(*im));
    fft_forward(f, re, im);
    for (size_t k = 0; k < n; k++) {
        const double f_hz = (double)k * step_hz;
        const bool is_kept = k <= n / 2 && f_hz >= p->carrier.low_hz && f_hz < p->carrier.high_hz;
        const double factor = !is_kept ? 0 : k == 0 || k == n / 2 ? 1 : 2;
        re[k] *= factor;
        im[k] *= factor;
    }
    fft_inverse(f, re, im);
    for (size_t i = 0; i < n; i++)
        re[i] = sqrt(re[i] * re[i] + im[i] * im[i]);
}

static enum ft_status describe_envelope(const struct waveform_plan *p, const double *x, size_t n,
                                        struct waveform_summary *out, struct ft_err *err)
{
    const size_t piece = power_of_two(n, WAVEFORM_PIECE);
    struct fft *f = NULL;
    struct welch w;
    double *re = calloc(piece, sizeof(*re));
    double *im = calloc(piece, sizeof(*im));
    enum ft_status st = welch_init(&w, piece, err);
    if (st == FT_OK)
        st = fft_new(piece, &f, err);
    if (st == FT_OK && (re == NULL || im == NULL))
        st = ft_fail(err, FT_NOMEM, "waveform: no memory for pieces of %zu", piece);
    for (size_t begin = 0; begin < n && st == FT_OK; begin += piece) {
        const size_t from = begin + piece <= n ? begin : n - piece;
        for (size_t i = 0; i < piece; i++)
            re[i] = x[from + i] - out->mean;
        take_envelope(f, p, piece, re, im);
        welch_add(&w, re, piece, mean_of(re, piece));
    }
    for (size_t i = 0; i < p->n_envelope && st == FT_OK; i++)
        out->envelope_rms[i] = welch_band(&w, p->rate_hz, &p->envelope[i]);
    welch_clear(&w);
    fft_free(f);
    free(re);
    free(im);
    return st;
}

/* --- all -------------------------------------------------------------------------------------- */

static void describe_size(const double *x, size_t n, struct waveform_summary *out)
{
    double second = 0;
    double fourth = 0;
    out->mean = mean_of(x, n);
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - out->mean;
        second += d * d;
        fourth += d * d * d * d;
        out->peak = fmax(out->peak, fabs(d));
    }
    const double variance = second / (double)n;
    out->rms = sqrt(variance);
    out->crest = variance > 0 ? out->peak / out->rms : NAN;
    out->kurtosis = variance > 0 ? fourth / (double)n / (variance * variance) : NAN;
}

enum ft_status waveform_describe(const struct waveform_plan *p, const double *x, size_t n,
                                 struct waveform_summary *out, struct ft_err *err)
{
    *out = (struct waveform_summary){.n = n};
    enum ft_status st = waveform_plan_check(p, err);
    if (st != FT_OK)
        return st;
    if (n < WAVEFORM_MIN_N)
        return ft_fail(err, FT_TOO_FEW, "a waveform of %zu samples, at least %d are needed", n,
                       WAVEFORM_MIN_N);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return ft_fail(err, FT_INVALID, "sample %zu is not a finite number", i + 1);
    describe_size(x, n, out);
    if (p->n_bands > 0)
        st = describe_bands(p, x, n, out, err);
    if (st == FT_OK && p->n_envelope > 0)
        st = describe_envelope(p, x, n, out, err);
    return st;
}
