/* Format: https://github.com/dmlc/xgboost/blob/v1.7.4/doc/model.schema. */
#include "models/interchange/foreign.h"

#include "app/base/json.h"
#include "models/gbdt/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* x goes left where (float)x < c. The doubles that round to floats below c are those up to the
 * middle between c and the float before it; the middle itself rounds to the even one of the two. */
static double threshold_of(double c)
{
    const float at = (float)c, before = nextafterf(at, -INFINITY);
    const double middle = (double)before + ((double)at - (double)before) / 2;
    return (float)middle < at ? middle : nextafter(middle, -INFINITY);
}

/* A number that the file writes as a text. */
static enum ft_status text_number(const cJSON *object, const char *key, double *out,
                                  struct ft_err *err)
{
    const char *text = NULL;
    char *end = NULL;
    const enum ft_status st = json_string(object, key, true, &text, err);
    if (st != FT_OK)
        return st;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out)
               ? FT_OK
               : ft_fail(err, FT_INVALID, "/%s: '%.40s' is not a number", key, text);
}

/* The arrays of one tree, walked side by side: a list of cJSON is slow to index. */
enum { LEFT, RIGHT, COLUMN, CONDITION, DEFAULT_LEFT, GAIN, COVER, N_ARRAYS };

static enum ft_status open_arrays(const cJSON *tree, const cJSON *at[N_ARRAYS], size_t *n,
                                  struct ft_err *err)
{
    static const char *const keys[N_ARRAYS] = {
        "left_children", "right_children", "split_indices", "split_conditions",
        "default_left",  "loss_changes",   "sum_hessian"};
    for (int k = 0; k < N_ARRAYS; k++) {
        const cJSON *array = NULL;
        const enum ft_status st = json_array(tree, keys[k], true, &array, err);
        if (st != FT_OK)
            return st;
        const size_t size = (size_t)cJSON_GetArraySize(array);
        if (k > 0 && size != *n)
            return ft_fail(err, FT_INVALID, "/%s: %zu values, expected %zu", keys[k], size, *n);
        *n = size;
        at[k] = array->child;
    }
    return FT_OK;
}

static bool value_of(const cJSON *item, double *out)
{
    if (!cJSON_IsNumber(item) && !cJSON_IsBool(item))
        return false;
    *out = cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble;
    return isfinite(*out);
}

static bool read_node(const cJSON *at[N_ARRAYS], size_t n, struct foreign_node *node)
{
    double v[N_ARRAYS];
    for (int k = 0; k < N_ARRAYS; k++) {
        if (!value_of(at[k], &v[k]))
            return false;
        at[k] = at[k]->next;
    }
    node->is_leaf = v[LEFT] < 0;
    node->gain = v[GAIN];
    node->cover = v[COVER];
    node->value = node->is_leaf ? (double)(float)v[CONDITION] : threshold_of(v[CONDITION]);
    if (node->is_leaf)
        return true;
    if (v[LEFT] >= (double)n || v[RIGHT] < 0 || v[RIGHT] >= (double)n || v[COLUMN] < 0 ||
        v[COLUMN] >= FOREST_MAX_COLS)
        return false;
    node->left = (size_t)v[LEFT];
    node->right = (size_t)v[RIGHT];
    node->column = (uint32_t)v[COLUMN];
    node->is_missing_left = v[DEFAULT_LEFT] != 0;
    return true;
}

static bool has_categories(const cJSON *tree)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(tree, "split_type")) {
        if (item->valuedouble != 0)
            return true;
    }
    return false;
}

