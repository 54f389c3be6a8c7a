/* Field numbers are those of onnx.proto (IR version 8). */
#include "models/interchange/onnx.h"

#include "models/gbdt/forest.h"
#include "models/interchange/protobuf.h"
#include "models/linear_private.h"
#include "models/model_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 13, OPSET_ML = 3 };
enum { TYPE_FLOAT = 1 }; /* of TensorProto */
enum { ATTRIBUTE_INT = 2, ATTRIBUTE_FLOATS = 6, ATTRIBUTE_INTS = 7, ATTRIBUTE_STRINGS = 8 };
static const size_t MAX_BYTES = (size_t)1 << 31;

/* --- nodes ------------------------------------------------------------------------------------ */

/* A graph that grows: value is the name of the newest result. */
struct graph {
    struct buf bytes;
    char value[16];
    int n_values;
};

static void put_attribute(struct buf *node, const char *name, int type, struct buf *a)
{
    protobuf_put_text(a, 1, name);
    protobuf_put_int(a, 20, type);
    protobuf_put_message(node, 5, a);
}

static void put_int_attribute(struct buf *node, const char *name, int64_t v)
{
    struct buf a;
    buf_init(&a, MAX_BYTES);
    protobuf_put_int(&a, 3, v);
    put_attribute(node, name, ATTRIBUTE_INT, &a);
}

static void put_ints(struct buf *node, const char *name, const int64_t *v, size_t n)
{
    struct buf a;
    buf_init(&a, MAX_BYTES);
    protobuf_put_ints(&a, 8, v, n);
    put_attribute(node, name, ATTRIBUTE_INTS, &a);
}

static void put_floats(struct buf *node, const char *name, const float *v, size_t n)
{
    struct buf a;
    buf_init(&a, MAX_BYTES);
    protobuf_put_floats(&a, 7, v, n);
    put_attribute(node, name, ATTRIBUTE_FLOATS, &a);
}

static void next_value(struct graph *g)
{
    snprintf(g->value, sizeof(g->value), "v%d", ++g->n_values);
}

/* Ends a node: inputs NULL-terminated, its output is the newest value. Attributes are already in
 * node. domain NULL = the common one. */
static void put_node(struct graph *g, const char *op, const char *domain, const char *const *inputs,
                     struct buf *node)
{
    for (size_t i = 0; inputs[i] != NULL; i++)
        protobuf_put_text(node, 1, inputs[i]);
    next_value(g);
    protobuf_put_text(node, 2, g->value);
    protobuf_put_text(node, 4, op);
    if (domain != NULL)
        protobuf_put_text(node, 7, domain);
    protobuf_put_message(&g->bytes, 1, node);
}

/* A node without attributes; b NULL = one input. */
static void put_plain(struct graph *g, const char *op, const char *a, const char *b)
{
    struct buf node;
    char first[16];
    snprintf(first, sizeof(first), "%s", a);
    const char *const inputs[] = {first, b, NULL};
    buf_init(&node, MAX_BYTES);
    put_node(g, op, NULL, inputs, &node);
}

static void put_constant(struct graph *g, const char *name, const float *v, size_t rows,
                         size_t cols)
{
    struct buf t;
    buf_init(&t, MAX_BYTES);
    protobuf_put_int(&t, 1, (int64_t)rows);
    protobuf_put_int(&t, 1, (int64_t)cols);
    protobuf_put_int(&t, 2, TYPE_FLOAT);
    protobuf_put_floats(&t, 4, v, rows * cols);
    protobuf_put_text(&t, 8, name);
    protobuf_put_message(&g->bytes, 5, &t);
}

/* --- trees ------------------------------------------------------------------------------------ */

/* The greatest float that is not above t: for floats x, x <= t and x <= the result are the same. */
static float float_below(double t)
{
    const float f = (float)t;
    return (double)f > t ? nextafterf(f, -INFINITY) : f;
}

/* Attributes of all nodes, side by side. */
struct ensemble {
    int64_t *tree, *node, *feature, *yes, *no, *missing; /* [n] */
    float *threshold;                                    /* [n] */
    int64_t *leaf_tree, *leaf_node, *leaf_target;        /* [n_leaves] */
    float *leaf_value;
    size_t n, n_leaves;
};

static bool ensemble_alloc(struct ensemble *e, size_t n)
{
    int64_t **const ints[] = {&e->tree,    &e->node,      &e->feature,   &e->yes,        &e->no,
                              &e->missing, &e->leaf_tree, &e->leaf_node, &e->leaf_target};
    bool is_well = true;
    *e = (struct ensemble){.n = n};
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
        is_well &= (*ints[i] = calloc(n + 1, sizeof(int64_t))) != NULL;
    e->threshold = calloc(n + 1, sizeof(float));
    e->leaf_value = calloc(n + 1, sizeof(float));
    return is_well && e->threshold != NULL && e->leaf_value != NULL;
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
    free(e->threshold);
    free(e->leaf_value);
}

