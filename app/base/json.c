#include "app/base/json.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "app/base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the JSON number at p (RFC 8259, section 6), or 0: cJSON takes what strtod() takes. */
static size_t number_length(const unsigned char *p, size_t left)
{
    size_t i = 0;
    size_t begin;
    if (i < left && p[i] == '-')
        i++;
    if (i < left && p[i] == '0') {
        i++;
    } else {
        for (begin = i; i < left && p[i] >= '0' && p[i] <= '9'; i++)
            ;
        if (i == begin)
            return 0;
    }
    if (i < left && p[i] == '.') {
        for (begin = ++i; i < left && p[i] >= '0' && p[i] <= '9'; i++)
            ;
        if (i == begin)
            return 0;
    }
    if (i < left && (p[i] == 'e' || p[i] == 'E')) {
        i++;
        if (i < left && (p[i] == '+' || p[i] == '-'))
            i++;
        for (begin = i; i < left && p[i] >= '0' && p[i] <= '9'; i++)
            ;
        if (i == begin)
            return 0;
    }
    return i < left && strchr("0123456789+-.eE", p[i]) != NULL && p[i] != '\0' ? 0 : i;
}

/* One pass over the bytes for what cJSON does not look at. */
static enum ft_status check_bytes(const unsigned char *p, size_t len, struct ft_err *err)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_length(p + i, len - i);
        if (n == 0)
            return ft_fail(err, FT_INVALID, "JSON: byte %zu is not valid UTF-8", i);
        const unsigned char c = p[i];
        const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (c < 0x20 && (in_string || !is_space))
            return ft_fail(err, FT_INVALID, "JSON: control byte 0x%02x at byte %zu", c, i);
        if (in_string && c == '\\') {
            if (len - i >= 6 && memcmp(p + i, "\\u0000", 6) == 0)
                return ft_fail(err, FT_INVALID, "JSON: \\u0000 at byte %zu", i);
            i += i + 1 < len && p[i + 1] < 0x80 ? 2 : 1;
            continue;
        }
        if (!in_string && (c == '+' || c == '-' || c == '.' || (c >= '0' && c <= '9'))) {
            const size_t digits = number_length(p + i, len - i);
            if (digits == 0)
                return ft_fail(err, FT_INVALID, "JSON: not a number at byte %zu", i);
            i += digits;
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        if (!in_string && (c == '{' || c == '[') && ++depth > JSON_MAX_DEPTH)
            return ft_fail(err, FT_INVALID, "JSON: nested deeper than %d at byte %zu",
                           JSON_MAX_DEPTH, i);
        if (!in_string && (c == '}' || c == ']'))
            depth--;
        i += n;
    }
    return FT_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ft_status check_object_keys(const cJSON *object, struct ft_err *err)
{
    size_t n = 0;
    const cJSON *child;
    cJSON_ArrayForEach (child, object) {
        n++;
    }
    if (n < 2)
        return FT_OK;
    const char **keys = calloc(n, sizeof(*keys));
    if (keys == NULL)
        return ft_fail(err, FT_NOMEM, "JSON: no memory for %zu keys", n);
    size_t i = 0;
    cJSON_ArrayForEach (child, object) {
        keys[i++] = child->string;
    }
    qsort(keys, n, sizeof(*keys), compare_keys);
    enum ft_status st = FT_OK;
    for (i = 1; i < n && st == FT_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            st = ft_fail(err, FT_INVALID, "JSON: key \"%.100s\" occurs twice in one object",
                         keys[i]);
    free(keys);
    return st;
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static enum ft_status check_keys(const cJSON *value, struct ft_err *err)
{
    enum ft_status st = cJSON_IsObject(value) ? check_object_keys(value, err) : FT_OK;
    const cJSON *child;
    if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        cJSON_ArrayForEach (child, value) {
            if (st == FT_OK)
                st = check_keys(child, err);
        }
    }
    return st;
}

enum ft_status json_parse(const char *text, size_t len, cJSON **out, struct ft_err *err)
{
    *out = NULL;
    if (len == 0)
        return ft_fail(err, FT_INVALID, "JSON: empty text");
    enum ft_status st = check_bytes((const unsigned char *)text, len, err);
    if (st != FT_OK)
        return st;
    const char *end = NULL;
    cJSON *value = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    if (value == NULL)
        return ft_fail(err, FT_INVALID, "JSON: not valid at byte %zu",
                       end != NULL ? (size_t)(end - text) : 0);
    while (end < text + len && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (end != text + len)
        st = ft_fail(err, FT_INVALID, "JSON: text after the value at byte %zu",
                     (size_t)(end - text));
    else
        st = check_keys(value, err);
    if (st != FT_OK) {
        cJSON_Delete(value);
        return st;
    }
    *out = value;
    return FT_OK;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Finds a member of the wanted kind; *item is NULL when it is absent and optional. */
static enum ft_status find(const cJSON *object, const char *key, bool required,
                           cJSON_bool (*is_kind)(const cJSON *), const char *kind,
                           const cJSON **item, struct ft_err *err)
{
    *item = json_get(object, key);
    if (*item == NULL || cJSON_IsNull(*item)) {
        *item = NULL;
        if (!required)
            return FT_OK;
        return ft_fail(err, FT_INVALID, "/%s: missing, expected %s", key, kind);
    }
    if (!is_kind(*item))
        return ft_fail(err, FT_INVALID, "/%s: expected %s", key, kind);
    return FT_OK;
}

enum ft_status json_string(const cJSON *object, const char *key, bool required, const char **out,
                           struct ft_err *err)
{
    const cJSON *item;
    const enum ft_status st = find(object, key, required, cJSON_IsString, "a string", &item, err);
    if (item != NULL && st == FT_OK)
        *out = item->valuestring;
    return st;
}

enum ft_status json_number(const cJSON *object, const char *key, bool required, double *out,
                           struct ft_err *err)
{
    const cJSON *item;
    const enum ft_status st = find(object, key, required, cJSON_IsNumber, "a number", &item, err);
    if (item == NULL || st != FT_OK)
        return st;
    if (!isfinite(item->valuedouble))
        return ft_fail(err, FT_INVALID, "/%s: expected a finite number", key);
    *out = item->valuedouble;
    return FT_OK;
}

enum ft_status json_int(const cJSON *object, const char *key, bool required, int64_t min,
                        int64_t max, int64_t *out, struct ft_err *err)
{
    double v = NAN;
    const enum ft_status st = json_number(object, key, required, &v, err);
    if (st != FT_OK || isnan(v))
        return st;
    if (v != floor(v) || fabs(v) > 0x1p53 || (int64_t)v < min || (int64_t)v > max)
        return ft_fail(err, FT_INVALID, "/%s: expected a whole number from %lld to %lld", key,
                       (long long)min, (long long)max);
    *out = (int64_t)v;
    return FT_OK;
}

enum ft_status json_bool(const cJSON *object, const char *key, bool required, bool *out,
                         struct ft_err *err)
{
    const cJSON *item;
    const enum ft_status st =
        find(object, key, required, cJSON_IsBool, "true or false", &item, err);
    if (item != NULL && st == FT_OK)
        *out = cJSON_IsTrue(item);
    return st;
}

enum ft_status json_instant(const cJSON *object, const char *key, bool required, int64_t *ts_ms,
                            struct ft_err *err)
{
    const cJSON *item = json_get(object, key);
    if (item == NULL || cJSON_IsNull(item))
        return required ? ft_fail(err, FT_INVALID, "/%s: missing, expected a time", key) : FT_OK;
    if (cJSON_IsNumber(item) && fabs(item->valuedouble) < 1e14) {
        /* Epoch seconds below 1e11, milliseconds above, as clock_parse() does for text. */
        const double v = item->valuedouble;
        *ts_ms = (int64_t)llround(fabs(v) < 1e11 ? v * 1000.0 : v);
        return FT_OK;
    }
    if (!cJSON_IsString(item))
        return ft_fail(err, FT_INVALID, "/%s: expected a time such as 2026-11-21T06:42:00Z", key);
    struct ft_err inner;
    if (clock_parse(item->valuestring, strlen(item->valuestring), ts_ms, &inner) != FT_OK)
        return ft_fail(err, FT_INVALID, "/%s: %.400s", key, inner.msg);
    return FT_OK;
}

enum ft_status json_array(const cJSON *object, const char *key, bool required, const cJSON **out,
                          struct ft_err *err)
{
    const cJSON *item;
    const enum ft_status st = find(object, key, required, cJSON_IsArray, "an array", &item, err);
    if (item != NULL && st == FT_OK)
        *out = item;
    return st;
}

enum ft_status json_object(const cJSON *object, const char *key, bool required, const cJSON **out,
                           struct ft_err *err)
{
    const cJSON *item;
    const enum ft_status st = find(object, key, required, cJSON_IsObject, "an object", &item, err);
    if (item != NULL && st == FT_OK)
        *out = item;
    return st;
}

enum ft_status json_only_keys(const cJSON *object, const char *const keys[], struct ft_err *err)
{
    const cJSON *child;
    if (cJSON_IsArray(object)) /* its members have no names */
        return ft_fail(err, FT_INVALID, "/: expected an object, not a list");
    cJSON_ArrayForEach (child, object) {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], child->string) != 0)
            i++;
        if (keys[i] == NULL)
            return ft_fail(err, FT_INVALID, "/%.100s: unknown field", child->string);
    }
    return FT_OK;
}

