/* Models of other programs: XGBoost against its own predictions (golden), LightGBM against an
 * example worked by hand from its documented rules, and files that are damaged or hostile. */
#include "tests/golden/xgboost_models.h"
#include "tests/test.h"

#include "models/interchange/foreign.h"

#include <stdlib.h>

static struct ft_err err;

static void expect_predictions(const char *text, const double *want)
{
    struct model *m;
    struct foreign_names names;
    double got[XGBOOST_ROWS];
    const struct matrix x = {&xgboost_rows[0][0], XGBOOST_ROWS, XGBOOST_COLS, XGBOOST_COLS, NULL};
    assert_ok(xgboost_import(text, strlen(text), &m, &names, &err), err);
    assert_int_equal(names.n, XGBOOST_COLS);
    assert_string_equal(names.names[2], "vib");
    model_predict(m, &x, got);
    for (size_t i = 0; i < XGBOOST_ROWS; i++)
        if (!(fabs(got[i] - want[i]) <= 1e-6 * fmax(1, fabs(want[i]))))
            fail_msg("row %zu: %.9g, XGBoost says %.9g", i, got[i], want[i]);
    foreign_names_free(&names);
    model_free(m);
}

static void test_xgboost_import_predictions(void **state)
{
    expect_predictions(xgboost_model_0, xgboost_prediction_0);
    expect_predictions(xgboost_model_1, xgboost_prediction_1);
    expect_predictions(xgboost_model_2, xgboost_prediction_2);
}

/* The text with its first `what` replaced; freed by the caller. */
static char *replaced(const char *text, const char *what, const char *by)
{
    const char *at = strstr(text, what);
    assert_non_null(at);
    const size_t before = (size_t)(at - text), size = strlen(text) + strlen(by) + 1;
    char *copy = calloc(size, 1);
    assert_non_null(copy);
    snprintf(copy, size, "%.*s%s%s", (int)before, text, by, at + strlen(what));
    return copy;
}

typedef enum ft_status (*import_fn)(const char *text, size_t len, struct model **out,
                                    struct foreign_names *names, struct ft_err *error);

static void expect_refusal(import_fn import, const char *text, const char *what, const char *by,
                           const char *reason)
{
    struct model *m;
    struct foreign_names names;
    char *bad = replaced(text, what, by);
    assert_int_equal(import(bad, strlen(bad), &m, &names, &err), FT_INVALID);
    assert_null(m);
    if (strstr(err.msg, reason) == NULL)
        fail_msg("'%s' lacks '%s'", err.msg, reason);
    foreign_names_free(&names);
    free(bad);
}

