/* Field numbers are those of onnx.proto (IR version 8). */
#include "models/interchange/onnx.h"

#include "models/aft.h"
#include "models/cox.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/survival.h"
#include "models/interchange/onnx_graph.h"
#include "models/interchange/protobuf.h"
#include "models/linear_private.h"
#include "models/model_private.h"
#include "models/products.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 13, OPSET_ML = 3 };

/* --- trees ------------------------------------------------------------------------------------ */

/* The greatest float that is not above t: for floats x, x <= t and x <= the result are the same. */
static float float_below(double t)
{
    const float f = (float)t;
    return (double)f > t ? nextafterf(f, -INFINITY) : f;
}

/* Attributes of all nodes, side by side. A split by categories is a chain of equality nodes, which
 * is how this version of the format says it (runtimes know the pattern). */
struct ensemble {
    int64_t *tree, *node, *feature, *yes, *no, *missing; /* [n] */
    float *threshold;                                    /* [n] */
    const char **mode;                                   /* [n] */
    int64_t *leaf_tree, *leaf_node, *leaf_target;        /* [n_leaves] */
    float *leaf_value;
    size_t n, n_leaves;
};

static bool ensemble_alloc(struct ensemble *e, size_t n)
{
    int64_t **const ints[] = {&e->tree,    &e->node,      &e->feature,   &e->yes,        &e->no,
                              &e->missing, &e->leaf_tree, &e->leaf_node, &e->leaf_target};
    bool is_well = true;
    *e = (struct ensemble){0};
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
        is_well &= (*ints[i] = calloc(n + 1, sizeof(int64_t))) != NULL;
    e->threshold = calloc(n + 1, sizeof(float));
    e->leaf_value = calloc(n + 1, sizeof(float));
    e->mode = calloc(n + 1, sizeof(*e->mode));
    return is_well && e->mode != NULL && e->threshold != NULL && e->leaf_value != NULL;
}

static void ensemble_free(struct ensemble *e)
{
    free(e->tree);
    free(e->node);
    free(e->feature);
    free(e->yes);
    free(e->no);
    free(e->missing);
    free(e->leaf_tree);
    free(e->leaf_node);
    free(e->leaf_target);
    free(e->mode);
    free(e->threshold);
    free(e->leaf_value);
}

/* A node at the end; returns its place. */
static size_t add_node(struct ensemble *e, size_t tree, size_t number, const char *mode)
{
    e->tree[e->n] = (int64_t)tree;
    e->node[e->n] = (int64_t)number;
    e->mode[e->n] = mode;
    return e->n++;
}

/* Categories that go where missing values, and with them all others, do not. */
static struct code_set chain_of(const struct gbdt *g, const struct forest_node *n, size_t *length)
{
    struct code_set set = *forest_set_of(g, n);
    *length = 0;
    for (size_t w = 0; w < 4; w++) {
        set.word[w] = n->column & FOREST_MISSING_LEFT ? ~set.word[w] : set.word[w];
        *length += (size_t)__builtin_popcountll(set.word[w]);
    }
    return set;
}

/* Fills the chain of a split: its first node is place, the others get numbers from *number on. */
static void add_chain(struct ensemble *e, const struct gbdt *g, const struct forest_node *n,
                      size_t place, size_t *number)
{
    size_t length;
    const struct code_set set = chain_of(g, n, &length);
    const size_t tree = (size_t)e->tree[place];
    const int64_t left = (int64_t)(n->child - g->root[tree]), right = left + 1;
    const bool is_missing_left = n->column & FOREST_MISSING_LEFT;
    bool is_first = true;
    for (unsigned code = 0; code < MAX_CATEGORIES || is_first; code++) {
        if (code < MAX_CATEGORIES && !code_set_has(&set, code))
            continue;
        if (!is_first) {
            e->no[place] = (int64_t)*number;
            place = add_node(e, tree, (*number)++, "BRANCH_EQ");
        }
        is_first = false;
        e->feature[place] = forest_column(n);
        e->threshold[place] = code < MAX_CATEGORIES ? (float)code : -1;
        e->yes[place] = is_missing_left ? right : left;
        e->no[place] = is_missing_left ? left : right;
    }
}

