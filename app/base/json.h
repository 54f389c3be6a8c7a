/* JSON by cJSON behind one strict door. json_parse() refuses what cJSON lets through: invalid
 * UTF-8, NUL, control bytes, depth over 32, text after the value, duplicate keys. Keys are always
 * looked up with case. Errors name the field by its JSON pointer. */
#ifndef APP_BASE_JSON_H
#define APP_BASE_JSON_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 32

/* Parses len bytes into *out (caller ends it with cJSON_Delete()). FT_INVALID with the byte offset
 * and what was wrong; FT_NOMEM. Allocates O(len). */
enum ft_status json_parse(const char *text, size_t len, cJSON **out, struct ft_err *err);

/* Member of an object by exact key, or NULL. */
const cJSON *json_get(const cJSON *object, const char *key);

/* Typed getters. The value must have the type, numbers must be finite. When the member is absent or
 * null: a required one is FT_INVALID, an optional one leaves *out as it is. The error names the
 * key. Strings stay owned by the tree. */
enum ft_status json_string(const cJSON *object, const char *key, bool required, const char **out,
                           struct ft_err *err);
enum ft_status json_number(const cJSON *object, const char *key, bool required, double *out,
                           struct ft_err *err);
/* A whole number within [min, max] (and within +-2^53). */
enum ft_status json_int(const cJSON *object, const char *key, bool required, int64_t min,
                        int64_t max, int64_t *out, struct ft_err *err);
enum ft_status json_bool(const cJSON *object, const char *key, bool required, bool *out,
                         struct ft_err *err);
/* An RFC 3339 string or a Unix epoch number as an instant. */
enum ft_status json_instant(const cJSON *object, const char *key, bool required, int64_t *ts_ms,
                            struct ft_err *err);
enum ft_status json_array(const cJSON *object, const char *key, bool required, const cJSON **out,
                          struct ft_err *err);
enum ft_status json_object(const cJSON *object, const char *key, bool required, const cJSON **out,
                           struct ft_err *err);

/* Refuses a member whose key is not in the NULL-terminated list: FT_INVALID names it. A list is
 * refused too. */
enum ft_status json_only_keys(const cJSON *object, const char *const keys[], struct ft_err *err);

/* Builders: add to an object (key) or to an array (key NULL). NaN and infinities become null.
 * Instants become RFC 3339 strings. A failed allocation is kept as a null member; json_print()
 * then still prints valid JSON. */
/* Text made as printf() does, at most 399 bytes. */
__attribute__((format(printf, 3, 4))) void json_add_format(cJSON *to, const char *key,
                                                           const char *fmt, ...);
void json_add_string(cJSON *to, const char *key, const char *value); /* NULL becomes null */
void json_add_number(cJSON *to, const char *key, double value);
void json_add_int(cJSON *to, const char *key, int64_t value);
void json_add_bool(cJSON *to, const char *key, bool value);
void json_add_null(cJSON *to, const char *key);
void json_add_instant(cJSON *to, const char *key, int64_t ts_ms);
/* Money in minor units as a number of major units with the currency's own digits (EUR 2, JPY 0). */
void json_add_money(cJSON *to, const char *key, int64_t minor, const char *currency);
cJSON *json_add_object(cJSON *to, const char *key); /* owned by to; NULL when memory is gone */
cJSON *json_add_array(cJSON *to, const char *key);

/* Prints to a heap string (free()); pretty or in one line. NULL when memory is gone. */
char *json_print(const cJSON *value, bool pretty);

#endif
