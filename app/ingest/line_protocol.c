#include "app/ingest/line_protocol.h"

#include "app/base/clock.h"
#include "app/ingest/limits.h"
#include "app/ingest/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- lines ----------------------------------------------------------------------------------- */

/* First unescaped byte at or after p that is one of the two (or a line end); end when none is. */
static inline const char *find_plain(const char *p, const char *end, char a, char b)
{
    for (; p < end && *p != a && *p != b && *p != '\n'; p++)
        if (*p == '\\' && p + 1 < end && p[1] != '\n')
            p++;
    return p;
}

/* Behind the closing quote of the string whose opening quote is at p; NULL when there is none. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : NULL;
}

static bool is_word(const char *p, size_t len, const char *const words[])
{
    for (; *words != NULL; words++)
        if (strlen(*words) == len && memcmp(*words, p, len) == 0)
            return true;
    return false;
}

static bool is_digits(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return len > 0;
}

/* 12i, -3i, 7u. */
static bool read_integer(const char *p, size_t len, double *out)
{
    const bool is_unsigned = p[len - 1] == 'u';
    const size_t sign = len > 1 && *p == '-' && !is_unsigned;
    return is_digits(p + sign, len - 1 - sign) && len - sign <= 21 &&
           number_parse(p, len - 1, '.', out);
}

static bool read_value(const char *p, size_t len, double *out)
{
    static const char *const yes[] = {"t", "T", "true", "True", "TRUE", NULL};
    static const char *const no[] = {"f", "F", "false", "False", "FALSE", NULL};
    const char last = len > 0 ? p[len - 1] : '\0';
    if (last == 'i' || last == 'u')
        return read_integer(p, len, out);
    if (last >= '0' && last <= '9')
        return number_parse(p, len, '.', out);
    *out = 1.0;
    if (is_word(p, len, yes))
        return true;
    *out = 0.0;
    return is_word(p, len, no) || (last == '.' && number_parse(p, len, '.', out));
}

/* One "name=value" at *at. */
static enum ft_status read_field(const char **at, const char *end, struct lp_field *f,
                                 struct ft_err *err)
{
    const char *p = find_plain(*at, end, '=', ' ');
    f->name = *at;
    f->len = (size_t)(p - *at);
    if (p == end || *p != '=' || f->len == 0)
        return ft_fail(err, FT_INVALID, "expected field=value");
    p++;
    f->is_text = p < end && *p == '"';
    if (f->is_text) {
        f->value = NAN;
        *at = skip_string(p, end);
        return *at != NULL ? FT_OK : ft_fail(err, FT_INVALID, "a string without its closing quote");
    }
    const char *begin = p;
    while (p < end && *p != ',' && *p != ' ' && *p != '\n' && *p != '\r')
        p++;
    *at = p;
    if (!read_value(begin, (size_t)(p - begin), &f->value))
        return ft_fail(err, FT_INVALID, "field %.*s: '%.*s' is no number",
                       (int)(f->len < 60 ? f->len : 60), f->name,
                       (int)(p - begin < 60 ? p - begin : 60), begin);
    return FT_OK;
}

static enum ft_status read_fields(const char **at, const char *end, struct lp_line *out,
                                  struct ft_err *err)
{
    for (;;) {
        if (out->n_fields == LP_MAX_FIELDS)
            return ft_fail(err, FT_INVALID, "more than %d fields", LP_MAX_FIELDS);
        const enum ft_status st = read_field(at, end, &out->fields[out->n_fields], err);
        if (st != FT_OK)
            return st;
        out->n_fields++;
        if (*at == end || **at != ',')
            return FT_OK;
        ++*at;
    }
}

