/* NumPy .npy files (format 1.0 to 3.0), read in place: little-endian numbers in C order, one or two
 * dimensions. */
#ifndef APP_NPY_H
#define APP_NPY_H

#include "app/base/status.h"

#include <stddef.h>

enum npy_type { NPY_F4, NPY_F8, NPY_I1, NPY_U1, NPY_I2, NPY_I4, NPY_I8, NPY_BOOL };

struct npy {
    enum npy_type type;
    size_t n_rows, n_cols; /* n_cols 1 for one dimension */
    const void *data;      /* first number */
    void *map;             /* the file in memory */
    size_t map_len;
};

/* Understands the header of a file of len bytes; data points into it. FT_INVALID says what was
 * expected: magic, version, dtype, order, shape, and enough bytes for it. */
enum ft_status npy_parse(const void *bytes, size_t len, struct npy *out, struct ft_err *err);

/* Maps the file read-only. FT_NOT_FOUND, FT_IO, FT_INVALID name the file. */
enum ft_status npy_open(const char *path, struct npy *out, struct ft_err *err);
void npy_close(struct npy *a);

/* Number i of the array in C order. */
double npy_value(const struct npy *a, size_t i);

#endif
