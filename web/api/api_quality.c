/* What the data can carry. Judging a million readings takes about 0.3 s of processor time, so an
 * answer over all classes is kept while the data stands still, or for a minute. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/data_quality.h"
#include "app/site.h"
#include "db/db.h"

#include <stdlib.h>

#define KEPT_MS 60000

enum ft_status quality_cache_init(struct quality_cache *q, struct ft_err *err)
{
    return pthread_mutex_init(&q->lock, NULL) == 0
               ? FT_OK
               : ft_fail(err, FT_INTERNAL, "cannot make the lock of the quality report");
}

void quality_cache_free(struct quality_cache *q)
{
    cJSON_Delete(q->report);
    q->report = NULL;
}

/* The kept report, copied; NULL when there is none that will do. */
static cJSON *kept_report(struct quality_cache *q, int64_t version, int64_t now_ms, bool any)
{
    cJSON *copy = NULL;
    pthread_mutex_lock(&q->lock);
    const bool is_fresh = q->version == version || now_ms - q->made_ms < KEPT_MS;
    if (q->report != NULL && (any || is_fresh))
        copy = cJSON_Duplicate(q->report, true);
    pthread_mutex_unlock(&q->lock);
    return copy;
}

static void keep_report(struct quality_cache *q, int64_t version, int64_t now_ms,
                        const cJSON *report)
{
    cJSON *copy = cJSON_Duplicate(report, true);
    pthread_mutex_lock(&q->lock);
    cJSON_Delete(q->report);
    q->report = copy;
    q->version = version;
    q->made_ms = now_ms;
    pthread_mutex_unlock(&q->lock);
}

/* One report is made at a time; who comes meanwhile gets the one before. */
static enum ft_status make_report(struct api_call *c, const char *class_name, cJSON **out,
                                  struct ft_err *err)
{
    struct quality_cache *q = &c->api->quality;
    const int64_t version = db_data_version(c->db);
    const struct quality_options options = {.class_name = class_name,
                                            .has_sensors = class_name != NULL};
    *out = class_name == NULL ? kept_report(q, version, c->now_ms, false) : NULL;
    if (*out != NULL)
        return FT_OK;
    if (atomic_flag_test_and_set(&q->is_busy)) {
        *out = class_name == NULL ? kept_report(q, version, c->now_ms, true) : NULL;
        return *out != NULL ? FT_OK
                            : ft_fail(err, FT_BUSY, "the data are being judged; ask again soon");
    }
    const enum ft_status st = data_quality_report(c->db, &options, out, err);
    if (st == FT_OK)
        json_add_instant(*out, "computed", c->now_ms);
    if (st == FT_OK && class_name == NULL)
        keep_report(q, version, c->now_ms, *out);
    atomic_flag_clear(&q->is_busy);
    return st;
}

enum ft_status api_quality_get(struct api_call *c, struct ft_err *err)
{
    cJSON *report = NULL;
    const enum ft_status st = make_report(c, api_text(c, "class"), &report, err);
    return st == FT_OK ? api_reply(c, report, err) : st;
}

enum ft_status api_quality_labels(struct api_call *c, struct ft_err *err)
{
    static const char *const taken[] = {"class",       "verdict",  "models", "readiness",
                                        "label_audit", "failures", "events", NULL};
    cJSON *report = NULL;
    const cJSON *one;
    const enum ft_status st = make_report(c, api_text(c, "class"), &report, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    cJSON_ArrayForEach (one, json_get(report, "classes")) {
        cJSON *o = json_add_object(items, NULL);
        for (size_t i = 0; taken[i] != NULL && o != NULL; i++) {
            cJSON *copy = cJSON_Duplicate(json_get(one, taken[i]), true);
            if (copy == NULL || !cJSON_AddItemToObject(o, taken[i], copy))
                cJSON_Delete(copy);
        }
    }
    cJSON_Delete(report);
    return api_reply_list(c, items, NULL, err);
}
