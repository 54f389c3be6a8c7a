/* API keys as text: "fettle_<id>_<secret>". The id is public, the secret is shown once and stored
 * as its SHA-256. Roles are what a key may do. */
#ifndef APP_TOKEN_H
#define APP_TOKEN_H

#include "app/base/status.h"

#include <stdbool.h>

#define TOKEN_TEXT_SIZE 80
#define TOKEN_ID_SIZE 17
#define TOKEN_HASH_SIZE 65

/* Each of the first four may do what the ones before it may. Ingest stands alone: it sends readings
 * and events and reads nothing. */
enum token_role { ROLE_NONE, ROLE_VIEWER, ROLE_PLANNER, ROLE_ENGINEER, ROLE_ADMIN, ROLE_INGEST };

const char *token_role_name(enum token_role role);
enum ft_status token_role_parse(const char *word, enum token_role *out, struct ft_err *err);

struct token {
    char text[TOKEN_TEXT_SIZE]; /* the whole key; show it once */
    char public_id[TOKEN_ID_SIZE];
    char hash[TOKEN_HASH_SIZE]; /* SHA-256 of the secret, hex */
};

/* Makes a new key with 256 random bits. */
enum ft_status token_new(struct token *out, struct ft_err *err);

/* Splits a key that a caller sent and hashes its secret; false when it has not the form of one. */
bool token_read(const char *text, struct token *out);

/* Same hash? Takes the same time whatever the difference. */
bool token_is_same(const char hash[TOKEN_HASH_SIZE], const char *stored_hash);

/* SHA-256 of bytes as 64 hex digits. */
void token_sha256(const void *data, unsigned long len, char out[TOKEN_HASH_SIZE]);

#endif
