#include "app/base/hash.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { READ_SIZE = 65536 };

static void to_hex(const unsigned char digest[crypto_hash_sha256_BYTES], char out[HASH_HEX_SIZE])
{
    sodium_bin2hex(out, HASH_HEX_SIZE, digest, crypto_hash_sha256_BYTES);
}

void hash_sha256(const void *data, size_t len, char out[HASH_HEX_SIZE])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, data, len);
    to_hex(digest, out);
}

enum ft_status hash_sha256_file(const char *path, char out[HASH_HEX_SIZE], struct ft_err *err)
{
    unsigned char block[READ_SIZE], digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    size_t n;

    out[0] = '\0';
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return ft_fail(err, errno == ENOENT ? FT_NOT_FOUND : FT_IO, "%s: %s", path,
                       strerror(errno));
    crypto_hash_sha256_init(&state);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        crypto_hash_sha256_update(&state, block, n);
    const int failed = ferror(f);
    fclose(f);
    if (failed)
        return ft_fail(err, FT_IO, "%s: cannot be read", path);
    crypto_hash_sha256_final(&state, digest);
    to_hex(digest, out);
    return FT_OK;
}