static enum ft_status read_tree(const cJSON *tree, struct gbdt *g, struct ft_err *err)
{
    const cJSON *at[N_ARRAYS];
    size_t n = 0;
    enum ft_status st = open_arrays(tree, at, &n, err);
    if (st == FT_OK && has_categories(tree))
        st = ft_fail(err, FT_INVALID, "a split by categories, which this importer does not know");
    if (st != FT_OK)
        return ft_err_prefix(err, "tree %zu", g->n_trees);
    struct foreign_node *nodes = calloc(n + 1, sizeof(*nodes));
    if (nodes == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu nodes", n);
    for (size_t i = 0; i < n && st == FT_OK; i++)
        if (!read_node(at, n, &nodes[i]))
            st = ft_fail(err, FT_INVALID, "tree %zu, node %zu is not well formed", g->n_trees, i);
    if (st == FT_OK)
        st = foreign_add_tree(g, nodes, n, err);
    free(nodes);
    return st;
}

/* Objective and the score before the first tree: base_score is on the scale of the answer. */
static enum ft_status read_head(const cJSON *learner, enum gbdt_objective *objective, double *base,
                                size_t *n_cols, struct ft_err *err)
{
    static const struct {
        const char *name;
        enum gbdt_objective objective;
    } known[] = {{"binary:logistic", GBDT_LOGISTIC},
                 {"reg:squarederror", GBDT_SQUARED},
                 {"reg:absoluteerror", GBDT_SQUARED},
                 {"reg:pseudohubererror", GBDT_SQUARED},
                 {"count:poisson", GBDT_POISSON}};
    const cJSON *param = NULL, *object = NULL;
    const char *name = NULL;
    double cols = 0, classes = 0;
    enum ft_status st = json_object(learner, "learner_model_param", true, &param, err);
    if (st == FT_OK)
        st = json_object(learner, "objective", true, &object, err);
    if (st == FT_OK)
        st = json_string(object, "name", true, &name, err);
    if (st == FT_OK)
        st = text_number(param, "base_score", base, err);
    if (st == FT_OK)
        st = text_number(param, "num_feature", &cols, err);
    if (st == FT_OK)
        st = text_number(param, "num_class", &classes, err);
    if (st == FT_OK && (classes > 1 || !(cols >= 1 && cols <= FOREST_MAX_COLS)))
        st = ft_fail(err, FT_INVALID,
                     "%g classes, %g columns: expected one output and 1 to %u columns", classes,
                     cols, FOREST_MAX_COLS);
    size_t k = 0;
    while (st == FT_OK && k < sizeof(known) / sizeof(known[0]) && strcmp(known[k].name, name) != 0)
        k++;
    if (st == FT_OK && k == sizeof(known) / sizeof(known[0]))
        st = ft_fail(err, FT_INVALID,
                     "objective '%.60s', expected binary:logistic, reg:squarederror, "
                     "reg:absoluteerror, reg:pseudohubererror or count:poisson",
                     name);
    if (st != FT_OK)
        return st;
    *objective = known[k].objective;
    *n_cols = (size_t)cols;
    if (*objective == GBDT_LOGISTIC)
        *base = log(*base / (1 - *base));
    else if (*objective == GBDT_POISSON)
        *base = log(*base);
    return isfinite(*base) ? FT_OK : ft_fail(err, FT_INVALID, "/base_score is out of range");
}

static enum ft_status read_names(const cJSON *learner, size_t n_cols, struct foreign_names *out,
                                 struct ft_err *err)
{
    const cJSON *names = NULL, *name;
    const enum ft_status st = json_array(learner, "feature_names", false, &names, err);
    if (st != FT_OK || names == NULL || (size_t)cJSON_GetArraySize(names) != n_cols)
        return st;
    out->names = calloc(n_cols, sizeof(*out->names));
    if (out->names == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu names", n_cols);
    cJSON_ArrayForEach (name, names) {
        if (!cJSON_IsString(name))
            return ft_fail(err, FT_INVALID, "/feature_names: a name is no text");
        out->names[out->n] = strdup(name->valuestring);
        if (out->names[out->n] == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu names", n_cols);
        out->n++;
    }
    return FT_OK;
}

static enum ft_status read_learner(const cJSON *learner, struct gbdt **g,
                                   struct foreign_names *names, struct ft_err *err)
{
    const cJSON *booster = NULL, *model = NULL, *trees = NULL, *tree;
    const char *name = NULL;
    enum gbdt_objective objective = GBDT_SQUARED;
    double base = 0;
    size_t n_cols = 0;
    enum ft_status st = read_head(learner, &objective, &base, &n_cols, err);
    if (st == FT_OK)
        st = json_object(learner, "gradient_booster", true, &booster, err);
    if (st == FT_OK)
        st = json_string(booster, "name", true, &name, err);
    if (st == FT_OK && strcmp(name, "gbtree") != 0)
        st = ft_fail(err, FT_INVALID, "booster '%.40s', expected gbtree", name);
    if (st == FT_OK)
        st = json_object(booster, "model", true, &model, err);
    if (st == FT_OK)
        st = json_array(model, "trees", true, &trees, err);
    if (st == FT_OK)
        st = read_names(learner, n_cols, names, err);
    if (st != FT_OK)
        return st;
    *g = forest_new(objective, n_cols, base);
    if (*g == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a model");
    cJSON_ArrayForEach (tree, trees) {
        st = read_tree(tree, *g, err);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

enum ft_status xgboost_import(const char *text, size_t len, struct model **out,
                              struct foreign_names *names, struct ft_err *err)
{
    cJSON *file = NULL;
    const cJSON *learner = NULL;
    struct gbdt *g = NULL;
    *out = NULL;
    *names = (struct foreign_names){0};
    enum ft_status st = json_parse(text, len, &file, err);
    if (st == FT_OK)
        st = json_object(file, "learner", true, &learner, err);
    if (st == FT_OK)
        st = read_learner(learner, &g, names, err);
    cJSON_Delete(file);
    if (st == FT_OK)
        return foreign_model(g, out, err);
    gbdt_free(g);
    return st;
}
