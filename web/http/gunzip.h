/* Compressed request bodies: a gzip file of one or more members, with a ceiling. */
#ifndef WEB_HTTP_GUNZIP_H
#define WEB_HTTP_GUNZIP_H

#include "app/base/status.h"

#include <stddef.h>

#define GUNZIP_MAX_RATIO 200 /* a body that grows more than this is refused as a bomb */
#define GUNZIP_MIN_LIMIT ((size_t)1 << 16)

/* Inflates data into *out (NUL-terminated behind *out_len bytes; the caller frees it). FT_INVALID:
 * not gzip, damaged, cut short, or larger than max bytes or GUNZIP_MAX_RATIO times its size (but
 * GUNZIP_MIN_LIMIT bytes are always allowed). FT_NOMEM. */
enum ft_status gunzip(const void *data, size_t len, size_t max, char **out, size_t *out_len,
                      struct ft_err *err);

#endif
