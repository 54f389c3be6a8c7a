/* Nodes and constants of an ONNX graph, as bytes. Failures stay in the buffer (buf_status()). */
#ifndef MODELS_INTERCHANGE_ONNX_GRAPH_H
#define MODELS_INTERCHANGE_ONNX_GRAPH_H

#include "app/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Types of a tensor's elements, and of attributes. */
enum { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_DOUBLE = 11 };
enum { ONNX_INT = 2, ONNX_FLOATS = 6, ONNX_INTS = 7, ONNX_STRINGS = 8 };
#define ONNX_MAX_BYTES ((size_t)1 << 31)

/* A graph that grows: value is the name of the newest result. */
struct onnx_graph {
    struct buf bytes;
    char value[16];
    int n_values;
};

/* Attributes of a node; onnx_put_attribute() takes and frees the attribute's bytes. */
void onnx_put_attribute(struct buf *node, const char *name, int type, struct buf *a);
void onnx_put_int_attribute(struct buf *node, const char *name, int64_t v);
void onnx_put_ints(struct buf *node, const char *name, const int64_t *v, size_t n);
void onnx_put_floats(struct buf *node, const char *name, const float *v, size_t n);

/* Ends a node and takes its bytes: inputs NULL-terminated, its output is the newest value.
 * Attributes are already in node. domain NULL = the common one. */
void onnx_put_node(struct onnx_graph *g, const char *op, const char *domain,
                   const char *const *inputs, struct buf *node);
/* A node without attributes; b NULL = one input. Either may be g->value. */
void onnx_put_plain(struct onnx_graph *g, const char *op, const char *a, const char *b);
void onnx_put_cast(struct onnx_graph *g, const char *from, int type);
/* Gives the newest value one more name. */
void onnx_put_named(struct onnx_graph *g, const char *name);

void onnx_put_constant(struct onnx_graph *g, const char *name, const float *v, size_t rows,
                       size_t cols);
/* A list of one whole number. */
void onnx_put_index(struct onnx_graph *g, const char *name, int64_t v);

#endif