static enum ft_status read_time(const char **at, const char *end, struct lp_line *out,
                                struct ft_err *err)
{
    const char *p = *at;
    while (p < end && *p == ' ')
        p++;
    const char *begin = p;
    const bool is_negative = p < end && *p == '-';
    uint64_t v = 0;
    p += is_negative;
    const char *digits = p;
    for (; p < end && *p >= '0' && *p <= '9' && p - digits < 19; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    out->has_ts = p > digits && v <= INT64_MAX;
    out->ts = is_negative ? -(int64_t)(v & INT64_MAX) : (int64_t)(v & INT64_MAX);
    while (p < end && (*p == ' ' || *p == '\r'))
        p++;
    *at = p;
    if ((p < end && *p != '\n') || (!out->has_ts && p > begin && *begin != '\r'))
        return ft_fail(err, FT_INVALID, "expected a timestamp, a whole number, as the last thing");
    return FT_OK;
}

static enum ft_status read_line(const char **at, const char *end, struct lp_line *out,
                                struct ft_err *err)
{
    const char *p = find_plain(*at, end, ' ', ' ');
    out->series = *at;
    out->series_len = (size_t)(p - *at);
    if (out->series_len == 0 || *out->series == ',')
        return ft_fail(err, FT_INVALID, "missing measurement");
    while (p < end && *p == ' ')
        p++;
    *at = p;
    if (p == end || *p == '\n' || *p == '\r')
        return ft_fail(err, FT_INVALID, "missing fields");
    const enum ft_status st = read_fields(at, end, out, err);
    return st == FT_OK ? read_time(at, end, out, err) : st;
}

/* Moves over blank lines and comments to the next line with something in it. */
static const char *skip_empty(const char *p, const char *end, size_t *n_lines)
{
    while (p < end) {
        if (*p == '\n') {
            ++*n_lines;
            p++;
        } else if (*p == '#') {
            const char *eol = memchr(p, '\n', (size_t)(end - p));
            p = eol != NULL ? eol : end;
        } else if (*p == ' ' || *p == '\t' || *p == '\r') {
            p++;
        } else {
            break;
        }
    }
    return p;
}

static bool has_text(const struct lp_line *l)
{
    for (size_t i = 0; i < l->n_fields; i++)
        if (l->fields[i].is_text)
            return true;
    return false;
}

static size_t count_line_ends(const char *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += p[i] == '\n';
    return n;
}

enum ft_status lp_next(const char **at, const char *end, size_t *n_lines, struct lp_line *out,
                       struct ft_err *err)
{
    out->n_fields = 0;
    out->has_ts = false;
    out->ts = 0;
    const char *begin = skip_empty(*at, end, n_lines);
    *at = begin;
    out->raw = begin;
    out->raw_len = 0;
    if (begin == end)
        return FT_NOT_FOUND;
    ++*n_lines;
    const enum ft_status st = read_line(at, end, out, err);
    /* A line that is wrong ends at the first line end: where a string begins is not known. */
    const char *from = st == FT_OK ? *at : begin;
    const char *eol = memchr(from, '\n', (size_t)(end - from));
    *at = eol != NULL ? eol + 1 : end;
    out->raw_len = (size_t)((eol != NULL ? eol : end) - begin);
    if (st == FT_OK && has_text(out))
        *n_lines += count_line_ends(begin, out->raw_len);
    return st;
}

/* --- time ------------------------------------------------------------------------------------ */

enum ft_status lp_precision_parse(const char *text, enum lp_precision *out, struct ft_err *err)
{
    static const struct {
        const char *word;
        enum lp_precision precision;
    } words[] = {{"", LP_NS},   {"ns", LP_NS}, {"n", LP_NS},  {"us", LP_US}, {"u", LP_US},
                 {"ms", LP_MS}, {"s", LP_S},   {"m", LP_MIN}, {"h", LP_H}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text != NULL ? text : "", words[i].word) == 0) {
            *out = words[i].precision;
            return FT_OK;
        }
    }
    return ft_fail(err, FT_INVALID, "precision %.20s: expected ns, us, ms, s, m or h", text);
}

bool lp_to_ms(int64_t ts, enum lp_precision precision, int64_t *ts_ms)
{
    static const int64_t divisors[] = {[LP_NS] = 1000000, [LP_US] = 1000, [LP_MS] = 1};
    static const int64_t factors[] = {
        [LP_S] = MS_PER_SECOND, [LP_MIN] = MS_PER_MINUTE, [LP_H] = MS_PER_HOUR};
    if (precision <= LP_MS) {
        const int64_t d = divisors[precision];
        *ts_ms = ts / d - (ts % d < 0);
    } else if (__builtin_mul_overflow(ts, factors[precision], ts_ms)) {
        return false;
    }
    return ingest_is_instant(*ts_ms);
}

/* --- names ----------------------------------------------------------------------------------- */

struct name {
    const char *p;
    size_t len;
};

struct tag {
    struct name key, value;
};

/* Appends an escaped text without its backslashes; false when it does not fit. Only a backslash
 * before , = or a blank is an escape. */
static bool put_plain(char *out, size_t *len, struct name n)
{
    for (size_t i = 0; i < n.len; i++) {
        if (n.p[i] == '\\' && i + 1 < n.len && strchr(",= ", n.p[i + 1]) != NULL)
            i++;
        if (*len + 1 >= LP_NAME_SIZE)
            return false;
        out[(*len)++] = n.p[i];
    }
    out[*len] = '\0';
    return true;
}