static void test_xgboost_import_refuses(void **state)
{
    static const char *const bad[][3] = {
        {"binary:logistic", "multi:softprob", "multi:softprob"},
        {"\"gbtree\"", "\"dart\"", "dart"},
        {"\"num_class\":\"0\"", "\"num_class\":\"3\"", "classes"},
        {"\"num_class\":\"0\",\"num_feature\":\"5\"", "\"num_class\":\"0\",\"num_feature\":\"2\"",
         "column"},
        {"\"left_children\":[1,", "\"left_children\":[0,", "child"},
        {"\"left_children\":[1,", "\"left_children\":[2,", "child"},
        {"\"left_children\":[1,", "\"left_children\":[900,", "well formed"},
        {"\"left_children\":[1,", "\"left_children\":[\"a\",", "well formed"},
        {"\"left_children\":[1,", "\"left_children\":[", "expected"},
        {"\"base_score\":\"3E-1\"", "\"base_score\":\"2\"", "base_score"},
        {"\"learner\"", "\"lerner\"", "learner"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refusal(xgboost_import, xgboost_model_0, bad[i][0], bad[i][1], bad[i][2]);
}

/* Two trees. The first splits on speed (NaN kept apart, default left), then on heat (no missing
 * values in training: a missing one counts as 0); the second is a single leaf. */
static const char lightgbm_text[] = "tree\n"
                                    "version=v4\n"
                                    "num_class=1\n"
                                    "num_tree_per_iteration=1\n"
                                    "label_index=0\n"
                                    "max_feature_idx=1\n"
                                    "objective=binary sigmoid:2\n"
                                    "feature_names=speed heat\n"
                                    "feature_infos=[0:9] [-5:5]\n"
                                    "tree_sizes=300 100\n"
                                    "\n"
                                    "Tree=0\n"
                                    "num_leaves=3\n"
                                    "num_cat=0\n"
                                    "split_feature=0 1\n"
                                    "split_gain=9 4\n"
                                    "threshold=2.5 -1.0000000180025095e-35\n"
                                    "decision_type=10 2\n"
                                    "left_child=1 -1\n"
                                    "right_child=-2 -3\n"
                                    "leaf_value=0.25 -0.5 0.75\n"
                                    "leaf_weight=10 20 30\n"
                                    "leaf_count=10 20 30\n"
                                    "internal_value=0 0.1\n"
                                    "internal_weight=60 40\n"
                                    "internal_count=60 40\n"
                                    "is_linear=0\n"
                                    "shrinkage=1\n"
                                    "\n"
                                    "\n"
                                    "Tree=1\n"
                                    "num_leaves=1\n"
                                    "num_cat=0\n"
                                    "split_feature=\n"
                                    "leaf_value=-0.125\n"
                                    "is_linear=0\n"
                                    "shrinkage=0.1\n"
                                    "\n"
                                    "\n"
                                    "end of trees\n"
                                    "\n"
                                    "feature_importances:\n"
                                    "speed=1\n";

static void test_lightgbm_import_worked_example(void **state)
{
    /* speed, heat -> raw before the sigmoid's factor 2. speed 2.5 goes left (<=); then heat -1 is
     * left (0.25), 0 is right of -1e-35 (0.75), missing counts as 0; speed 3 is leaf 1. */
    static const double rows[][2] = {{2.5, -1}, {2.5, 0}, {NAN, 1}, {2, NAN}, {3, -1}, {3, NAN}};
    static const double raw[] = {0.25 - 0.125, 0.75 - 0.125, 0.75 - 0.125,
                                 0.75 - 0.125, -0.5 - 0.125, -0.5 - 0.125};
    struct model *m;
    struct foreign_names names;
    double got[6];
    assert_ok(lightgbm_import(lightgbm_text, strlen(lightgbm_text), &m, &names, &err), err);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.names[1], "heat");
    const struct matrix x = {&rows[0][0], 6, 2, 2, NULL};
    model_predict(m, &x, got);
    for (size_t i = 0; i < 6; i++)
        assert_close(got[i], 1 / (1 + exp(-2 * raw[i])), 1e-12);
    foreign_names_free(&names);
    model_free(m);
}

/* Sets by the rules of LightGBM's tree.h: {1, 3, 40} and {0}; everything else goes right. */
static const char lightgbm_sets[] = "tree\n"
                                    "num_class=1\n"
                                    "max_feature_idx=1\n"
                                    "objective=regression\n"
                                    "feature_names=kind speed\n"
                                    "\n"
                                    "Tree=0\n"
                                    "num_leaves=4\n"
                                    "num_cat=2\n"
                                    "split_feature=0 1 0\n"
                                    "split_gain=9 4 2\n"
                                    "threshold=0 2.5 1\n"
                                    "decision_type=9 2 1\n"
                                    "left_child=1 -1 -3\n"
                                    "right_child=2 -2 -4\n"
                                    "leaf_value=1 2 4 8\n"
                                    "leaf_weight=10 20 30 40\n"
                                    "internal_weight=100 30 70\n"
                                    "cat_boundaries=0 2 3\n"
                                    "cat_threshold=10 256 1\n"
                                    "\n"
                                    "end of trees\n";

static void test_lightgbm_import_sets_of_categories(void **state)
{
    static const double rows[][2] = {{1, 2},  {3, 3},  {40, 0},  {0, 0},   {2, 0},
                                     {41, 0}, {-1, 0}, {NAN, 0}, {300, 0}, {32, 0}};
    static const double want[] = {1, 2, 1, 4, 8, 8, 8, 8, 8, 8};
    static const char *const bad[][3] = {
        {"cat_boundaries=0 2 3", "cat_boundaries=0 2", "cat_boundaries"},
        {"cat_boundaries=0 2 3", "cat_boundaries=1 2 3", "cat_boundaries"},
        {"cat_boundaries=0 2 3", "cat_boundaries=0 9 10", "cat_boundaries"},
        {"cat_threshold=10 256 1", "cat_threshold=10 256", "cat_boundaries"},
        {"cat_threshold=10 256 1", "cat_threshold=10 4294967296 1", "cat_boundaries"},
        {"cat_boundaries=0 2 3\ncat_threshold=10 256 1",
         "cat_boundaries=0 8 9\ncat_threshold=0 0 0 0 0 0 0 2147483648 1", "254"},
        {"threshold=0 2.5 1", "threshold=0 2.5 2", "well formed"},
    };
    struct model *m;
    struct foreign_names names;
    double got[10];
    assert_ok(lightgbm_import(lightgbm_sets, strlen(lightgbm_sets), &m, &names, &err), err);
    const struct matrix x = {&rows[0][0], 10, 2, 2, NULL};
    model_predict(m, &x, got);
    for (size_t i = 0; i < 10; i++)
        assert_close(got[i], want[i], 0);
    foreign_names_free(&names);
    model_free(m);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refusal(lightgbm_import, lightgbm_sets, bad[i][0], bad[i][1], bad[i][2]);
}

static void test_lightgbm_import_objectives(void **state)
{
    static const struct {
        const char *objective;
        double want;
    } cases[] = {
        {"regression", 0.625}, {"quantile alpha:0.9", 0.625}, {"poisson", 1.8682459574322223}};
    const double row[2] = {2.5, 0};
    const struct matrix x = {row, 1, 2, 2, NULL};
    for (size_t i = 0; i < 3; i++) {
        struct model *m;
        struct foreign_names names;
        double got;
        char *text = replaced(lightgbm_text, "binary sigmoid:2", cases[i].objective);
        assert_ok(lightgbm_import(text, strlen(text), &m, &names, &err), err);
        model_predict(m, &x, &got);
        assert_close(got, cases[i].want, 1e-12);
        foreign_names_free(&names);
        model_free(m);
        free(text);
    }
}

static void test_lightgbm_import_refuses(void **state)
{
    static const char *const bad[][3] = {
        {"num_class=1", "num_class=3", "classes"},
        {"binary sigmoid:2", "lambdarank", "lambdarank"},
        {"binary sigmoid:2", "regression sqrt", "regression sqrt"},
        {"num_cat=0", "num_cat=1", "cat_boundaries"},
        {"num_cat=0", "num_cat=3", "num_cat"},
        {"num_cat=0", "num_cat=x", "num_cat"},
        {"decision_type=10 2", "decision_type=1 2", "well formed"},
        {"is_linear=0", "is_linear=1", "linear"},
        {"decision_type=10 2", "decision_type=6 2", "well formed"},
        {"left_child=1 -1", "left_child=0 -1", "child"},
        {"left_child=1 -1", "left_child=1 -9", "well formed"},
        {"split_feature=0 1", "split_feature=0 7", "column"},
        {"num_leaves=3", "num_leaves=99999999", "num_leaves"},
        {"leaf_value=0.25 -0.5 0.75", "leaf_value=0.25 -0.5", "leaf 2"},
        {"end of trees", "end of", "cut off"},
        {"tree\nversion", "version", "line 1"},
        {"feature_names=speed heat", "feature_names=speed", "names"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refusal(lightgbm_import, lightgbm_text, bad[i][0], bad[i][1], bad[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xgboost_import_predictions),
        cmocka_unit_test(test_xgboost_import_refuses),
        cmocka_unit_test(test_lightgbm_import_worked_example),
        cmocka_unit_test(test_lightgbm_import_sets_of_categories),
        cmocka_unit_test(test_lightgbm_import_objectives),
        cmocka_unit_test(test_lightgbm_import_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
