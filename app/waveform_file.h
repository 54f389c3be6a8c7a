/* Raw samples from the bytes of a file: CSV (one column), NumPy .npy, or bare little-endian
 * numbers. */
#ifndef APP_WAVEFORM_FILE_H
#define APP_WAVEFORM_FILE_H

#include "app/base/status.h"

#include <stddef.h>

enum waveform_format {
    WAVEFORM_GUESS, /* .npy by its first bytes, CSV when the bytes are text; else refused */
    WAVEFORM_CSV,
    WAVEFORM_NPY,
    WAVEFORM_F32,
    WAVEFORM_F64,
    WAVEFORM_I16,
    WAVEFORM_I32
};
/* "csv", "npy", "f32le", "f64le", "i16le", "i32le"; FT_INVALID lists them. */
enum ft_status waveform_format_parse(const char *word, enum waveform_format *out,
                                     struct ft_err *err);

struct waveform_file_options {
    enum waveform_format format;
    const char *column; /* by name or number (1 is the first); NULL when there is only one */
    double scale;       /* samples are multiplied by it; 0 = 1 */
};

/* The samples of a file; *out is the caller's. name is for messages. FT_INVALID names line or
 * position and what was expected: a cell that is no finite number, a column that is not there,
 * several columns and none named, bytes left over. FT_NOMEM. */
enum ft_status waveform_file_parse(const char *name, const void *bytes, size_t len,
                                   const struct waveform_file_options *options, double **out,
                                   size_t *n, struct ft_err *err);

#endif
