#include "tests/test.h"

#include "models/fft.h"
#include "models/waveform.h"
#include "tests/golden/waveform.h"

#include <math.h>
#include <stdlib.h>

#define RATE 12800.0

/* The same numbers as tests/golden/waveform.py makes. */
static int64_t state_of_noise;

static double noise(void)
{
    double total = 0;
    for (int i = 0; i < 4; i++) {
        state_of_noise = (state_of_noise * 1103515245 + 12345) % INT64_C(2147483648);
        total += (double)state_of_noise / 2147483648.0 - 0.5;
    }
    return total;
}

static double *bearing(size_t n)
{
    double *x = calloc(n, sizeof(*x));
    state_of_noise = 12345;
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i / RATE;
        const double since = fmod(t, 1.0 / 97);
        x[i] = 1.5 + 0.8 * sin(2 * M_PI * 25 * t) + 0.3 * noise() +
               2.0 * exp(-since * 900) * sin(2 * M_PI * 3200 * since);
    }
    return x;
}

static const struct waveform_plan plan = {
    .rate_hz = RATE,
    .bands = {{10, 200}, {200, 1000}, {1000, 3000}, {3000, 6400}},
    .n_bands = 4,
    .carrier = {2000, 5000},
    .envelope = {{20, 80}, {80, 120}, {120, 500}},
    .n_envelope = 3};

static void expect(size_t n, const double *size, const double *bands, const double *envelope)
{
    struct waveform_summary s;
    struct ft_err err;
    double *x = bearing(n);
    assert_ok(waveform_describe(&plan, x, n, &s, &err), err);
    const double got[] = {s.mean, s.rms, s.peak, s.crest, s.kurtosis};
    for (int i = 0; i < 5; i++)
        assert_rel(got[i], size[i], 1e-10);
    for (int i = 0; i < 4; i++)
        assert_rel(s.band_rms[i], bands[i], 1e-9);
    for (int i = 0; i < 3; i++)
        assert_rel(s.envelope_rms[i], envelope[i], 1e-8);
    free(x);
}

static void test_waveform_describe_golden(void **state)
{
    expect(10000, waveform_size_10000, waveform_bands_10000, waveform_envelope_10000);
    expect(150000, waveform_size_150000, waveform_bands_150000, waveform_envelope_150000);
}

/* A sine's RMS is its height over root two, all of it in its band; its envelope does not move. */
static void test_waveform_describe_sine(void **state)
{
    enum { N = 8192 };
    struct waveform_summary s;
    struct ft_err err;
    double *x = calloc(N, sizeof(*x));
    for (int i = 0; i < N; i++)
        x[i] = 5 + 3 * sin(2 * M_PI * 3000 * i / RATE);
    assert_ok(waveform_describe(&plan, x, N, &s, &err), err);
    assert_close(s.mean, 5, 1e-9);
    assert_close(s.rms, 3 / sqrt(2), 1e-9);
    assert_close(s.crest, sqrt(2), 1e-3);
    assert_close(s.kurtosis, 1.5, 1e-9);
    assert_close(hypot(s.band_rms[2], s.band_rms[3]), s.rms, 1e-6); /* 3,000 Hz is a limit */
    assert_true(s.band_rms[0] < 1e-6);
    assert_true(s.envelope_rms[0] + s.envelope_rms[1] + s.envelope_rms[2] < 1e-6);
    free(x);
}

static void test_waveform_describe_refuses(void **state)
{
    struct waveform_summary s;
    struct ft_err err;
    double x[WAVEFORM_MIN_N] = {0};
    struct waveform_plan p = plan;
    assert_int_equal(waveform_describe(&p, x, WAVEFORM_MIN_N - 1, &s, &err), FT_TOO_FEW);
    assert_ok(waveform_describe(&p, x, WAVEFORM_MIN_N, &s, &err), err);
    assert_true(isnan(s.crest) && isnan(s.kurtosis) && s.rms == 0);
    x[3] = NAN;
    assert_int_equal(waveform_describe(&p, x, WAVEFORM_MIN_N, &s, &err), FT_INVALID);
    p.bands[1].high_hz = 7000;
    assert_int_equal(waveform_plan_check(&p, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "200-7000"));
    p = (struct waveform_plan){.rate_hz = NAN};
    assert_int_equal(waveform_plan_check(&p, &err), FT_INVALID);
    waveform_plan_default(20480, &p);
    assert_ok(waveform_plan_check(&p, &err), err);
}

static void test_fft_golden_and_inverse(void **state)
{
    struct fft *f;
    struct ft_err err;
    double re[16];
    double im[16];
    state_of_noise = 12345;
    for (int i = 0; i < 16; i++)
        re[i] = noise();
    state_of_noise = 12345;
    for (int i = 0; i < 32; i++)
        im[i % 16] = noise();
    double x[16];
    double y[16];
    memcpy(x, re, sizeof(x));
    memcpy(y, im, sizeof(y));
    assert_ok(fft_new(16, &f, &err), err);
    fft_forward(f, re, im);
    for (int i = 0; i < 16; i++) {
        assert_close(re[i], fft_re_16[i], 1e-13);
        assert_close(im[i], fft_im_16[i], 1e-13);
    }
    fft_inverse(f, re, im);
    for (int i = 0; i < 16; i++) {
        assert_close(re[i], x[i], 1e-14);
        assert_close(im[i], y[i], 1e-14);
    }
    fft_free(f);
    assert_int_equal(fft_new(12, &f, &err), FT_INVALID);
    assert_int_equal(fft_new(1, &f, &err), FT_INVALID);
    fft_free(NULL);
}

/* Parseval: the energy of the spectrum is n times that of the signal, for every size. */
static void test_fft_keeps_energy(void **state)
{
    struct ft_err err;
    state_of_noise = 7;
    for (size_t n = 2; n <= 1 << 15; n *= 2) {
        struct fft *f;
        double *re = calloc(n, sizeof(*re));
        double *im = calloc(n, sizeof(*im));
        double before = 0;
        double after = 0;
        for (size_t i = 0; i < n; i++) {
            re[i] = noise();
            before += re[i] * re[i];
        }
        assert_ok(fft_new(n, &f, &err), err);
        fft_forward(f, re, im);
        for (size_t i = 0; i < n; i++)
            after += re[i] * re[i] + im[i] * im[i];
        assert_rel(after / (double)n, before, 1e-12);
        fft_free(f);
        free(re);
        free(im);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waveform_describe_golden),
        cmocka_unit_test(test_waveform_describe_sine),
        cmocka_unit_test(test_waveform_describe_refuses),
        cmocka_unit_test(test_fft_golden_and_inverse),
        cmocka_unit_test(test_fft_keeps_energy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
