/* The interface over all kinds, and the file: what is saved comes back the same, anything else is
 * refused. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/gbdt.h"
#include "models/model.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { N = 400, M = 3 };

static struct ft_err err;

struct sample {
    double x[N * M], y[N], time[N];
    bool failed[N];
};

static void make_sample(struct sample *s, bool is_binary)
{
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < M; j++)
            s->x[i * M + j] = rng_normal(1, j, i);
        const double z = s->x[i * M] - s->x[i * M + 1];
        const double noise = rng_uniform(2, 0, i);
        s->y[i] = is_binary ? (double)(noise < 1 / (1 + exp(-z))) : z + noise;
        s->time[i] = 100 * pow(-log(1 - noise), 1 / 2.5); /* Weibull(2.5, 100) */
        s->failed[i] = rng_uniform(2, 1, i) < 0.8;
    }
}

static struct model *fit(enum model_kind kind, enum model_task task, const struct sample *s)
{
    struct model_spec spec = model_spec_default(kind, task);
    const struct model_rows rows = {.x = {s->x, N, M, M},
                                    .y = task == TASK_SURVIVAL ? s->time : s->y,
                                    .failed = task == TASK_SURVIVAL ? s->failed : NULL};
    struct pool *pool;
    struct model *m;
    spec.n_trees = 10;
    spec.horizon = 30;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
    pool_free(pool);
    return m;
}

static char *save(const struct model *m, size_t *len)
{
    struct buf b;
    buf_init(&b, (size_t)1 << 26);
    assert_ok(model_save(m, &b, &err), err);
    return buf_take(&b, len);
}

static void attach(struct model *m, const struct sample *s)
{
    double raw[N];
    const struct matrix x = {s->x, N, M, M, NULL};
    model_predict_raw(m, &x, raw);
    if (model_task_of(m) == TASK_CLASSIFY) {
        struct calibration *c;
        assert_ok(calibration_fit(CALIBRATION_ISOTONIC, raw, s->y, NULL, N, &c, &err), err);
        model_set_calibration(m, c);
    } else if (model_task_of(m) == TASK_REGRESS) {
        struct conformal *c;
        assert_ok(conformal_fit(raw, s->y, NULL, N, 4, 0.9, &c, &err), err);
        model_set_conformal(m, c);
    }
    assert_ok(model_set_text(m, "features", "[\"a\",\"b = \xc3\xa9\",\"c\"]", &err), err);
    assert_ok(model_set_text(m, "build", "first", &err), err);
    assert_ok(model_set_text(m, "build", "0.1.0", &err), err);
    assert_ok(model_set_text(m, "note", "two\nlines", &err), err);
}

static void check_round_trip(enum model_kind kind, enum model_task task)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, task == TASK_CLASSIFY);
    struct model *m = fit(kind, task, s), *copy;
    attach(m, s);
    size_t len, len_again;
    char *text = save(m, &len);
    assert_ok(model_load(text, len, &copy, &err), err);
    char *again = save(copy, &len_again);
    assert_int_equal(len, len_again);
    assert_memory_equal(text, again, len);
    assert_int_equal(model_kind_of(copy), kind);
    assert_int_equal(model_task_of(copy), task);
    assert_int_equal(model_n_cols(copy), M);
    assert_string_equal(model_text(copy, "build"), "0.1.0");
    assert_string_equal(model_text(copy, "note"), "two\nlines");
    assert_null(model_text(copy, "absent"));
    double a[N], b[N];
    const struct matrix x = {s->x, N, M, M, NULL};
    model_predict(m, &x, a);
    model_predict(copy, &x, b);
    assert_memory_equal(a, b, sizeof(a));
    model_predict_raw(m, &x, a);
    for (size_t i = 0; i < 20; i++) {
        double c[M + 1], sum = 0;
        assert_ok(model_contributions(copy, s->x + i * M, c, &err), err);
        for (size_t j = 0; j <= M; j++)
            sum += c[j];
        assert_close(sum, a[i], 1e-9);
    }
    free(text);
    free(again);
    model_free(m);
    model_free(copy);
    free(s);
}

