#include "tests/history_fixture.h"
#include "tests/test.h"

#include "app/base/pool.h"
#include "app/train_private.h"

/* Rows of a plant whose columns know nothing; a test then writes what it likes into one of them. */
struct bench {
    struct train_options o;
    struct train_run r;
    size_t component;
    int64_t *lead_ms; /* to the failure of the component within six horizons */
    double *far;
};

static void open_bench(struct bench *b, struct ft_err *err)
{
    const struct feature_options fo = {.horizon_ms = 3 * MS_PER_DAY, .view = FEATURE_VIEW_SENSORS};
    struct train_view *v = &b->r.views[FEATURE_VIEW_SENSORS];
    struct pool *pool;
    *b = (struct bench){.o = {.horizon_ms = 3 * MS_PER_DAY, .until_ms = DB_NO_TIME}};
    b->r = (struct train_run){.o = &b->o, .components = &b->component, .n_components = 1};
    b->r.h = fixture_history(10, 120, 4);
    b->r.is_training = calloc(10, sizeof(bool));
    memset(b->r.is_training, 1, 10 * sizeof(bool));
    assert_ok(pool_new(1, &pool, err), *err);
    assert_ok(dataset_failure_rows(b->r.h, b->r.is_training, MS_PER_DAY, DB_NO_TIME, DB_NO_TIME,
                                   &b->r.d, err),
              *err);
    assert_ok(features_fit(b->r.h, NULL, &fo, &v->fs[0], err), *err);
    assert_ok(dataset_features(v->fs[0], b->r.h, &b->r.d, pool, &v->x[0], err), *err);
    v->is_shared = true;
    pool_free(pool);
    b->r.y = calloc(b->r.d.n, sizeof(double));
    b->far = calloc(b->r.d.n, sizeof(double));
    b->lead_ms = calloc(b->r.d.n, sizeof(int64_t));
    dataset_failure_labels(b->r.h, &b->r.d, 0, b->o.horizon_ms, DB_NO_TIME, b->r.y, NULL);
    dataset_failure_labels(b->r.h, &b->r.d, 0, 6 * b->o.horizon_ms, DB_NO_TIME, b->far, b->lead_ms);
}

static void close_bench(struct bench *b)
{
    struct train_view *v = &b->r.views[FEATURE_VIEW_SENSORS];
    features_free(v->fs[0]);
    free(v->x[0]);
    free(b->r.y);
    free(b->far);
    free(b->lead_ms);
    free(b->r.is_training);
    dataset_clear(&b->r.d);
    history_free(b->r.h);
}

static float *cell(const struct bench *b, size_t row, const char *column)
{
    const struct train_view *v = &b->r.views[FEATURE_VIEW_SENSORS];
    for (size_t j = 0; j < v->fs[0]->n; j++)
        if (strcmp(v->fs[0]->infos[j].name, column) == 0)
            return &v->x[0][row * v->fs[0]->n + j];
    fail_msg("no column %s", column);
    return NULL;
}

/* Days to the failure; where the record ends before six horizons a label of 1 is all that is known,
 * and no failure in sight is far away. */
static double days_left(const struct bench *b, size_t row)
{
    if (b->lead_ms[row] != DB_NO_TIME)
        return (double)b->lead_ms[row] / (double)MS_PER_DAY;
    return b->r.y[row] == 1 ? 1.5 : 100;
}

static void test_train_check_leaks_clean(void **state)
{
    struct ft_err err = {0};
    struct bench b;
    (void)state;
    open_bench(&b, &err);
    assert_ok(train_check_leaks(&b.r, &err), err);
    close_bench(&b);
}

static void test_train_check_leaks_copy_of_label(void **state)
{
    struct ft_err err = {0};
    struct bench b;
    (void)state;
    open_bench(&b, &err);
    for (size_t i = 0; i < b.r.d.n; i++)
        if (isfinite(b.r.y[i]))
            *cell(&b, i, "vibration for its regime: last") =
                (float)(b.r.y[i] + 0.05 * rng_normal(3, 1, i));
    assert_int_equal(train_check_leaks(&b.r, &err), FT_REFUSED);
    assert_non_null(strstr(err.msg, "vibration"));
    assert_null(strstr(err.msg, "temperature"));
    b.o.trusted = "temperature,vibration";
    assert_ok(train_check_leaks(&b.r, &err), err);
    close_bench(&b);
}

/* Wear: alone it tells the label, but near the failure it also says how near, and far from it
 * nothing. That is a measurement. */
static void test_train_check_leaks_wear_passes(void **state)
{
    struct ft_err err = {0};
    struct bench b;
    (void)state;
    open_bench(&b, &err);
    for (size_t i = 0; i < b.r.d.n; i++) {
        const double wear = 2 - days_left(&b, i) * (double)MS_PER_DAY / (double)b.o.horizon_ms;
        *cell(&b, i, "vibration for its regime: last") =
            (float)(b.r.y[i] == 1 ? wear : 0.5 * rng_uniform(3, 2, i));
    }
    assert_ok(train_check_leaks(&b.r, &err), err);
    close_bench(&b);
}

/* A column that says the exact time to a failure weeks ahead is a plan, not a measurement. */
static void test_train_check_leaks_countdown(void **state)
{
    struct ft_err err = {0};
    struct bench b;
    (void)state;
    open_bench(&b, &err);
    for (size_t i = 0; i < b.r.d.n; i++)
        *cell(&b, i, "vibration for its regime: last") = (float)-days_left(&b, i);
    assert_int_equal(train_check_leaks(&b.r, &err), FT_REFUSED);
    close_bench(&b);
}

static void test_train_check_leaks_without_view(void **state)
{
    struct ft_err err = {0};
    const struct train_run none = {0};
    (void)state;
    assert_ok(train_check_leaks(&none, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_check_leaks_clean),
        cmocka_unit_test(test_train_check_leaks_copy_of_label),
        cmocka_unit_test(test_train_check_leaks_wear_passes),
        cmocka_unit_test(test_train_check_leaks_countdown),
        cmocka_unit_test(test_train_check_leaks_without_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
