#include "app/ingest/limits.h"

#include "app/base/utf8.h"

enum ft_status ingest_check_name(const char *what, const char *name, size_t len, struct ft_err *err)
{
    size_t n_chars = 0;
    if (name == NULL || len == 0)
        return ft_fail(err, FT_INVALID, "%s: missing", what);
    if (!utf8_is_valid(name, len, &n_chars))
        return ft_fail(err, FT_INVALID, "%s: the name is not valid UTF-8", what);
    if (n_chars > INGEST_NAME_MAX)
        return ft_fail(err, FT_INVALID, "%s: the name has %zu characters, at most %d", what,
                       n_chars, INGEST_NAME_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return ft_fail(err, FT_INVALID, "%s: the name holds a control character", what);
    if (name[0] == ' ' || name[len - 1] == ' ')
        return ft_fail(err, FT_INVALID, "%s: the name begins or ends with a blank", what);
    return FT_OK;
}

bool ingest_is_instant(int64_t ts_ms)
{
    return ts_ms >= INT64_C(-62135596800000) && ts_ms <= INT64_C(253402300799999);
}

const char *ingest_check_instant(const struct ingest_limits *limits, int64_t ts_ms, int64_t now_ms)
{
    if (!ingest_is_instant(ts_ms))
        return "the time is not between the years 1 and 9999";
    return limits != NULL && ts_ms - now_ms > limits->max_future_ms
               ? "the time lies further ahead of the clock than [ingest] max_future"
               : NULL;
}