static bool put_char(char *out, size_t *len, char c)
{
    return put_plain(out, len, (struct name){&c, 1});
}

static bool is_name(struct name n, const char *word, size_t len)
{
    return n.len == len && memcmp(n.p, word, len) == 0;
}

static bool is_listed(const char *list, struct name n)
{
    for (const char *p = list != NULL ? list : ""; *p != '\0';) {
        p += strspn(p, ", ");
        const size_t len = strcspn(p, ", ");
        if (len > 0 && is_name(n, p, len))
            return true;
        p += len;
    }
    return false;
}

static int compare_tags(const void *pa, const void *pb)
{
    const struct name a = ((const struct tag *)pa)->key;
    const struct name b = ((const struct tag *)pb)->key;
    const int c = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Splits measurement and tags; tags are sorted by key. */
static enum ft_status split_series(struct name series, struct name *measurement, struct tag *tags,
                                   size_t *n_tags, struct ft_err *err)
{
    const char *end = series.p + series.len;
    const char *p = find_plain(series.p, end, ',', ',');
    *measurement = (struct name){series.p, (size_t)(p - series.p)};
    *n_tags = 0;
    while (p < end) {
        const char *key = p + 1;
        const char *eq = find_plain(key, end, '=', ',');
        if (eq == end || *eq != '=' || eq == key)
            return ft_fail(err, FT_INVALID, "expected tag=value");
        p = find_plain(eq + 1, end, ',', ',');
        if (p == eq + 1)
            return ft_fail(err, FT_INVALID, "tag %.*s: missing value",
                           (int)(eq - key < 60 ? eq - key : 60), key);
        if (*n_tags == LP_MAX_TAGS)
            return ft_fail(err, FT_INVALID, "more than %d tags", LP_MAX_TAGS);
        tags[(*n_tags)++] = (struct tag){{key, (size_t)(eq - key)}, {eq + 1, (size_t)(p - eq - 1)}};
    }
    if (*n_tags > 1)
        qsort(tags, *n_tags, sizeof(*tags), compare_tags);
    for (size_t i = 1; i < *n_tags; i++)
        if (compare_tags(&tags[i - 1], &tags[i]) == 0)
            return ft_fail(err, FT_INVALID, "tag %.*s occurs twice",
                           (int)(tags[i].key.len < 60 ? tags[i].key.len : 60), tags[i].key.p);
    return FT_OK;
}

/* The tag that names the asset, in the order of the list; n_tags when none does. */
static size_t find_asset_tag(const struct tag *tags, size_t n_tags, const char *list)
{
    for (const char *p = list != NULL ? list : ""; *p != '\0';) {
        p += strspn(p, ", ");
        const size_t len = strcspn(p, ", ");
        for (size_t i = 0; i < n_tags && len > 0; i++)
            if (is_name(tags[i].key, p, len))
                return i;
        p += len;
    }
    return n_tags;
}

enum ft_status lp_map(const struct lp_mapping *mapping, const char *series, size_t series_len,
                      const char *field, size_t field_len, char asset[LP_NAME_SIZE],
                      char sensor[LP_NAME_SIZE], struct ft_err *err)
{
    struct tag tags[LP_MAX_TAGS];
    struct name measurement;
    size_t n_tags = 0;
    const struct name field_name = {field, field_len};
    const enum ft_status st =
        split_series((struct name){series, series_len}, &measurement, tags, &n_tags, err);
    if (st != FT_OK)
        return st;
    const size_t owner = find_asset_tag(tags, n_tags, mapping->asset_tags);
    const bool is_tagged = owner < n_tags;
    size_t asset_len = 0, len = 0;
    bool fits = put_plain(asset, &asset_len, is_tagged ? tags[owner].value : measurement);
    if (is_tagged)
        fits = fits && put_plain(sensor, &len, measurement);
    if (!is_tagged || !is_name(field_name, "value", 5)) {
        fits = fits && (!is_tagged || put_char(sensor, &len, '.'));
        fits = fits && put_plain(sensor, &len, field_name);
    }
    for (size_t i = 0; i < n_tags && fits; i++) {
        if (i == owner || is_listed(mapping->drop_tags, tags[i].key))
            continue;
        fits = put_char(sensor, &len, ',') && put_plain(sensor, &len, tags[i].key) &&
               put_char(sensor, &len, '=') && put_plain(sensor, &len, tags[i].value);
    }
    return fits ? FT_OK : ft_fail(err, FT_INVALID, "the names of the series are too long");
}
