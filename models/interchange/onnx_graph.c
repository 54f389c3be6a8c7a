/* Field numbers are those of onnx.proto (IR version 8). */
#include "models/interchange/onnx_graph.h"

#include "models/interchange/protobuf.h"

#include <stdio.h>

void onnx_put_attribute(struct buf *node, const char *name, int type, struct buf *a)
{
    protobuf_put_text(a, 1, name);
    protobuf_put_int(a, 20, type);
    protobuf_put_message(node, 5, a);
}

void onnx_put_int_attribute(struct buf *node, const char *name, int64_t v)
{
    struct buf a;
    buf_init(&a, ONNX_MAX_BYTES);
    protobuf_put_int(&a, 3, v);
    onnx_put_attribute(node, name, ONNX_INT, &a);
}

void onnx_put_ints(struct buf *node, const char *name, const int64_t *v, size_t n)
{
    struct buf a;
    buf_init(&a, ONNX_MAX_BYTES);
    protobuf_put_ints(&a, 8, v, n);
    onnx_put_attribute(node, name, ONNX_INTS, &a);
}

void onnx_put_floats(struct buf *node, const char *name, const float *v, size_t n)
{
    struct buf a;
    buf_init(&a, ONNX_MAX_BYTES);
    protobuf_put_floats(&a, 7, v, n);
    onnx_put_attribute(node, name, ONNX_FLOATS, &a);
}

static void next_value(struct onnx_graph *g)
{
    snprintf(g->value, sizeof(g->value), "v%d", ++g->n_values);
}

void onnx_put_node(struct onnx_graph *g, const char *op, const char *domain,
                   const char *const *inputs, struct buf *node)
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

void onnx_put_plain(struct onnx_graph *g, const char *op, const char *a, const char *b)
{
    struct buf node;
    char first[16];
    snprintf(first, sizeof(first), "%s", a);
    const char *const inputs[] = {first, b, NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_node(g, op, NULL, inputs, &node);
}

void onnx_put_constant(struct onnx_graph *g, const char *name, const float *v, size_t rows,
                       size_t cols)
{
    struct buf t;
    buf_init(&t, ONNX_MAX_BYTES);
    protobuf_put_int(&t, 1, (int64_t)rows);
    protobuf_put_int(&t, 1, (int64_t)cols);
    protobuf_put_int(&t, 2, ONNX_FLOAT);
    protobuf_put_floats(&t, 4, v, rows * cols);
    protobuf_put_text(&t, 8, name);
    protobuf_put_message(&g->bytes, 5, &t);
}

void onnx_put_index(struct onnx_graph *g, const char *name, int64_t v)
{
    struct buf t;
    buf_init(&t, ONNX_MAX_BYTES);
    protobuf_put_int(&t, 1, 1);
    protobuf_put_int(&t, 2, ONNX_INT64);
    protobuf_put_ints(&t, 7, &v, 1);
    protobuf_put_text(&t, 8, name);
    protobuf_put_message(&g->bytes, 5, &t);
}

void onnx_put_cast(struct onnx_graph *g, const char *from, int type)
{
    struct buf node;
    const char *const inputs[] = {from, NULL};
    buf_init(&node, ONNX_MAX_BYTES);
    onnx_put_int_attribute(&node, "to", type);
    onnx_put_node(g, "Cast", NULL, inputs, &node);
}

void onnx_put_named(struct onnx_graph *g, const char *name)
{
    struct buf node;
    buf_init(&node, ONNX_MAX_BYTES);
    protobuf_put_text(&node, 1, g->value);
    protobuf_put_text(&node, 2, name);
    protobuf_put_text(&node, 4, "Identity");
    protobuf_put_message(&g->bytes, 1, &node);
}
