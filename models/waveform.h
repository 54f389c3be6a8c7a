/* A block of raw vibration (or current, sound) reduced to what models and people use: RMS, peak,
 * crest factor, kurtosis, RMS in bands of its spectrum, and RMS in bands of its envelope's
 * spectrum, where the knocks of a damaged bearing show (envelope analysis: Randall & Antoni,
 * Rolling element bearing diagnostics, Mech. Syst. Signal Process. 25, 2011).
 *
 * Definitions, checked against SciPy in tests/golden/waveform.py:
 * - the mean is taken off first; RMS, peak and the rest are of what is left
 * - crest = peak / RMS; kurtosis = mean of 4th powers over square of variance (normal: 3)
 * - spectrum: Welch's mean of periodograms, Hann windows of the largest power of two of at most
 *   WAVEFORM_WINDOW and n points, half overlapping, one-sided density; a band's RMS is the root of
 *   the density summed over low <= f < high times the step of f
 * - envelope: the block is cut into pieces of the largest power of two of at most WAVEFORM_PIECE
 *   and n points, one after the other, the last one flush with the end; of each piece the spectrum
 *   outside the carrier band and below 0 is taken away, and the size of what comes back is the
 *   envelope; its spectrum is taken as above, each piece alone, and the pieces are averaged */
#ifndef MODELS_WAVEFORM_H
#define MODELS_WAVEFORM_H

#include "app/base/status.h"

#include <stddef.h>

enum {
    WAVEFORM_MAX_BANDS = 16,
    WAVEFORM_WINDOW = 4096,
    WAVEFORM_PIECE = 65536,
    WAVEFORM_MIN_N = 64 /* samples of a block */
};

struct waveform_band {
    double low_hz, high_hz; /* 0 <= low < high <= rate / 2 */
};

struct waveform_plan {
    double rate_hz; /* samples a second */
    struct waveform_band bands[WAVEFORM_MAX_BANDS];
    size_t n_bands;
    struct waveform_band carrier; /* the envelope is taken of this band */
    struct waveform_band envelope[WAVEFORM_MAX_BANDS];
    size_t n_envelope;
};

struct waveform_summary {
    size_t n;
    double mean, rms, peak; /* unit of the samples */
    double crest, kurtosis; /* NaN when the block does not move */
    double band_rms[WAVEFORM_MAX_BANDS];
    double envelope_rms[WAVEFORM_MAX_BANDS];
};

/* Bands that fit any machine, as parts of the rate; for when nobody names better ones. */
void waveform_plan_default(double rate_hz, struct waveform_plan *out);
/* FT_INVALID names the band that cannot be. */
enum ft_status waveform_plan_check(const struct waveform_plan *p, struct ft_err *err);

/* x[n]. FT_TOO_FEW below WAVEFORM_MIN_N samples; FT_INVALID: a sample is not finite, or the plan is
 * wrong; FT_NOMEM. Allocates O(WAVEFORM_PIECE). */
enum ft_status waveform_describe(const struct waveform_plan *p, const double *x, size_t n,
                                 struct waveform_summary *out, struct ft_err *err);

#endif
