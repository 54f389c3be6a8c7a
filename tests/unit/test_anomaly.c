#include "tests/test.h"

#include "app/base/rng.h"
#include "models/anomaly.h"
#include "tests/golden/anomaly.h"

enum { UNITS = 8, TICKS = 160, P = 4, N = UNITS * TICKS, SICK = 3, BAD = 2, ONSET = 90, FIT = 60 };

struct plant {
    double x[N * P];
    bool renewed[N];
    struct anomaly_input in;
};

static double *value(struct plant *p, size_t unit, size_t tick, size_t sensor)
{
    return &p->x[(unit * TICKS + tick) * P + sensor];
}

/* Noise, a level of each unit, a season that all share, and one sensor of one unit that drifts from
 * ONSET on. */
static void make(struct plant *p, bool drifts)
{
    memset(p->renewed, 0, sizeof(p->renewed));
    for (size_t u = 0; u < UNITS; u++)
        for (size_t t = 0; t < TICKS; t++)
            for (size_t j = 0; j < P; j++) {
                double *v = value(p, u, t, j);
                *v = 0.3 * rng_normal(1, u * P + j, t) + rng_normal(2, u, j);
                *v += j == 1 ? 8 * sin((double)t / 50) : 0;
                if (drifts && u == SICK && j == BAD && t >= ONSET)
                    *v += 0.2 * (double)(t - ONSET);
            }
    p->in = (struct anomaly_input){.x = p->x,
                                   .renewed = p->renewed,
                                   .n_units = UNITS,
                                   .n_ticks = TICKS,
                                   .n_sensors = P,
                                   .n_fit = FIT,
                                   .share_ticks = true,
                                   .false_per_tick = 1 / 365.25};
}

static struct anomaly *find(const struct plant *p)
{
    struct ft_err err = {0};
    struct anomaly *a;
    assert_ok(anomaly_find(&p->in, &a, &err), err);
    return a;
}

static const struct anomaly_point *point(const struct anomaly *a, size_t unit, size_t tick)
{
    return &a->points[unit * a->n_ticks + tick];
}

static size_t count_starts(const struct anomaly *a, size_t unit)
{
    size_t n = 0;
    for (size_t t = 0; t < a->n_ticks; t++)
        n += point(a, unit, t)->is_start ? 1 : 0;
    return n;
}

static void test_anomaly_line_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(golden_lines) / sizeof(golden_lines[0]); i++) {
        const double *g = golden_lines[i];
        const double line = anomaly_line(g[0], g[1], g[2]);
        assert_true(fabs(line - g[3]) < 1e-6 * g[3]);
    }
    assert_true(isnan(anomaly_line(0, 1, 0.1)));
    assert_true(isnan(anomaly_line(1, 1, 0.1)));
    assert_true(isnan(anomaly_line(1, 2, 0)));
}

static void test_anomaly_find_drift(void **state)
{
    static struct plant p;
    (void)state;
    make(&p, true);
    struct anomaly *a = find(&p);
    for (size_t u = 0; u < UNITS; u++)
        assert_int_equal(count_starts(a, u), u == SICK);
    const struct anomaly_point *last = point(a, SICK, TICKS - 1);
    assert_true(last->is_alarm);
    assert_int_equal(last->lead, BAD);
    assert_true(last->health < 85);
    assert_true(point(a, 0, TICKS - 1)->health > 85);
    assert_false(point(a, SICK, ONSET - 1)->is_alarm);
    /* 0.2 a tick over 70 ticks, less what the smoothing lags. */
    const double d = a->deviation[(SICK * TICKS + TICKS - 1) * P + BAD];
    assert_true(d > 12 && d < 14.5);
    anomaly_free(a);
}

/* A season of 8 that all share is nothing to any of them. */
static void test_anomaly_find_shared(void **state)
{
    static struct plant p;
    const size_t at = (size_t)(80 * P + 1); /* of the first unit */
    (void)state;
    make(&p, false);
    struct anomaly *a = find(&p);
    for (size_t u = 0; u < UNITS; u++)
        assert_int_equal(count_starts(a, u), 0);
    assert_true(fabs(a->deviation[at]) < 1);
    anomaly_free(a);
    p.in.share_ticks = false;
    a = find(&p);
    assert_true(a->deviation[at] > 4);
    anomaly_free(a);
}