static void test_model_save_round_trip(void **state)
{
    check_round_trip(MODEL_GBDT, TASK_CLASSIFY);
    check_round_trip(MODEL_GBDT, TASK_REGRESS);
    check_round_trip(MODEL_LOGISTIC, TASK_CLASSIFY);
    check_round_trip(MODEL_RIDGE, TASK_REGRESS);
    check_round_trip(MODEL_COX, TASK_SURVIVAL);
    check_round_trip(MODEL_AFT, TASK_SURVIVAL);
    check_round_trip(MODEL_WEIBULL_AGE, TASK_SURVIVAL);
    check_round_trip(MODEL_GBDT_SURVIVAL, TASK_SURVIVAL);
    check_round_trip(MODEL_GBDT_PRODUCTS, TASK_CLASSIFY);
    check_round_trip(MODEL_GBDT_PRODUCTS, TASK_REGRESS);
}

/* Counts come back as counts; an objective of lives cannot regress. */
/* A model with a CV+ interval: its folds' models come back with it, of every kind that regresses.
 */
static void test_model_cross_round_trip(void **state)
{
    enum { K = 3 };
    struct sample s;
    make_sample(&s, false);
    const enum model_kind kinds[] = {MODEL_GBDT, MODEL_RIDGE, MODEL_GBDT_PRODUCTS};
    for (size_t k = 0; k < 3; k++) {
        struct model *m = fit(kinds[k], TASK_REGRESS, &s), *again;
        struct model **folds = calloc(K, sizeof(struct model *));
        struct conformal_cross *c;
        double p[N], lower[2][N], upper[2][N];
        size_t fold[N], len;
        const struct matrix x = {s.x, N, M, M};
        for (size_t f = 0; f < K; f++)
            folds[f] = fit(kinds[k], TASK_REGRESS, &s);
        for (size_t i = 0; i < N; i++)
            fold[i] = i % K;
        model_predict(m, &x, p);
        assert_true(isnan(model_coverage(m)));
        assert_ok(conformal_cross_fit(p, s.y, fold, N, K, 0.8, &c, &err), err);
        model_set_cross(m, c, folds, K);
        assert_close(model_coverage(m), 0.8, 0);
        assert_ok(model_intervals(m, &x, p, lower[0], upper[0], &err), err);
        char *text = save(m, &len);
        assert_ok(model_load(text, len, &again, &err), err);
        assert_ok(model_intervals(again, &x, p, lower[1], upper[1], &err), err);
        assert_memory_equal(lower[0], lower[1], sizeof(lower[0]));
        assert_memory_equal(upper[0], upper[1], sizeof(upper[0]));
        for (size_t i = 0; i < N; i++)
            assert_true(lower[0][i] < p[i] && p[i] < upper[0][i]);
        free(text);
        model_free(m);
        model_free(again);
    }
}

/* Weights of the positives are those of rows counted so often; columns that must rise do. */
static void test_model_fit_weights_and_monotone(void **state)
{
    struct sample s;
    struct pool *pool;
    make_sample(&s, true);
    assert_ok(pool_new(2, &pool, &err), err);
    double weight[N], n_ones = 0, p[2][N];
    for (size_t i = 0; i < N; i++)
        n_ones += s.y[i];
    for (size_t i = 0; i < N; i++)
        weight[i] = s.y[i] == 1 ? (N - n_ones) / n_ones : 1;
    const enum model_kind kinds[] = {MODEL_GBDT, MODEL_LOGISTIC, MODEL_GBDT_PRODUCTS};
    const struct matrix x = {s.x, N, M, M};
    for (size_t k = 0; k < 3; k++) {
        struct model_spec spec = model_spec_default(kinds[k], TASK_CLASSIFY);
        struct model_rows rows = {.x = x, .y = s.y, .weight = weight};
        struct model *m;
        spec.n_trees = 10;
        assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
        model_predict_raw(m, &x, p[0]);
        assert_int_equal(model_n_trees(m), kinds[k] == MODEL_GBDT ? 10 : 0);
        model_free(m);
        rows.weight = NULL;
        spec.positive_weight = 0;
        assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
        model_predict_raw(m, &x, p[1]);
        model_free(m);
        for (size_t i = 0; i < N; i++)
            assert_close(p[1][i], p[0][i], 1e-9);
    }
    const int8_t rising[M] = {1, 0, 0};
    struct model_spec spec = model_spec_default(MODEL_GBDT_SURVIVAL, TASK_SURVIVAL);
    const struct model_rows lives = {.x = x, .y = s.time, .failed = s.failed};
    spec.n_trees = 20;
    spec.monotone = rising;
    for (int objective = -1; objective < 1; objective++) { /* Cox; discrete-time hazard */
        struct model *m;
        spec.objective = objective < 0 ? -1 : GBDT_LOGISTIC;
        assert_ok(model_fit(&spec, &lives, pool, &m, &err), err);
        for (size_t i = 0; i < 50; i++) {
            double low[M] = {-1, s.x[i * M + 1], s.x[i * M + 2]}, high[M], raw[2];
            memcpy(high, low, sizeof(low));
            high[0] = 1;
            model_predict_raw(m, &(struct matrix){low, 1, M, M}, &raw[0]);
            model_predict_raw(m, &(struct matrix){high, 1, M, M}, &raw[1]);
            assert_true(raw[0] <= raw[1]);
        }
        model_free(m);
    }
    struct model *m;
    spec.patience = 5; /* the hazard cannot, and nothing is held out */
    assert_int_equal(model_fit(&spec, &lives, pool, &m, &err), FT_INVALID);
    spec.kind = MODEL_COX;
    assert_int_equal(model_fit(&spec, &lives, pool, &m, &err), FT_INVALID);
    pool_free(pool);
}

