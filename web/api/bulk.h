/* Bulk bodies: a JSON array, {"items":[…]}, NDJSON or CSV, one item after the other, and the answer
 * for each. A bad item never stops the others. */
#ifndef WEB_API_BULK_H
#define WEB_API_BULK_H

#include "web/api/api.h"

#define BULK_MAX_ITEMS 100000

struct db;
struct ingest_policy;
struct ingest_result;

/* What is particular to one sort of item. */
struct bulk_ops {
    const char *const *numbers; /* CSV columns whose text becomes a number; NULL-terminated */
    size_t item_size;
    /* Reads one JSON object into *item, whose strings it then owns; the reason of a refusal goes to
     * the client. */
    enum ft_status (*take)(const void *ctx, const cJSON *item, void *out, struct ft_err *err);
    void (*clear)(void *item);
    /* As ingest_readings(). */
    enum ft_status (*ingest)(struct db *db, const struct ingest_policy *policy, const void *items,
                             size_t n, struct ingest_result *results, struct ft_err *err);
    char *(*text)(const void *item); /* for the quarantine; NULL when memory is gone */
    bool has_id;                     /* results carry the row's number */
};

/* Reads the whole body, writes what is good in one part of a shared transaction, quarantines what
 * was refused, and answers with a result per item: 200, or 207 when something was refused. ctx is
 * for take(). *n_taken and *n_new are added to when the transaction stands. Fails as a whole when
 * the body is no list at all, or too long. */
enum ft_status bulk_post(struct api_call *c, const struct bulk_ops *ops, const void *ctx,
                         int64_t *n_taken, int64_t *n_new, struct ft_err *err);

#endif