static void add_tree(struct ensemble *e, const struct gbdt *g, size_t t)
{
    const size_t first = e->n;
    size_t number = g->root[t + 1] - g->root[t];
    for (size_t i = 0; i < g->root[t + 1] - g->root[t]; i++) {
        const struct forest_node *n = &g->node[g->root[t] + i];
        const bool is_leaf = n->child == 0;
        const size_t at = add_node(e, t, i,
                                   is_leaf            ? "LEAF"
                                   : forest_is_set(n) ? "BRANCH_EQ"
                                                      : "BRANCH_LEQ");
        if (is_leaf) {
            e->leaf_tree[e->n_leaves] = (int64_t)t;
            e->leaf_node[e->n_leaves] = e->node[at];
            e->leaf_value[e->n_leaves++] = (float)n->value;
        } else if (!forest_is_set(n)) {
            e->feature[at] = forest_column(n);
            e->missing[at] = (n->column & FOREST_MISSING_LEFT) != 0;
            e->threshold[at] = float_below(n->value);
            e->yes[at] = (int64_t)(n->child - g->root[t]);
            e->no[at] = e->yes[at] + 1;
        }
    }
    for (size_t i = 0; i < g->root[t + 1] - g->root[t]; i++) {
        const struct forest_node *n = &g->node[g->root[t] + i];
        if (n->child != 0 && forest_is_set(n))
            add_chain(e, g, n, first + i, &number);
    }
}

/* Nodes with those of the chains. */
static size_t count_nodes(const struct gbdt *g)
{
    size_t n = g->n_nodes;
    for (size_t i = 0; i < g->n_nodes; i++) {
        size_t length = 0;
        if (g->node[i].child != 0 && forest_is_set(&g->node[i]))
            chain_of(g, &g->node[i], &length);
        n += length;
    }
    return n;
}

static void put_modes(struct buf *node, const struct ensemble *e)
{
    struct buf a;
    buf_init(&a, ONNX_MAX_BYTES);
    for (size_t i = 0; i < e->n; i++)
        protobuf_put_text(&a, 9, e->mode[i]);
    onnx_put_attribute(node, "nodes_modes", ONNX_STRINGS, &a);
}

static void put_ensemble(struct buf *node, const struct ensemble *e, const struct gbdt *g)
{
    const float base = (float)g->base;
    onnx_put_int_attribute(node, "n_targets", 1);
    onnx_put_floats(node, "base_values", &base, 1);
    onnx_put_ints(node, "nodes_treeids", e->tree, e->n);
    onnx_put_ints(node, "nodes_nodeids", e->node, e->n);
    onnx_put_ints(node, "nodes_featureids", e->feature, e->n);
    put_modes(node, e);
    onnx_put_floats(node, "nodes_values", e->threshold, e->n);
    onnx_put_ints(node, "nodes_truenodeids", e->yes, e->n);
    onnx_put_ints(node, "nodes_falsenodeids", e->no, e->n);
    onnx_put_ints(node, "nodes_missing_value_tracks_true", e->missing, e->n);
    onnx_put_ints(node, "target_treeids", e->leaf_tree, e->n_leaves);
    onnx_put_ints(node, "target_nodeids", e->leaf_node, e->n_leaves);
    onnx_put_ints(node, "target_ids", e->leaf_target, e->n_leaves);
    onnx_put_floats(node, "target_weights", e->leaf_value, e->n_leaves);
}

/* The raw scores of the trees from the values named x. */
static enum ft_status put_trees(struct onnx_graph *graph, const char *x, const struct gbdt *g,
                                struct ft_err *err)
{
    const char *const inputs[] = {x, NULL};
    struct ensemble e;
    struct buf node;
    enum ft_status st = FT_OK;
    if (g->n_trees == 0)
        return ft_fail(err, FT_INVALID, "onnx: a model without a single tree");
    if (ensemble_alloc(&e, count_nodes(g))) {
        for (size_t t = 0; t < g->n_trees; t++)
            add_tree(&e, g, t);
        buf_init(&node, ONNX_MAX_BYTES);
        put_ensemble(&node, &e, g);
        onnx_put_node(graph, "TreeEnsembleRegressor", "ai.onnx.ml", inputs, &node);
    } else {
        st = ft_fail(err, FT_NOMEM, "onnx: no memory for %zu nodes", g->n_nodes);
    }
    ensemble_free(&e);
    return st;
}

/* --- linear ----------------------------------------------------------------------------------- */