static void test_anomaly_find_sees_no_future(void **state)
{
    static struct plant p;
    (void)state;
    make(&p, true);
    struct anomaly *before = find(&p);
    for (size_t u = 0; u < UNITS; u++)
        for (size_t t = 120; t < TICKS; t++) {
            p.renewed[u * TICKS + t] = t % 7 == 0;
            for (size_t j = 0; j < P; j++)
                *value(&p, u, t, j) = 100 * rng_normal(9, u * P + j, t);
        }
    struct anomaly *after = find(&p);
    for (size_t u = 0; u < UNITS; u++)
        for (size_t t = 0; t < 120; t++) {
            assert_true(point(before, u, t)->t2 == point(after, u, t)->t2);
            assert_true(point(before, u, t)->q == point(after, u, t)->q);
            assert_int_equal(point(before, u, t)->is_alarm, point(after, u, t)->is_alarm);
        }
    anomaly_free(before);
    anomaly_free(after);
}

static void test_anomaly_find_renewal(void **state)
{
    static struct plant p;
    static struct plant well;
    (void)state;
    make(&p, true);
    make(&well, false);
    const size_t at = SICK * TICKS + 130;
    p.renewed[at] = true; /* cured */
    memcpy(p.x + (at + 1) * P, well.x + (at + 1) * P, (TICKS - 131) * P * sizeof(double));
    struct anomaly *a = find(&p);
    assert_true(point(a, SICK, 129)->is_alarm);
    assert_false(point(a, SICK, 131)->is_alarm);
    assert_false(point(a, SICK, TICKS - 1)->is_alarm);
    assert_true(isnan(point(a, SICK, 130)->t2)); /* holds old and new */
    anomaly_free(a);
    make(&p, true);
    p.renewed[at] = true; /* another part was the cause: the drift goes on */
    a = find(&p);
    assert_true(point(a, SICK, 131)->is_alarm);
    assert_int_equal(count_starts(a, SICK), 1);
    anomaly_free(a);
}

static void test_anomaly_find_missing(void **state)
{
    static struct plant p;
    (void)state;
    make(&p, true);
    for (size_t t = 0; t < TICKS; t++) {
        *value(&p, 1, t, 0) = NAN;
        *value(&p, 2, t, 3) = 5; /* stands still */
        for (size_t j = 0; j < P; j++)
            *value(&p, 0, t, j) = NAN;
    }
    struct anomaly *a = find(&p);
    assert_true(isnan(point(a, 0, TICKS - 1)->health));
    assert_int_equal(point(a, 0, TICKS - 1)->lead, ANOMALY_NO_SENSOR);
    assert_true(isfinite(point(a, 1, TICKS - 1)->health));
    assert_true(point(a, SICK, TICKS - 1)->is_alarm);
    anomaly_free(a);
}

static void test_anomaly_find_few_units(void **state)
{
    static struct plant p;
    (void)state;
    make(&p, true);
    for (size_t i = 0; i < (size_t)N; i++)
        p.x[i * P + 1] = rng_normal(3, 1, i); /* no season, for there are no sisters */
    p.in.n_units = SICK + 1;
    struct anomaly *a = find(&p);
    assert_true(point(a, SICK, TICKS - 1)->is_alarm);
    assert_int_equal(point(a, SICK, TICKS - 1)->lead, BAD);
    assert_false(point(a, SICK, TICKS - 1)->is_class);
    anomaly_free(a);
}

static void test_anomaly_find_refuses(void **state)
{
    static struct plant p;
    struct ft_err err = {0};
    struct anomaly *a;
    (void)state;
    make(&p, false);
    p.in.n_fit = ANOMALY_MIN_TICKS - 1;
    assert_int_equal(anomaly_find(&p.in, &a, &err), FT_TOO_FEW);
    assert_null(a);
    p.in.n_fit = TICKS + 1;
    assert_int_equal(anomaly_find(&p.in, &a, &err), FT_INVALID);
    p.in.n_fit = FIT;
    p.in.false_per_tick = 1;
    assert_int_equal(anomaly_find(&p.in, &a, &err), FT_INVALID);
    p.in.false_per_tick = 0.01;
    for (size_t i = 0; i < (size_t)N * P; i++)
        p.x[i] = 7; /* nothing ever moves */
    assert_int_equal(anomaly_find(&p.in, &a, &err), FT_TOO_FEW);
    anomaly_free(NULL);
}

static void test_anomaly_health(void **state)
{
    (void)state;
    assert_true(anomaly_health(0) == 100);
    assert_true(fabs(anomaly_health(1) - 85) < 0.1);
    assert_true(fabs(anomaly_health(100)) < 1e-9);
    assert_true(anomaly_health(1e9) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anomaly_line_golden),
        cmocka_unit_test(test_anomaly_find_drift),
        cmocka_unit_test(test_anomaly_find_shared),
        cmocka_unit_test(test_anomaly_find_sees_no_future),
        cmocka_unit_test(test_anomaly_find_renewal),
        cmocka_unit_test(test_anomaly_find_missing),
        cmocka_unit_test(test_anomaly_find_few_units),
        cmocka_unit_test(test_anomaly_find_refuses),
        cmocka_unit_test(test_anomaly_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
