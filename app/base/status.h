/* Status codes and error texts. Every call that can fail returns enum ft_status and writes its
 * reason into a caller-held struct ft_err: no allocation, works when memory is gone. */
#ifndef APP_BASE_STATUS_H
#define APP_BASE_STATUS_H

enum ft_status {
    FT_OK,
    FT_INVALID,     /* bad input or argument: CLI exit 4 (data) or 2 (usage), HTTP 400/422 */
    FT_NOT_FOUND,   /* exit 3, HTTP 404 */
    FT_CONFLICT,    /* state does not allow it: exit 5, HTTP 409/412 */
    FT_REFUSED,     /* policy or permission: exit 5, HTTP 403 */
    FT_TOO_FEW,     /* data cannot carry the answer: exit 4, HTTP 422 */
    FT_PARTIAL,     /* done, some rows quarantined: exit 6, HTTP 207 */
    FT_BUSY,        /* locked or full for now: exit 7, HTTP 503 with Retry-After */
    FT_INTERRUPTED, /* a stop was asked for: exit 130, HTTP 503 */
    FT_NOMEM,       /* exit 1, HTTP 503 */
    FT_IO,          /* exit 1, HTTP 500 */
    FT_INTERNAL     /* our own mistake: exit 1, HTTP 500 */
};

struct ft_err {
    enum ft_status code;
    char msg[512];
};

/* Records code and message (err may be NULL) and returns code. A macro, so that compilers and
 * analysers see which value comes back; code is evaluated twice. */
#define ft_fail(err, code, ...) (ft_err_set((err), (code), __VA_ARGS__), ft_same(code))

/* The parts of ft_fail(). */
static inline enum ft_status ft_same(enum ft_status code)
{
    return code;
}
__attribute__((format(printf, 3, 4))) void ft_err_set(struct ft_err *err, enum ft_status code,
                                                      const char *fmt, ...);

/* Puts "context: " before the message already in err (err may be NULL); returns the code kept. */
__attribute__((format(printf, 2, 3))) enum ft_status ft_err_prefix(struct ft_err *err,
                                                                   const char *fmt, ...);

/* Short lower-case word of a code ("invalid", "not_found"); static storage. */
const char *ft_status_name(enum ft_status code);

/* Exit code of the command line for a status (DESIGN section 7). */
int ft_status_exit_code(enum ft_status code);

#endif