static void test_model_fit_objectives(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    struct model *m;
    struct pool *pool;
    struct model_spec spec = model_spec_default(MODEL_GBDT, TASK_REGRESS);
    const struct model_rows rows = {.x = {.data = s->x, .n_rows = N, .n_cols = M, .stride = M},
                                    .y = s->y};
    double answer[N], sum = 0, want = 0;
    make_sample(s, false);
    for (size_t i = 0; i < N; i++)
        want += s->y[i] = floor(exp(s->x[i * M]) + rng_uniform(3, 0, i));
    assert_ok(pool_new(2, &pool, &err), err);
    spec.objective = GBDT_POISSON;
    assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
    model_predict(m, &rows.x, answer);
    for (size_t i = 0; i < N; i++)
        sum += answer[i];
    assert_rel(sum, want, 0.05);
    model_free(m);
    spec.objective = GBDT_COX;
    assert_int_equal(model_fit(&spec, &rows, pool, &m, &err), FT_INVALID);
    /* All L1 and more of it than there is to gain: the mean. */
    spec = model_spec_default(MODEL_RIDGE, TASK_REGRESS);
    spec.lambda = 1e6;
    spec.l1_share = 1;
    assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
    model_predict(m, &rows.x, answer);
    assert_rel(answer[0], want / N, 1e-12);
    assert_close(answer[1], answer[0], 0);
    model_free(m);
    pool_free(pool);
    free(s);
}

static void test_model_fit_refuses_wrong_pairs(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, true);
    const struct model_rows rows = {.x = {s->x, N, M, M}, .y = s->y};
    struct model *m;
    struct model_spec spec = model_spec_default(MODEL_GBDT, TASK_SURVIVAL);
    assert_int_equal(model_fit(&spec, &rows, NULL, &m, &err), FT_INVALID);
    assert_null(m);
    spec = model_spec_default(MODEL_RIDGE, TASK_CLASSIFY);
    assert_int_equal(model_fit(&spec, &rows, NULL, &m, &err), FT_INVALID);
    spec = model_spec_default(MODEL_WEIBULL_AGE, TASK_SURVIVAL);
    spec.horizon = 5;
    assert_int_equal(model_fit(&spec, &rows, NULL, &m, &err), FT_INVALID); /* no failure flags */
    assert_false(model_kind_takes(MODEL_LOGISTIC, TASK_REGRESS));
    free(s);
}

/* P(fail within h | alive at age) of Weibull(shape 2.5, scale 100), known in closed form. */
static void test_model_weibull_age_probability(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, false);
    for (size_t i = 0; i < N; i++)
        s->failed[i] = true;
    struct model *m = fit(MODEL_WEIBULL_AGE, TASK_SURVIVAL, s);
    const double rows[] = {0, 0, 0, 50, 0, 0, 120, 0, 0, NAN, 0, 0};
    const struct matrix x = {rows, 4, M, M, NULL};
    double p[4];
    model_predict(m, &x, p);
    for (size_t i = 0; i < 3; i++) {
        const double age = rows[i * M];
        const double want = 1 - exp(pow(age / 100, 2.5) - pow((age + 30) / 100, 2.5));
        assert_close(p[i], want, 0.08);
    }
    assert_true(p[0] < p[1] && p[1] < p[2]);
    assert_close(p[3], p[0], 0);
    model_free(m);
    free(s);
}

