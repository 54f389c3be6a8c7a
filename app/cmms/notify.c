#include "app/cmms/notify.h"

#include "app/base/json.h"
#include "app/work_order_json.h"
#include "db/integration_store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *notify_event_type(enum notify_kind kind)
{
    static const char *const names[] = {"work_order.proposed", "work_order.changed",
                                        "work_order.cancelled"};
    return names[kind];
}

/* "msg_" and 32 hex digits of a hash over what makes the message unique. */
static void message_id(const struct work_order *w, const char *type, char out[40])
{
    char text[200];
    unsigned char hash[16];
    snprintf(text, sizeof(text), "%s/%lld/%lld/%s", w->key != NULL ? w->key : "",
             (long long)w->created_ms, (long long)w->version, type);
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
    snprintf(out, 40, "msg_");
    sodium_bin2hex(out + 4, 36, hash, sizeof(hash));
}

enum ft_status notify_work_order(struct db *db, enum notify_kind kind, const struct work_order *w,
                                 int64_t now_ms, size_t *n_stored, struct ft_err *err)
{
    const char *type = notify_event_type(kind);
    char id[40];
    size_t n = 0;
    cJSON *data = NULL;
    char *body = NULL;

    if (n_stored != NULL)
        *n_stored = 0;
    if (sodium_init() < 0)
        return ft_fail(err, FT_INTERNAL, "webhook: the crypto library did not start");
    enum ft_status st = work_order_to_json(db, w, &data, err);
    if (st != FT_OK)
        return st;
    cJSON *message = cJSON_CreateObject();
    json_add_string(message, "type", type);
    json_add_instant(message, "timestamp", now_ms);
    if (message == NULL || !cJSON_AddItemToObject(message, "data", data)) {
        cJSON_Delete(data);
        st = ft_fail(err, FT_NOMEM, "webhook: no memory");
        goto out;
    }
    if ((body = json_print(message, false)) == NULL) {
        st = ft_fail(err, FT_NOMEM, "webhook: no memory");
        goto out;
    }
    message_id(w, type, id);
    st = delivery_enqueue(db, type, id, body, now_ms, &n, err);
    if (n_stored != NULL)
        *n_stored = n;
out:
    free(body);
    cJSON_Delete(message);
    return st;
}
