/* Bytes of a file, of a .gz or .zst file (told by their first bytes, not by name) or of standard
 * input ("-"), decompressed as they are read: memory stays constant whatever the size. */
#ifndef APP_INGEST_INPUT_H
#define APP_INGEST_INPUT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

/* is_stopped (may be NULL) is asked when a signal interrupts a read. FT_NOT_FOUND, FT_IO, FT_NOMEM;
 * FT_INVALID for a folder. The caller ends *out with input_close(). */
enum ft_status input_open(const char *path, bool (*is_stopped)(void), struct input **out,
                          struct ft_err *err);

/* Reads up to size bytes, fewer only at the end of the input; *n 0 = the end. FT_INVALID: the
 * compressed data is damaged or cut off. FT_INTERRUPTED: is_stopped said so. */
enum ft_status input_read(struct input *in, char *out, size_t size, size_t *n, struct ft_err *err);

/* Bytes taken from the file so far, and its size (0 = unknown); both before decompression. */
int64_t input_position(const struct input *in);
int64_t input_size(const struct input *in);

const char *input_name(const struct input *in);
void input_close(struct input *in); /* NULL is fine */

#endif