/* Higher raw predictions mean sooner failure, for every survival model. */
static void test_model_survival_direction(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, false);
    for (size_t i = 0; i < N; i++) {
        s->time[i] *= exp(-s->x[i * M]); /* column 0 shortens life */
        s->failed[i] = i % 5 != 0;
    }
    const enum model_kind kinds[] = {MODEL_COX, MODEL_AFT, MODEL_GBDT_SURVIVAL};
    const double rows[] = {-1, 0, 0, 1, 0, 0};
    const struct matrix x = {rows, 2, M, M, NULL};
    for (size_t k = 0; k < 3; k++) {
        struct model *m = fit(kinds[k], TASK_SURVIVAL, s);
        double raw[2];
        model_predict(m, &x, raw);
        /* Ten trees of rate 0.1 go part of the way only. */
        assert_true(raw[1] - raw[0] > (kinds[k] == MODEL_GBDT_SURVIVAL ? 0.8 : 1.5));
        assert_true(model_failure_probability(m, rows, 0, 60) + 0.2 <
                    model_failure_probability(m, rows + M, 0, 60));
        model_free(m);
    }
    struct model *m = fit(MODEL_RIDGE, TASK_REGRESS, s);
    assert_true(isnan(model_failure_probability(m, rows, 0, 60)));
    model_free(m);
    free(s);
}

/* Two failures are too few for a shape: the hazard is taken as constant and the answer stands. */
static void test_model_weibull_age_one_failure(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, false);
    for (size_t i = 0; i < N; i++)
        s->failed[i] = i == 7;
    struct model *m = fit(MODEL_WEIBULL_AGE, TASK_SURVIVAL, s);
    const double rows[] = {0, 0, 0, 500, 0, 0};
    const struct matrix x = {rows, 2, M, M, NULL};
    double p[2];
    model_predict(m, &x, p);
    assert_close(p[0], p[1], 1e-9);
    assert_true(p[0] > 0 && p[0] < 0.01);
    model_free(m);
    free(s);
}

static void test_model_set_text_refuses(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, true);
    struct model *m = fit(MODEL_LOGISTIC, TASK_CLASSIFY, s);
    assert_int_equal(model_set_text(m, "Bad key", "x", &err), FT_INVALID);
    assert_int_equal(model_set_text(m, "", "x", &err), FT_INVALID);
    assert_int_equal(model_set_text(m, "key", "\xff", &err), FT_INVALID);
    model_free(m);
    free(s);
}

static enum ft_status try_load(const char *text, size_t len)
{
    struct model *m;
    const enum ft_status st = model_load(text, len, &m, &err);
    assert_true((st == FT_OK) == (m != NULL));
    model_free(m);
    return st;
}

/* With the checksum made right again, so that the parser itself has to refuse. */
static enum ft_status load_signed(const char *body)
{
    char text[512];
    snprintf(text, sizeof(text), "%scrc32 %08lx\n", body,
             crc32(0, (const Bytef *)body, (uInt)strlen(body)));
    return try_load(text, strlen(text));
}

static void test_model_load_refuses(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));
    make_sample(s, true);
    struct model *m = fit(MODEL_GBDT, TASK_CLASSIFY, s);
    size_t len;
    char *text = save(m, &len);
    for (size_t cut = 0; cut < len; cut += 31)
        assert_int_equal(try_load(text, cut), FT_INVALID);
    for (size_t at = 0; at < len; at += 17) { /* any flipped bit is noticed */
        text[at] ^= 4;
        assert_int_equal(try_load(text, len), FT_INVALID);
        text[at] ^= 4;
    }
    assert_int_equal(try_load(text, len), FT_OK);
    free(text);
    model_free(m);
    free(s);

    assert_int_equal(load_signed("fettle-model 2\nkind gbdt\n"), FT_INVALID);
    assert_non_null(strstr(err.msg, "version 2"));
