#include "app/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ft_err_set(struct ft_err *err, enum ft_status code, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    err->code = code;
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
}

enum ft_status ft_err_prefix(struct ft_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return FT_INTERNAL;
    char old[sizeof(err->msg)];
    memcpy(old, err->msg, sizeof(old));
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->msg)) {
        /* A text too long for the buffer is cut at its end, the context is kept. */
        const size_t used = (size_t)n;
        snprintf(err->msg + used, sizeof(err->msg) - used, ": %.*s",
                 (int)(sizeof(err->msg) - used - 3), old);
    }
    return err->code;
}

static const struct {
    const char *name;
    int exit_code;
} statuses[] = {
    [FT_OK] = {"ok", 0},
    [FT_INVALID] = {"invalid", 4},
    [FT_NOT_FOUND] = {"not_found", 3},
    [FT_CONFLICT] = {"conflict", 5},
    [FT_REFUSED] = {"refused", 5},
    [FT_TOO_FEW] = {"too_few", 4},
    [FT_PARTIAL] = {"partial", 6},
    [FT_BUSY] = {"busy", 7},
    [FT_INTERRUPTED] = {"interrupted", 130},
    [FT_NOMEM] = {"no_memory", 1},
    [FT_IO] = {"io", 1},
    [FT_INTERNAL] = {"internal", 1},
};

const char *ft_status_name(enum ft_status code)
{
    return (size_t)code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code].name : "unknown";
}

int ft_status_exit_code(enum ft_status code)
{
    return (size_t)code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code].exit_code : 1;
}
