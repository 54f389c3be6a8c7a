/* Cases: what forecasts raise and a planner decides, and what waiting costs. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/cases.h"
#include "app/inbox.h"
#include "app/snapshot.h"
#include "db/asset_store.h"
#include "db/case_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void case_etag(const struct risk_case *c, char out[80])
{
    snprintf(out, 80, "\"case-%lld-%lld\"", (long long)c->id, (long long)c->version);
}

static enum ft_status find_case(struct api_call *c, struct risk_case *out, struct ft_err *err)
{
    char *end = NULL;
    const char *text = c->match->params[0];
    const int64_t id = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || id < 1)
        return ft_fail(err, FT_NOT_FOUND, "there is no case '%.40s'", text);
    return case_get(c->db, id, out, err);
}

/* --- list ------------------------------------------------------------------------------------- */

struct sorted {
    cJSON *json;
    double number;
    const char *text;
};

static int compare_number(const void *x, const void *y)
{
    const struct sorted *a = x;
    const struct sorted *b = y;
    if (a->number != b->number)
        return a->number < b->number ? 1 : -1;
    return 0;
}

static int compare_text(const void *x, const void *y)
{
    const struct sorted *a = x;
    const struct sorted *b = y;
    const int order = strcmp(a->text, b->text);
    return order != 0 ? order : compare_number(x, y);
}

