/* Bulk bodies: a JSON array, {"items":[…]}, NDJSON or CSV, one item after the other, and the answer
 * for each. A bad item never stops the others. */
#ifndef WEB_API_BULK_H
#define WEB_API_BULK_H

#include "web/api/api.h"

#define BULK_MAX_ITEMS 100000

struct bulk_answer {
    enum ft_status status; /* FT_OK, else why it was not taken */
    bool is_new;
    int64_t id;       /* 0 = none to show */
    char reason[160]; /* when status is not FT_OK */
    char *raw;        /* text of a refused item for the quarantine; owned, may be NULL */
};

struct bulk {
    struct bulk_answer *answers; /* [n], in the order of the body */
    size_t n, cap;
};

/* Calls take(ctx, index, item, err) for every item. numbers names the CSV columns whose text
 * becomes a number (NULL-terminated). An item that cannot be read, or for which take() fails, is
 * refused in answers. Fails as a whole when the body is no list at all, or too long. */
enum ft_status bulk_read(struct api_call *c, const char *const numbers[],
                         enum ft_status (*take)(void *ctx, size_t index, const cJSON *item,
                                                struct ft_err *err),
                         void *ctx, struct bulk *out, struct ft_err *err);

/* Quarantines what was refused, and answers with a result per item: 200, or 207 when something was
 * refused. */
enum ft_status bulk_reply(struct api_call *c, const struct bulk *b, struct ft_err *err);
void bulk_free(struct bulk *b);

#endif
