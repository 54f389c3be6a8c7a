/* SHA-256 as lower-case hex, by libsodium. */
#ifndef APP_BASE_HASH_H
#define APP_BASE_HASH_H

#include "app/base/status.h"

#include <stddef.h>

#define HASH_HEX_SIZE 65 /* 64 digits and the NUL */

void hash_sha256(const void *data, size_t len, char out[HASH_HEX_SIZE]);

/* Of a file's bytes. FT_NOT_FOUND or FT_IO names the file; out is then "". */
enum ft_status hash_sha256_file(const char *path, char out[HASH_HEX_SIZE], struct ft_err *err);

#endif
