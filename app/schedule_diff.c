#include "app/schedule_diff.h"

#include "app/base/json.h"
#include "db/db.h"
#include "db/run_store.h"

#include <string.h>

enum { MAX_RUNS = 400 };

/* Moves the changes of one run's report behind those that are there; returns their effect. */
static double take_changes(cJSON *report, int64_t at_ms, cJSON *to)
{
    double sum = 0;
    cJSON *changes = cJSON_DetachItemFromObjectCaseSensitive(report, "changes");
    while (changes != NULL && changes->child != NULL) {
        cJSON *change = cJSON_DetachItemViaPointer(changes, changes->child);
        const cJSON *effect = json_get(change, "effect");
        sum += cJSON_IsNumber(effect) ? effect->valuedouble : 0;
        json_add_instant(change, "at", at_ms);
        if (!cJSON_AddItemToArray(to, change))
            cJSON_Delete(change);
    }
    cJSON_Delete(changes);
    return sum;
}

static void put_summary(cJSON *out, const char *key, cJSON *report)
{
    cJSON *summary = cJSON_DetachItemFromObjectCaseSensitive(report, "summary");
    if (summary == NULL)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(out, key);
    if (!cJSON_AddItemToObject(out, key, summary))
        cJSON_Delete(summary);
}

enum ft_status schedule_diff_json(struct db *db, int64_t from_ms, int64_t to_ms, cJSON **out,
                                  struct ft_err *err)
{
    struct run_list runs = {0};
    char currency[4];
    double effect = 0;
    int64_t n = 0;
    *out = NULL;
    if (to_ms <= from_ms)
        return ft_fail(err, FT_INVALID, "to: lies before from");
    enum ft_status st = run_list(db, "plan", MAX_RUNS, &runs, err);
    if (st != FT_OK)
        return st;
    db_setting_get(db, "currency", "EUR", currency, sizeof(currency));
    cJSON *o = cJSON_CreateObject();
    json_add_instant(o, "from", from_ms);
    json_add_instant(o, "to", to_ms);
    json_add_null(o, "before");
    json_add_null(o, "after");
    cJSON *items = cJSON_CreateArray();
    for (size_t i = runs.n; i-- > 0;) { /* the list is newest first */
        const struct run_row *r = &runs.items[i];
        cJSON *report = NULL;
        if (strcmp(r->state, "done") != 0 || r->report == NULL || r->started_ms >= to_ms ||
            json_parse(r->report, strlen(r->report), &report, NULL) != FT_OK)
            continue;
        if (r->started_ms < from_ms) {
            put_summary(o, "before", report);
        } else {
            effect += take_changes(report, r->started_ms, items);
            put_summary(o, "after", report);
            n++;
        }
        cJSON_Delete(report);
    }
    json_add_int(o, "runs", n);
    json_add_number(o, "effect", effect);
    json_add_string(o, "currency", currency);
    if (!cJSON_AddItemToObject(o, "items", items))
        cJSON_Delete(items);
    run_list_free(&runs);
    *out = o;
    return FT_OK;
}