/* Falling by money (saving, waiting_per_day), rising by date (decide_by, the default). */
static enum ft_status sort_cases(const char *by, cJSON *items, struct ft_err *err)
{
    const size_t n = (size_t)cJSON_GetArraySize(items);
    if (by != NULL && by[0] == '-')
        by++;
    if (by == NULL || by[0] == '\0')
        by = "decide_by";
    const bool by_money = strcmp(by, "saving") == 0 || strcmp(by, "waiting_per_day") == 0;
    if (!by_money && strcmp(by, "decide_by") != 0 && strcmp(by, "opened") != 0)
        return ft_fail(err, FT_INVALID,
                       "sort: expected decide_by, opened, saving or waiting_per_day");
    struct sorted *all = calloc(n + 1, sizeof(*all));
    if (all == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the list");
    for (size_t i = 0; i < n; i++) {
        cJSON *o = cJSON_DetachItemFromArray(items, 0);
        const cJSON *waiting = json_get(o, by_money ? by : "waiting_per_day");
        const cJSON *text = by_money ? NULL : json_get(o, by);
        all[i] = (struct sorted){
            o, waiting != NULL && cJSON_IsNumber(waiting) ? waiting->valuedouble : 0,
            text != NULL && cJSON_IsString(text) ? text->valuestring : "9999"};
    }
    qsort(all, n, sizeof(*all), by_money ? compare_number : compare_text);
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(items, all[i].json);
    free(all);
    return FT_OK;
}

static void add_budget(cJSON *body, const struct case_budget *b, const char *currency)
{
    char words[CASES_BUDGET_WORDS];
    cJSON *o = json_add_object(body, "budget");
    if (b->per_week > 0)
        json_add_int(o, "per_week", b->per_week);
    else
        json_add_null(o, "per_week");
    json_add_int(o, "used", (int64_t)b->n_used);
    json_add_int(o, "waiting", (int64_t)b->n_waiting);
    api_add_money(o, "threshold", b->threshold_minor, currency);
    api_add_money(o, "next_slot_worth", b->next_minor, currency);
    cases_budget_words(b, currency, words);
    json_add_string(o, "words", words);
}

enum ft_status api_cases_list(struct api_call *c, struct ft_err *err)
{
    struct snapshot s;
    struct risk_case_list rows = {0};
    struct case_budget budget;
    struct case_filter f = {.state = api_text(c, "state")};
    const char *asset_key = api_text(c, "asset");
    struct asset a = {0};
    enum ft_status st = snapshot_load(c->db, 0, &s, err);
    if (st == FT_OK && asset_key != NULL)
        st = asset_find(c->db, asset_key, &a, err);
    f.asset_id = a.id;
    asset_clear(&a);
    if (st == FT_OK)
        st = case_list(c->db, &f, &rows, err);
    if (st == FT_OK)
        st = cases_budget(c->db, &s, &budget, err);
    const int64_t changed_ms = api_instant(c, "changed_since", INT64_MIN);
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        if (rows.items[i].updated_ms < changed_ms)
            continue;
        cJSON *o = cases_to_json(&s, &rows.items[i]);
        if (!cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    if (st == FT_OK)
        st = sort_cases(api_text(c, "sort"), items, err);
    if (st == FT_OK && reply_accepts(http_header(c->rq, "Accept"), "text/csv")) {
        st = api_reply_list(c, items, NULL, err);
        items = NULL;
    } else if (st == FT_OK) {
        cJSON *body = cJSON_CreateObject();
        inbox_add_answer(&s, &budget, body);
        add_budget(body, &budget, s.site.currency);
        cJSON_AddItemToObject(body, "items", items);
        json_add_string(body, "next_cursor", NULL);
        items = NULL;
        st = api_reply(c, body, err);
    }
    cJSON_Delete(items);
    case_list_free(&rows);
    snapshot_free(&s);
    return st;
}

/* --- one -------------------------------------------------------------------------------------- */

static enum ft_status with_case(struct api_call *c,
                                cJSON *(*show)(const struct snapshot *s, const struct risk_case *k),
                                struct ft_err *err)
{
    struct snapshot s = {0};
    struct risk_case k = {0};
    enum ft_status st = find_case(c, &k, err);
    if (st == FT_OK)
        st = snapshot_load(c->db, 0, &s, err);
    if (st == FT_OK) {
        case_etag(&k, c->reply->etag);
        st = api_reply(c, show(&s, &k), err);
    }
    case_clear(&k);
    snapshot_free(&s);
    return st;
}

enum ft_status api_case_get(struct api_call *c, struct ft_err *err)
{
    return with_case(c, cases_to_json, err);
}

enum ft_status api_case_waiting_cost(struct api_call *c, struct ft_err *err)
{
    return with_case(c, cases_waiting_json, err);
}

static enum ft_status read_decision(const cJSON *json, struct case_decision *d, struct ft_err *err)
{
    static const char *const known[] = {"action", "until", "reason", NULL};
    static const char *const actions[] = {[CASE_APPROVE] = "approve",
                                          [CASE_DEFER] = "defer",
                                          [CASE_REJECT] = "reject",
                                          [CASE_REOPEN] = "reopen"};
    const char *action = NULL;
    *d = (struct case_decision){.until_ms = DB_NO_TIME};
    enum ft_status st = json_only_keys(json, known, err);
    if (st == FT_OK)
        st = json_string(json, "action", true, &action, err);
    if (st == FT_OK)
        st = json_instant(json, "until", false, &d->until_ms, err);
    if (st == FT_OK)
        st = json_string(json, "reason", false, &d->reason, err);
    if (st != FT_OK)
        return st;
    for (int i = 0; i <= CASE_REOPEN; i++)
        if (strcmp(action, actions[i]) == 0) {
            d->action = (enum case_action)i;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID, "/action: expected approve, defer, reject or reopen");
}

/* The case as it stands after a change. */
static enum ft_status reply_again(struct api_call *c, struct ft_err *err)
{
    return with_case(c, cases_to_json, err);
}

enum ft_status api_case_patch(struct api_call *c, struct ft_err *err)
{
    struct snapshot s = {0};
    struct risk_case k = {0};
    struct case_decision d;
    char etag[80];
    enum ft_status st = find_case(c, &k, err);
    if (st != FT_OK)
        return st;
    case_etag(&k, etag);
    st = api_if_match(c, etag, err);
    if (st == FT_OK)
        st = read_decision(c->json, &d, err);
    if (st == FT_OK)
        st = snapshot_load(c->db, 0, &s, err);
    if (st == FT_OK)
        st = cases_decide(c->db, &s, &k, &d, err);
    if (st == FT_OK)
        st = api_audit(c, "case.decide", c->match->params[0], c->json, err);
    if (st == FT_OK)
        st = reply_again(c, err);
    case_clear(&k);
    snapshot_free(&s);
    return st;
}

/* What a person says it was; also after the case has ended. */
enum ft_status api_case_verdict(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"verdict", "note", NULL};
    static const char *const verdicts[] = {"right", "other_fault", "false_alarm", "unclear"};
    const char *verdict = NULL;
    const char *note = NULL;
    struct risk_case k = {0};
    bool is_known = false;
    enum ft_status st = find_case(c, &k, err);
    if (st == FT_OK)
        st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "verdict", true, &verdict, err);
    if (st == FT_OK)
        st = json_string(c->json, "note", false, &note, err);
    for (size_t i = 0; i < 4 && verdict != NULL; i++)
        is_known = is_known || strcmp(verdict, verdicts[i]) == 0;
    if (st == FT_OK && !is_known)
        st = ft_fail(err, FT_INVALID,
                     "/verdict: expected right, other_fault, false_alarm or unclear");
    if (st == FT_OK) {
        free(k.verdict);
        free(k.note);
        k.verdict = strdup(verdict);
        k.note = note != NULL ? strdup(note) : NULL;
        k.updated_ms = c->now_ms;
        st = k.verdict != NULL ? case_update(c->db, &k, err)
                               : ft_fail(err, FT_NOMEM, "no memory for a verdict");
    }
    if (st == FT_OK)
        st = api_audit(c, "case.verdict", c->match->params[0], c->json, err);
    if (st == FT_OK)
        st = reply_again(c, err);
    case_clear(&k);
    return st;
}