static void ensemble_fill(struct ensemble *e, const struct gbdt *g)
{
    for (size_t t = 0; t < g->n_trees; t++)
        for (size_t i = g->root[t]; i < g->root[t + 1]; i++) {
            const struct forest_node *n = &g->node[i];
            e->tree[i] = (int64_t)t;
            e->node[i] = (int64_t)(i - g->root[t]);
            if (n->child == 0) {
                e->leaf_tree[e->n_leaves] = (int64_t)t;
                e->leaf_node[e->n_leaves] = e->node[i];
                e->leaf_value[e->n_leaves++] = (float)n->value;
                continue;
            }
            e->feature[i] = n->column & ~FOREST_MISSING_LEFT;
            e->missing[i] = (n->column & FOREST_MISSING_LEFT) != 0;
            e->threshold[i] = float_below(n->value);
            e->yes[i] = (int64_t)(n->child - g->root[t]);
            e->no[i] = e->yes[i] + 1;
        }
}

static void put_modes(struct buf *node, const struct gbdt *g)
{
    struct buf a;
    buf_init(&a, MAX_BYTES);
    for (size_t i = 0; i < g->n_nodes; i++)
        protobuf_put_text(&a, 9, g->node[i].child == 0 ? "LEAF" : "BRANCH_LEQ");
    put_attribute(node, "nodes_modes", ATTRIBUTE_STRINGS, &a);
}

static void put_ensemble(struct buf *node, const struct ensemble *e, const struct gbdt *g)
{
    const float base = (float)g->base;
    put_int_attribute(node, "n_targets", 1);
    put_floats(node, "base_values", &base, 1);
    put_ints(node, "nodes_treeids", e->tree, e->n);
    put_ints(node, "nodes_nodeids", e->node, e->n);
    put_ints(node, "nodes_featureids", e->feature, e->n);
    put_modes(node, g);
    put_floats(node, "nodes_values", e->threshold, e->n);
    put_ints(node, "nodes_truenodeids", e->yes, e->n);
    put_ints(node, "nodes_falsenodeids", e->no, e->n);
    put_ints(node, "nodes_missing_value_tracks_true", e->missing, e->n);
    put_ints(node, "target_treeids", e->leaf_tree, e->n_leaves);
    put_ints(node, "target_nodeids", e->leaf_node, e->n_leaves);
    put_ints(node, "target_ids", e->leaf_target, e->n_leaves);
    put_floats(node, "target_weights", e->leaf_value, e->n_leaves);
}

