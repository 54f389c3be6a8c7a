#include "tests/test.h"

#include "app/base/rng.h"
#include "models/health.h"
#include "tests/golden/health.h"

enum { P = 5, K = 2, UNITS = 4, ROWS = 60, N = UNITS * ROWS };

struct fleet {
    double x[N * P], t[N];
    size_t regime[N], begin[UNITS + 1];
    bool failed[UNITS];
    struct health_rows rows;
};

static uint64_t state;

static double draw(void)
{
    state = (state * 1103515245 + 12345) % 2147483648U;
    return (double)state / 2147483648.0 - 0.5;
}

/* The fleet of tests/golden/health.py. */
static void make_fleet(struct fleet *f)
{
    state = 1;
    for (size_t u = 0; u < UNITS; u++) {
        f->begin[u] = u * ROWS;
        f->failed[u] = true;
        for (size_t i = 0; i < ROWS; i++) {
            const size_t row = u * ROWS + i;
            const double wear = pow((double)i / ROWS, 2) * 6;
            f->regime[row] = draw() > 0 ? 1 : 0;
            f->t[row] = (double)i;
            for (size_t j = 0; j < P; j++) {
                double noise = draw();
                noise += draw();
                noise += draw();
                const double r = (double)f->regime[row];
                const double part = (double)(j + 1);
                f->x[row * P + j] =
                    100 * r + part * (1 + r) + (j % 2 == 1 ? 1 : -1) * wear * part / P + noise;
            }
        }
    }
    f->begin[UNITS] = N;
    f->rows = (struct health_rows){.x = f->x,
                                   .regime = f->regime,
                                   .t = f->t,
                                   .begin = f->begin,
                                   .failed = f->failed,
                                   .n_units = UNITS,
                                   .n_sensors = P,
                                   .n_regimes = 2};
}

static struct health *fit(const struct fleet *f)
{
    struct health *h;
    struct ft_err err;
    assert_ok(health_fit(&f->rows, K, &h, &err), err);
    return h;
}

static void test_health_fit_golden(void **unused)
{
    static struct fleet f;
    struct health_work w = {0};
    struct health_point first;
    struct health_point last;
    make_fleet(&f);
    struct health *h = fit(&f);
    assert_true(h->has_levels);
    assert_true(health_score(h, f.x + (size_t)ROWS * P, f.regime[ROWS], &w, &first));
    assert_true(health_score(h, f.x + (size_t)(N - 1) * P, f.regime[N - 1], &w, &last));
    for (size_t k = 0; k < K; k++) {
        assert_close(h->start[k], golden_health_start[k], 1e-7);
        assert_close(h->level[k], golden_health_level[k], 1e-7);
        assert_close(h->scale[k], golden_health_scale[k], 1e-7);
        assert_close(first.channel[k], golden_health_first[k], 1e-7);
        assert_close(last.channel[k], golden_health_last[k], 1e-7);
    }
    health_free(h);
}

/* Whatever sensors are missing, the channel that carries the wear stays near. */
static void test_health_score_missing_sensors(void **unused)
{
    static struct fleet f;
    struct health_work w = {0};
    make_fleet(&f);
    struct health *h = fit(&f);
    for (size_t gone = 0; gone < P; gone++) {
        double whole[2] = {0};
        double part[2] = {0};
        for (size_t i = ROWS - 10; i < ROWS; i++) {
            struct health_point a;
            struct health_point b;
            double x[P];
            memcpy(x, f.x + i * P, sizeof(x));
            assert_true(health_score(h, x, f.regime[i], &w, &a));
            x[gone] = NAN;
            assert_true(health_score(h, x, f.regime[i], &w, &b));
            assert_int_equal(b.n_present, P - 1);
            assert_true(b.precision[0] <= a.precision[0] + 1e-9);
            whole[0] += a.channel[0] / 10;
            part[0] += b.channel[0] / 10;
        }
        const double way = h->level[0] - h->start[0];
        assert_true(fabs(whole[0] - part[0]) < 0.35 * way);
    }
    const double none[P] = {NAN, NAN, NAN, NAN, 1};
    struct health_point p;
    assert_false(health_score(h, none, 0, &w, &p));
    assert_false(health_score(h, f.x, HEALTH_NO_REGIME, &w, &p));
    assert_false(health_score(h, f.x, 2, &w, &p));
    health_free(h);
}

/* The wear is seen in both regimes on the same scale, and Q jumps at what wear cannot explain. */
static void test_health_score_regimes_and_q(void **unused)
{
    static struct fleet f;
    struct health_work w = {0};
    double sum[2] = {0};
    double n[2] = {0};
    double q = 0;
    make_fleet(&f);
    struct health *h = fit(&f);
    for (size_t i = 0; i < N; i++) {
        struct health_point p;
        assert_true(health_score(h, f.x + i * P, f.regime[i], &w, &p));
        q += p.q / N;
        if (f.t[i] < ROWS - 10)
            continue;
        sum[f.regime[i]] += p.channel[0];
        n[f.regime[i]]++;
    }
    const double way = h->level[0] - h->start[0];
    assert_true(fabs(sum[0] / n[0] - sum[1] / n[1]) < 0.25 * way);
    assert_true(q > 0.3 && q < 1.5);
    double x[P];
    struct health_point p;
    memcpy(x, f.x, sizeof(x));
    assert_true(health_score(h, x, f.regime[0], &w, &p));
    const double before = p.q;
    x[2] += 6;
    assert_true(health_score(h, x, f.regime[0], &w, &p));
    assert_true(p.q > before + 3);
    health_free(h);
}

static void test_health_fit_refuses(void **unused)
{
    static struct fleet f;
    struct health *h;
    struct ft_err err;
    make_fleet(&f);
    assert_int_equal(health_fit(&f.rows, 6, &h, &err), FT_TOO_FEW);
    assert_null(h);
    assert_int_equal(health_fit(&f.rows, 0, &h, &err), FT_INVALID);
    f.rows.n_units = 1;
    f.begin[1] = 4;
    assert_int_equal(health_fit(&f.rows, K, &h, &err), FT_TOO_FEW);
    assert_null(h);
    assert_ok(health_new(P, 2, K, &h, &err), err);
    assert_int_equal(health_prepare(h, &err), FT_INVALID); /* no spread yet */
    health_free(h);
    health_free(NULL);
}

/* Without a failed unit there are channels but no levels. */
static void test_health_fit_without_labels(void **unused)
{
    static struct fleet f;
    make_fleet(&f);
    for (size_t u = 0; u < UNITS; u++)
        f.failed[u] = false;
    for (size_t i = 7; i < N; i += 40)
        f.regime[i] = HEALTH_NO_REGIME;
    f.x[3 * P + 2] = NAN;
    struct health *h = fit(&f);
    assert_false(h->has_levels);
    health_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_fit_golden),
        cmocka_unit_test(test_health_score_missing_sensors),
        cmocka_unit_test(test_health_score_regimes_and_q),
        cmocka_unit_test(test_health_fit_refuses),
        cmocka_unit_test(test_health_fit_without_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