/* What a missing value adds: the step of its indicator. */
static bool missing_steps(const struct linear *m, float *step)
{
    const struct design *d = &m->design;
    const double *beta = m->beta + 1 + d->n_cols;
    bool is_any = false;
    for (size_t j = 0; j < d->n_cols; j++) {
        step[j] = 0;
        if (d->miss_scale[j] > 0) {
            step[j] = (float)(*beta++ / d->miss_scale[j]);
            is_any = true;
        }
    }
    return is_any;
}

static void put_predictor(struct onnx_graph *g, const double *coefficient, size_t n_cols,
                          float *scratch)
{
    struct buf node;
    char filled[16];
    const float intercept = (float)coefficient[0];
    snprintf(filled, sizeof(filled), "%s", g->value);
    const char *const inputs[] = {filled, NULL};
    for (size_t j = 0; j < n_cols; j++)
        scratch[j] = (float)coefficient[j + 1];
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_floats(&node, "coefficients", scratch, n_cols);
    onnx_put_floats(&node, "intercepts", &intercept, 1);
    onnx_put_int_attribute(&node, "targets", 1);
    onnx_put_node(g, "LinearRegressor", "ai.onnx.ml", inputs, &node);
}

static enum ft_status put_linear(struct onnx_graph *g, const struct linear *m, struct ft_err *err)
{
    const size_t n = m->design.n_cols;
    double *coefficient = calloc(n + 1, sizeof(*coefficient));
    float *scratch = calloc(n + 1, sizeof(*scratch));
    char is_missing[16], predictor[16];
    if (coefficient == NULL || scratch == NULL) {
        free(coefficient);
        free(scratch);
        return ft_fail(err, FT_NOMEM, "onnx: no memory for %zu columns", n);
    }
    linear_coefficients(m, coefficient);
    for (size_t j = 0; j < n; j++)
        scratch[j] = (float)m->design.mean[j];
    onnx_put_constant(g, "mean", scratch, 1, n);
    onnx_put_plain(g, "IsNaN", "x", NULL);
    snprintf(is_missing, sizeof(is_missing), "%s", g->value);
    struct buf node;
    const char *const inputs[] = {is_missing, "mean", "x", NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_node(g, "Where", NULL, inputs, &node);
    put_predictor(g, coefficient, n, scratch);
    if (missing_steps(m, scratch)) {
        snprintf(predictor, sizeof(predictor), "%s", g->value);
        onnx_put_constant(g, "step", scratch, n, 1);
        onnx_put_cast(g, is_missing, ONNX_FLOAT);
        onnx_put_plain(g, "MatMul", g->value, "step");
        onnx_put_plain(g, "Add", g->value, predictor);
    }
    free(coefficient);
    free(scratch);
    return FT_OK;
}

/* --- lives ------------------------------------------------------------------------------------ */

/* Coefficients of the raw prediction of a Cox or AFT regression: [0] is its value at 0, step[j]
 * what a missing value of column j makes of that; both are those of the model's own predictions. */
static void line_of(const struct model *m, double *row, double *coefficient, float *step)
{
    const size_t n = model_n_cols(m);
    const struct matrix x = {row, 1, n, n, NULL};
    double without;
    if (m->kind == MODEL_COX)
        cox_coefficients(m->fitted, coefficient + 1);
    else
        aft_coefficients(m->fitted, coefficient);
    for (size_t j = 1; j <= n && m->kind == MODEL_AFT; j++)
        coefficient[j] = -coefficient[j]; /* raw is minus the log of the median life */
    model_predict_raw(m, &x, &coefficient[0]);
    for (size_t j = 0; j < n; j++) {
        row[j] = NAN;
        model_predict_raw(m, &x, &without);
        row[j] = 0;
        step[j] = (float)(without - coefficient[0]);
    }
}

static enum ft_status put_line(struct onnx_graph *g, const struct model *m, struct ft_err *err)
{
    const size_t n = model_n_cols(m);
    static const float zero = 0;
    double *coefficient = calloc(n + 1, sizeof(*coefficient)), *row = calloc(n, sizeof(*row));
    float *scratch = calloc(n + 1, 2 * sizeof(*scratch));
    char is_missing[16], predictor[16];
    struct buf node;
    if (coefficient == NULL || row == NULL || scratch == NULL) {
        free(coefficient);
        free(row);
        free(scratch);
        return ft_fail(err, FT_NOMEM, "onnx: no memory for %zu columns", n);
    }
    line_of(m, row, coefficient, scratch + n + 1);
    onnx_put_constant(g, "zero", &zero, 1, 1);
    onnx_put_constant(g, "step", scratch + n + 1, n, 1);
    onnx_put_plain(g, "IsNaN", "x", NULL);
    snprintf(is_missing, sizeof(is_missing), "%s", g->value);
    const char *const inputs[] = {is_missing, "zero", "x", NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_node(g, "Where", NULL, inputs, &node);
    put_predictor(g, coefficient, n, scratch);
    snprintf(predictor, sizeof(predictor), "%s", g->value);
    onnx_put_cast(g, is_missing, ONNX_FLOAT);
    onnx_put_plain(g, "MatMul", g->value, "step");
    onnx_put_plain(g, "Add", g->value, predictor);
    free(coefficient);
    free(row);
    free(scratch);
    return FT_OK;
}

/* Trees of lives: the score itself (Cox), or minus the log of the median life, which is a constant
 * less the score (AFT). */
static enum ft_status put_life_trees(struct onnx_graph *g, const struct model *m,
                                     struct ft_err *err)
{
    const struct gbdt *trees = survival_trees_forest(m->fitted);
    const size_t n = model_n_cols(m);
    double score, risk;
    if (gbdt_objective_of(trees) == GBDT_LOGISTIC)
        return ft_fail(
            err, FT_INVALID,
            "onnx: a discrete-time hazard, which asks its trees once per interval, cannot "
            "be exported");
    const enum ft_status st = put_trees(g, "x", trees, err);
    if (st != FT_OK || gbdt_objective_of(trees) == GBDT_COX)
        return st;
    double *row = calloc(n, sizeof(*row));
    if (row == NULL)
        return ft_fail(err, FT_NOMEM, "onnx: no memory for %zu columns", n);
    const struct matrix x = {row, 1, n, n, NULL};
    gbdt_predict(trees, &x, &score);
    model_predict_raw(m, &x, &risk);
    free(row);
    const float constant = (float)(risk + score);
    onnx_put_constant(g, "constant", &constant, 1, 1);
    onnx_put_plain(g, "Sub", "constant", g->value);
    return FT_OK;
}

/* --- products of columns ---------------------------------------------------------------------- */

/* Column j of x as doubles, [rows, 1], into name: forms are computed in double precision, so that
 * they are rounded once, when the trees take them. */
static void put_column(struct onnx_graph *g, size_t k, size_t j, char name[16])
{
    struct buf node;
    char index[24];
    snprintf(index, sizeof(index), "column%zu", k);
    onnx_put_index(g, index, (int64_t)j);
    const char *const inputs[] = {"wide", index, NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_int_attribute(&node, "axis", 1);
    onnx_put_node(g, "Gather", NULL, inputs, &node);
    snprintf(name, 16, "%s", g->value);
}

/* Form k of two columns as floats into name; the trees' own missing value where it is not finite.
 */
static void put_form(struct onnx_graph *g, size_t k, const struct product *form, char name[16])
{
    static const char *const ops[] = {
        [PRODUCT_TIMES] = "Mul", [PRODUCT_OVER] = "Div", [PRODUCT_MINUS] = "Sub"};
    char a[16], b[16], value[16], is_infinite[16];
    struct buf node;
    put_column(g, 2 * k, form->a, a);
    put_column(g, 2 * k + 1, form->b, b);
    onnx_put_plain(g, ops[form->form], a, b);
    snprintf(value, sizeof(value), "%s", g->value);
    onnx_put_plain(g, "IsInf", value, NULL);
    snprintf(is_infinite, sizeof(is_infinite), "%s", g->value);
    onnx_put_cast(g, value, ONNX_FLOAT);
    snprintf(value, sizeof(value), "%s", g->value);
    const char *const inputs[] = {is_infinite, "missing", value, NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_node(g, "Where", NULL, inputs, &node);
    snprintf(name, 16, "%s", g->value);
}

/* x with the forms beside it. */
static void put_wide_rows(struct onnx_graph *g, const struct product *forms, size_t n)
{
    static const float missing = NAN;
    char names[PRODUCTS_MAX_KEPT][16];
    const char *inputs[PRODUCTS_MAX_KEPT + 2] = {"x"};
    struct buf node;
    onnx_put_constant(g, "missing", &missing, 1, 1);
    onnx_put_cast(g, "x", ONNX_DOUBLE);
    onnx_put_named(g, "wide");
    for (size_t k = 0; k < n; k++) {
        put_form(g, k, &forms[k], names[k]);
        inputs[k + 1] = names[k];
    }
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_int_attribute(&node, "axis", 1);
    onnx_put_node(g, "Concat", NULL, inputs, &node);
}

/* The mean of the members' scores. */
static enum ft_status put_products(struct onnx_graph *g, const struct products *p,
                                   struct ft_err *err)
{
    static const float share = 1.0F / PRODUCTS_N_MEMBERS;
    char rows[16] = "x", sum[16] = "";
    size_t n = 0;
    enum ft_status st = FT_OK;
    const struct product *forms = products_forms(p, &n);
    if (n > 0) {
        put_wide_rows(g, forms, n);
        snprintf(rows, sizeof(rows), "%s", g->value);
    }
    for (size_t k = 0; k < PRODUCTS_N_MEMBERS && st == FT_OK; k++) {
        st = put_trees(g, rows, products_member(p, k), err);
        if (k > 0)
            onnx_put_plain(g, "Add", sum, g->value);
        snprintf(sum, sizeof(sum), "%s", g->value);
    }
    onnx_put_constant(g, "share", &share, 1, 1);
    onnx_put_plain(g, "Mul", g->value, "share");
    return st;
}

/* --- the answer ------------------------------------------------------------------------------- */

static double logit(double p)
{
    return log(p / (1 - p));
}

static double softplus(double v)
{
    return fmax(v, 0) + log1p(exp(-fabs(v)));
}

/* The log-odds of a calibration by Platt or beta are offset + up softplus(s) - down softplus(-s)
 * (by Platt with up = down): three scores say which, others whether it is one. false: it is not. */
static bool beta_of(const struct calibration *c, double *up, double *down, double *offset)
{
    const double s = softplus(1), t = softplus(-1);
    const double at0 = logit(calibration_apply(c, 0)), at1 = logit(calibration_apply(c, 1));
    const double under1 = logit(calibration_apply(c, -1)), ln2 = softplus(0);
    const double a = s - ln2,
                 b = ln2 - t; /* at1 - at0 = up a + down b; at0 - under1 = up b + down a */
    *up = ((at1 - at0) * a - (at0 - under1) * b) / (a * a - b * b);
    *down = ((at0 - under1) * a - (at1 - at0) * b) / (a * a - b * b);
    *offset = at0 - (*up - *down) * ln2;
    for (int k = -4; k <= 4; k++) {
        const double v = *offset + *up * softplus(k) - *down * softplus(-k);
        if (!(fabs(logit(calibration_apply(c, k)) - v) < 1e-6 * fmax(1, fabs(v))))
            return false;
    }
    return true;
}

static enum ft_status put_calibration(struct onnx_graph *g, const struct calibration *c,
                                      struct ft_err *err)
{
    double up, down, offset;
    char score[16], above[16];
    if (!beta_of(c, &up, &down, &offset))
        return ft_fail(err, FT_INVALID,
                       "onnx: an isotonic calibration cannot be exported; fit with --calibration "
                       "platt, beta or none");
    const float values[3] = {(float)up, (float)down, (float)offset};
    onnx_put_constant(g, "up", &values[0], 1, 1);
    onnx_put_constant(g, "down", &values[1], 1, 1);
    onnx_put_constant(g, "offset", &values[2], 1, 1);
    snprintf(score, sizeof(score), "%s", g->value);
    onnx_put_plain(g, "Softplus", score, NULL);
    onnx_put_plain(g, "Mul", g->value, "up");
    onnx_put_plain(g, "Add", g->value, "offset");
    snprintf(above, sizeof(above), "%s", g->value);
    onnx_put_plain(g, "Neg", score, NULL);
    onnx_put_plain(g, "Softplus", g->value, NULL);
    onnx_put_plain(g, "Mul", g->value, "down");
    onnx_put_plain(g, "Sub", above, g->value);
    return FT_OK;
}

/* From the raw prediction to the final one. */
static enum ft_status put_answer(struct onnx_graph *g, const struct model *m, struct ft_err *err)
{
    const struct gbdt *trees = m->kind == MODEL_GBDT            ? m->fitted
                               : m->kind == MODEL_GBDT_PRODUCTS ? products_trees(m->fitted)
                                                                : NULL;
    enum ft_status st = FT_OK;
    if (trees != NULL && gbdt_objective_of(trees) == GBDT_POISSON)
        onnx_put_plain(g, "Exp", g->value, NULL);
    if (m->task != TASK_CLASSIFY)
        return FT_OK;
    if (m->calibration != NULL)
        st = put_calibration(g, m->calibration, err);
    onnx_put_plain(g, "Sigmoid", g->value, NULL);
    return st;
}

/* [rows, n_cols] of floats. */
static void put_value_info(struct onnx_graph *g, unsigned field, const char *name, size_t n_cols)
{
    struct buf dim, shape, tensor, type, info;
    buf_init(&dim, ONNX_MAX_BYTES);
    buf_init(&shape, ONNX_MAX_BYTES);
    buf_init(&tensor, ONNX_MAX_BYTES);
    buf_init(&type, ONNX_MAX_BYTES);
    buf_init(&info, ONNX_MAX_BYTES);
    protobuf_put_text(&dim, 2, "rows");
    protobuf_put_message(&shape, 1, &dim);
    protobuf_put_int(&dim, 1, (int64_t)n_cols);
    protobuf_put_message(&shape, 1, &dim);
    protobuf_put_int(&tensor, 1, ONNX_FLOAT);
    protobuf_put_message(&tensor, 2, &shape);
    protobuf_put_message(&type, 1, &tensor);
    protobuf_put_text(&info, 1, name);
    protobuf_put_message(&info, 2, &type);
    protobuf_put_message(&g->bytes, field, &info);
}

static void put_opset(struct buf *out, const char *domain, int version)
{
    struct buf opset;
    buf_init(&opset, ONNX_MAX_BYTES);
    protobuf_put_text(&opset, 1, domain);
    protobuf_put_int(&opset, 2, version);
    protobuf_put_message(out, 8, &opset);
}

static void put_property(struct buf *out, const char *key, const char *value)
{
    struct buf property;
    if (value == NULL)
        return;
    buf_init(&property, ONNX_MAX_BYTES);
    protobuf_put_text(&property, 1, key);
    protobuf_put_text(&property, 2, value);
    protobuf_put_message(out, 14, &property);
}

/* Gives the newest value its public name. */
static void put_output(struct onnx_graph *g)
{
    static const char *const name = "prediction";
    onnx_put_named(g, name);
    put_value_info(g, 12, name, 1);
}

static enum ft_status put_raw(struct onnx_graph *g, const struct model *m, struct ft_err *err)
{
    switch (m->kind) {
    case MODEL_GBDT:
        return put_trees(g, "x", m->fitted, err);
    case MODEL_LOGISTIC:
    case MODEL_RIDGE:
        return put_linear(g, m->fitted, err);
    case MODEL_COX:
    case MODEL_AFT:
        return put_line(g, m, err);
    case MODEL_GBDT_SURVIVAL:
        return put_life_trees(g, m, err);
    case MODEL_GBDT_PRODUCTS:
        return put_products(g, m->fitted, err);
    default:
        return ft_fail(err, FT_INVALID, "onnx: a %s model cannot be exported",
                       model_kind_name(m->kind));
    }
}

enum ft_status onnx_export(const struct model *m, struct buf *out, struct ft_err *err)
{
    struct onnx_graph g = {.n_values = 0};
    enum ft_status st;
    buf_init(&g.bytes, ONNX_MAX_BYTES);
    protobuf_put_text(&g.bytes, 2, "fettle");
    put_value_info(&g, 11, "x", model_n_cols(m));
    st = put_raw(&g, m, err);
    if (st == FT_OK)
        st = put_answer(&g, m, err);
    if (st == FT_OK) {
        put_output(&g);
        protobuf_put_int(out, 1, IR_VERSION);
        protobuf_put_text(out, 2, "fettle");
        protobuf_put_message(out, 7, &g.bytes);
        put_opset(out, "", OPSET);
        put_opset(out, "ai.onnx.ml", OPSET_ML);
        put_property(out, "features", model_text(m, "features"));
        put_property(out, "task", model_task_name(m->task));
        st = buf_status(out, err);
    }
    buf_free(&g.bytes);
    return st;
}