static enum ft_status put_trees(struct graph *graph, const struct gbdt *g, struct ft_err *err)
{
    static const char *const inputs[] = {"x", NULL};
    struct ensemble e;
    struct buf node;
    enum ft_status st = FT_OK;
    if (g->n_trees == 0)
        return ft_fail(err, FT_INVALID, "onnx: a model without a single tree");
    if (ensemble_alloc(&e, g->n_nodes)) {
        ensemble_fill(&e, g);
        buf_init(&node, MAX_BYTES);
        put_ensemble(&node, &e, g);
        put_node(graph, "TreeEnsembleRegressor", "ai.onnx.ml", inputs, &node);
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

static void put_predictor(struct graph *g, const double *coefficient, size_t n_cols, float *scratch)
{
    struct buf node;
    char filled[16];
    const float intercept = (float)coefficient[0];
    snprintf(filled, sizeof(filled), "%s", g->value);
    const char *const inputs[] = {filled, NULL};
    for (size_t j = 0; j < n_cols; j++)
        scratch[j] = (float)coefficient[j + 1];
    buf_init(&node, MAX_BYTES);
    put_floats(&node, "coefficients", scratch, n_cols);
    put_floats(&node, "intercepts", &intercept, 1);
    put_int_attribute(&node, "targets", 1);
    put_node(g, "LinearRegressor", "ai.onnx.ml", inputs, &node);
}

static enum ft_status put_linear(struct graph *g, const struct linear *m, struct ft_err *err)
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
    put_constant(g, "mean", scratch, 1, n);
    put_plain(g, "IsNaN", "x", NULL);
    snprintf(is_missing, sizeof(is_missing), "%s", g->value);
    struct buf node;
    const char *const inputs[] = {is_missing, "mean", "x", NULL};
    buf_init(&node, MAX_BYTES);
    put_node(g, "Where", NULL, inputs, &node);
    put_predictor(g, coefficient, n, scratch);
    if (missing_steps(m, scratch)) {
        const char *const flags[] = {is_missing, NULL};
        snprintf(predictor, sizeof(predictor), "%s", g->value);
        put_constant(g, "step", scratch, n, 1);
        buf_init(&node, MAX_BYTES);
        put_int_attribute(&node, "to", TYPE_FLOAT);
        put_node(g, "Cast", NULL, flags, &node);
        put_plain(g, "MatMul", g->value, "step");
        put_plain(g, "Add", g->value, predictor);
    }
    free(coefficient);
    free(scratch);
    return FT_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static double logit(double p)
{
    return log(p / (1 - p));
}

/* From the raw prediction to the final one. Platt's map is a line in the log-odds: two points say
 * which, two more that it is one. */
static enum ft_status put_answer(struct graph *g, const struct model *m, struct ft_err *err)
{
    const bool is_log = m->kind == MODEL_GBDT && m->task == TASK_REGRESS &&
                        gbdt_objective_of(m->fitted) == GBDT_POISSON;
    if (is_log)
        put_plain(g, "Exp", g->value, NULL);
    if (m->task != TASK_CLASSIFY)
        return FT_OK;
    if (m->calibration != NULL) {
        const double b = logit(calibration_apply(m->calibration, 0));
        const double a = logit(calibration_apply(m->calibration, 1)) - b;
        for (int s = -2; s <= 2; s += 4)
            if (!(fabs(logit(calibration_apply(m->calibration, s)) - (a * s + b)) < 1e-6))
                return ft_fail(err, FT_INVALID, "onnx: only Platt's calibration can be exported");
        const float slope = (float)a, offset = (float)b;
        put_constant(g, "slope", &slope, 1, 1);
        put_constant(g, "offset", &offset, 1, 1);
        put_plain(g, "Mul", g->value, "slope");
        put_plain(g, "Add", g->value, "offset");
    }
    put_plain(g, "Sigmoid", g->value, NULL);
    return FT_OK;
}

/* [rows, n_cols] of floats. */
static void put_value_info(struct graph *g, unsigned field, const char *name, size_t n_cols)
{
    struct buf dim, shape, tensor, type, info;
    buf_init(&dim, MAX_BYTES);
    buf_init(&shape, MAX_BYTES);
    buf_init(&tensor, MAX_BYTES);
    buf_init(&type, MAX_BYTES);
    buf_init(&info, MAX_BYTES);
    protobuf_put_text(&dim, 2, "rows");
    protobuf_put_message(&shape, 1, &dim);
    protobuf_put_int(&dim, 1, (int64_t)n_cols);
    protobuf_put_message(&shape, 1, &dim);
    protobuf_put_int(&tensor, 1, TYPE_FLOAT);
    protobuf_put_message(&tensor, 2, &shape);
    protobuf_put_message(&type, 1, &tensor);
    protobuf_put_text(&info, 1, name);
    protobuf_put_message(&info, 2, &type);
    protobuf_put_message(&g->bytes, field, &info);
}

static void put_opset(struct buf *out, const char *domain, int version)
{
    struct buf opset;
    buf_init(&opset, MAX_BYTES);
    protobuf_put_text(&opset, 1, domain);
    protobuf_put_int(&opset, 2, version);
    protobuf_put_message(out, 8, &opset);
}

static void put_property(struct buf *out, const char *key, const char *value)
{
    struct buf property;
    if (value == NULL)
        return;
    buf_init(&property, MAX_BYTES);
    protobuf_put_text(&property, 1, key);
    protobuf_put_text(&property, 2, value);
    protobuf_put_message(out, 14, &property);
}

/* Gives the newest value its public name. */
static void put_output(struct graph *g)
{
    static const char *const name = "prediction";
    struct buf node;
    buf_init(&node, MAX_BYTES);
    protobuf_put_text(&node, 1, g->value);
    protobuf_put_text(&node, 2, name);
    protobuf_put_text(&node, 4, "Identity");
    protobuf_put_message(&g->bytes, 1, &node);
    put_value_info(g, 12, name, 1);
}

enum ft_status onnx_export(const struct model *m, struct buf *out, struct ft_err *err)
{
    struct graph g = {.n_values = 0};
    enum ft_status st;
    if (m->kind != MODEL_GBDT && m->kind != MODEL_LOGISTIC && m->kind != MODEL_RIDGE)
        return ft_fail(err, FT_INVALID, "onnx: a %s model cannot be exported%s",
                       model_kind_name(m->kind),
                       m->kind == MODEL_GBDT_PRODUCTS ? "; fit it with --no-search" : "");
    buf_init(&g.bytes, MAX_BYTES);
    protobuf_put_text(&g.bytes, 2, "fettle");
    put_value_info(&g, 11, "x", model_n_cols(m));
    st = m->kind == MODEL_GBDT ? put_trees(&g, m->fitted, err) : put_linear(&g, m->fitted, err);
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
