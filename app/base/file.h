/* Whole files. */
#ifndef APP_BASE_FILE_H
#define APP_BASE_FILE_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <stddef.h>

/* Appends the file's bytes to out, up to out's ceiling. FT_NOT_FOUND, FT_IO, FT_INVALID (too
 * large), FT_NOMEM; the text names the file. */
enum ft_status file_read(const char *path, struct buf *out, struct ft_err *err);

/* Replaces the file in one step: writes beside it, flushes to the disk, renames. On failure the old
 * file stays as it was. FT_IO. */
enum ft_status file_write(const char *path, const void *data, size_t len, struct ft_err *err);

#endif
