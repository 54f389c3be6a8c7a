/* The protocol buffers wire format, writing only
 * (https://protobuf.dev/programming-guides/encoding). A message inside a message is written to a
 * buffer of its own and then put as bytes. */
#ifndef MODELS_INTERCHANGE_PROTOBUF_H
#define MODELS_INTERCHANGE_PROTOBUF_H

#include "app/base/buf.h"

#include <stddef.h>
#include <stdint.h>

void protobuf_put_int(struct buf *b, unsigned field, int64_t value); /* int32, int64, enum, bool */
void protobuf_put_float(struct buf *b, unsigned field, float value);
void protobuf_put_bytes(struct buf *b, unsigned field, const void *data, size_t len);
void protobuf_put_text(struct buf *b, unsigned field, const char *text);
/* Puts what inner holds and empties it; a failure of inner becomes one of b. */
void protobuf_put_message(struct buf *b, unsigned field, struct buf *inner);
/* Repeated numbers, packed. */
void protobuf_put_ints(struct buf *b, unsigned field, const int64_t *values, size_t n);
void protobuf_put_floats(struct buf *b, unsigned field, const float *values, size_t n);

#endif