#define HEAD "fettle-model 1\nkind gbdt\ntask classify\ncolumns 2\n"
#define BODY "gbdt 1\nobjective logistic\ncolumns 2\nbase 0x1p+0\ntrees 0\nend\n"
    assert_int_equal(load_signed(HEAD "texts 0\nbody 60\n" BODY "calibration 0\nconformal 0\n"),
                     FT_OK);
    static const char *const bad[] = {
        "fettle-model 1\nkind gbdt\ntask survival\ncolumns 2\ntexts 0\nbody 60\n" BODY
        "calibration 0\nconformal 0\n",
        "fettle-model 1\nkind gbdt\ntask regress\ncolumns 2\ntexts 0\nbody 60\n" BODY
        "calibration 0\nconformal 0\n",
        "fettle-model 1\nkind gbdt\ntask classify\ncolumns 3\ntexts 0\nbody 60\n" BODY
        "calibration 0\nconformal 0\n",
        HEAD "texts 0\nbody 60\n" BODY "calibration 0\nconformal 0\nmore\n",
        HEAD "texts 0\nbody 600\n" BODY "calibration 0\nconformal 0\n",
        HEAD "texts 0\nbody 60\n" BODY "calibration 5\nhello",
        HEAD "texts 2\ntext 3\nb=1\ntext 3\na=2\nbody 60\n" BODY "calibration 0\nconformal 0\n",
        HEAD "texts 1\ntext 3\nB=1\nbody 60\n" BODY "calibration 0\nconformal 0\n",
        HEAD "texts 1\ntext 3\nabc\nbody 60\n" BODY "calibration 0\nconformal 0\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(load_signed(bad[i]), FT_INVALID);
#undef HEAD
#undef BODY
}

static void test_model_names(void **state)
{
    for (int k = MODEL_GBDT; k <= MODEL_GBDT_PRODUCTS; k++)
        assert_int_equal(model_kind_by_name(model_kind_name((enum model_kind)k)), k);
    for (int t = TASK_CLASSIFY; t <= TASK_SURVIVAL; t++)
        assert_int_equal(model_task_by_name(model_task_name((enum model_task)t)), t);
    assert_int_equal(model_kind_by_name("tree"), -1);
}

/* Floats give the model of the doubles of the same values, whatever the kind. */
static void test_model_fit_takes_floats(void **state)
{
    const enum model_kind kinds[] = {MODEL_GBDT, MODEL_LOGISTIC, MODEL_COX, MODEL_AFT};
    struct sample s;
    float floats[N * M];
    double out[2][N];
    struct pool *pool;
    make_sample(&s, true);
    for (size_t i = 0; i < N * M; i++)
        s.x[i] = (double)(floats[i] = (float)s.x[i]);
    assert_ok(pool_new(2, &pool, &err), err);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        const bool is_survival = kinds[k] == MODEL_COX || kinds[k] == MODEL_AFT;
        const enum model_task task = is_survival ? TASK_SURVIVAL : TASK_CLASSIFY;
        const struct model_spec spec = model_spec_default(kinds[k], task);
        const struct matrix x[2] = {{s.x, N, M, M, NULL}, {NULL, N, M, M, floats}};
        for (size_t i = 0; i < 2; i++) {
            const struct model_rows rows = {.x = x[i],
                                            .y = is_survival ? s.time : s.y,
                                            .failed = is_survival ? s.failed : NULL};
            struct model *m = NULL;
            assert_ok(model_fit(&spec, &rows, pool, &m, &err), err);
            model_predict_raw(m, &x[i], out[i]);
            model_free(m);
        }
        assert_memory_equal(out[0], out[1], sizeof(out[0]));
    }
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_save_round_trip),
        cmocka_unit_test(test_model_cross_round_trip),
        cmocka_unit_test(test_model_fit_weights_and_monotone),
        cmocka_unit_test(test_model_fit_objectives),
        cmocka_unit_test(test_model_fit_refuses_wrong_pairs),
        cmocka_unit_test(test_model_weibull_age_probability),
        cmocka_unit_test(test_model_survival_direction),
        cmocka_unit_test(test_model_weibull_age_one_failure),
        cmocka_unit_test(test_model_set_text_refuses),
        cmocka_unit_test(test_model_load_refuses),
        cmocka_unit_test(test_model_names),
        cmocka_unit_test(test_model_fit_takes_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