/* Adds item (may be NULL when memory is gone) under key or at the array's end; frees it on failure.
 */
static cJSON *add(cJSON *to, const char *key, cJSON *item)
{
    const cJSON_bool added =
        item != NULL && to != NULL &&
        (key != NULL ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item));
    if (!added) {
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

void json_add_string(cJSON *to, const char *key, const char *value)
{
    add(to, key, value != NULL ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_add_format(cJSON *to, const char *key, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_add_string(to, key, text);
}

void json_add_number(cJSON *to, const char *key, double value)
{
    add(to, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void json_add_int(cJSON *to, const char *key, int64_t value)
{
    /* From 1e15 on cJSON would print a rounded number in scientific form. */
    if (value < INT64_C(1000000000000000) && value > INT64_C(-1000000000000000)) {
        add(to, key, cJSON_CreateNumber((double)value));
        return;
    }
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    add(to, key, cJSON_CreateRaw(text));
}

void json_add_bool(cJSON *to, const char *key, bool value)
{
    add(to, key, cJSON_CreateBool(value));
}

void json_add_null(cJSON *to, const char *key)
{
    add(to, key, cJSON_CreateNull());
}

void json_add_instant(cJSON *to, const char *key, int64_t ts_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(ts_ms, text);
    add(to, key, cJSON_CreateString(text));
}

void json_add_money(cJSON *to, const char *key, int64_t minor, const char *currency)
{
    json_add_number(to, key, money_to_major(minor, currency));
}

cJSON *json_add_object(cJSON *to, const char *key)
{
    return add(to, key, cJSON_CreateObject());
}

cJSON *json_add_array(cJSON *to, const char *key)
{
    return add(to, key, cJSON_CreateArray());
}

char *json_print(const cJSON *value, bool pretty)
{
    return pretty ? cJSON_Print(value) : cJSON_PrintUnformatted(value);
}
