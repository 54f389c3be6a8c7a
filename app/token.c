#include "app/token.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "fettle_"
enum { ID_BYTES = 6, SECRET_BYTES = 32, SECRET_CHARS = 43 };

static const char *const role_names[] = {"none",     "viewer", "planner",
                                         "engineer", "admin",  "ingest"};

const char *token_role_name(enum token_role role)
{
    return (size_t)role < sizeof(role_names) / sizeof(role_names[0]) ? role_names[role] : "none";
}

enum ft_status token_role_parse(const char *word, enum token_role *out, struct ft_err *err)
{
    for (int i = ROLE_VIEWER; i <= ROLE_INGEST; i++) {
        if (strcmp(word, role_names[i]) == 0) {
            *out = (enum token_role)i;
            return FT_OK;
        }
    }
    return ft_fail(err, FT_INVALID,
                   "role %.40s: expected viewer, planner, engineer, admin or ingest", word);
}

void token_sha256(const void *data, unsigned long len, char out[TOKEN_HASH_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, len);
    sodium_bin2hex(out, TOKEN_HASH_SIZE, hash, sizeof(hash));
}

enum ft_status token_new(struct token *out, struct ft_err *err)
{
    unsigned char id[ID_BYTES], secret[SECRET_BYTES];
    char secret_text[SECRET_CHARS + 1];
    if (sodium_init() < 0)
        return ft_fail(err, FT_INTERNAL, "libsodium does not start");
    randombytes_buf(id, sizeof(id));
    randombytes_buf(secret, sizeof(secret));
    sodium_bin2hex(out->public_id, sizeof(out->public_id), id, sizeof(id));
    sodium_bin2base64(secret_text, sizeof(secret_text), secret, sizeof(secret),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    token_sha256(secret_text, SECRET_CHARS, out->hash);
    snprintf(out->text, sizeof(out->text), PREFIX "%s_%s", out->public_id, secret_text);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(secret_text, sizeof(secret_text));
    return FT_OK;
}

bool token_read(const char *text, struct token *out)
{
    static const char hex[] = "0123456789abcdef";
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (strncmp(text, PREFIX, sizeof(PREFIX) - 1) != 0)
        return false;
    const char *id = text + sizeof(PREFIX) - 1;
    const size_t id_len = strspn(id, hex);
    if (id_len != (size_t)ID_BYTES * 2 || id[id_len] != '_')
        return false;
    const char *secret = id + id_len + 1;
    if (strlen(secret) != SECRET_CHARS || strspn(secret, base64) != SECRET_CHARS)
        return false;
    snprintf(out->public_id, sizeof(out->public_id), "%.*s", (int)id_len, id);
    token_sha256(secret, SECRET_CHARS, out->hash);
    out->text[0] = '\0';
    return true;
}

bool token_is_same(const char hash[TOKEN_HASH_SIZE], const char *stored_hash)
{
    return strlen(stored_hash) == TOKEN_HASH_SIZE - 1 &&
           sodium_memcmp(hash, stored_hash, TOKEN_HASH_SIZE - 1) == 0;
}
