/* The plan in its three forms, how it changed, and how it would be otherwise. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/planner/planner.h"
#include "app/schedule_diff.h"
#include "app/schedule_report.h"

#include <stdio.h>

#define TYPE_CSV "text/csv; charset=utf-8"
#define TYPE_ICS "text/calendar; charset=utf-8"

static struct schedule_query query_of(const struct api_call *c)
{
    return (struct schedule_query){.from_ms = api_instant(c, "from", 0),
                                   .to_ms = api_instant(c, "to", 0),
                                   .kind = api_text(c, "kind")};
}

enum ft_status api_schedule_ics(struct api_call *c, struct ft_err *err)
{
    const struct schedule_query q = query_of(c);
    const enum ft_status st = schedule_ics(c->db, &q, &c->reply->body, err);
    c->reply->status = 200;
    c->reply->content_type = TYPE_ICS;
    snprintf(c->reply->disposition, sizeof(c->reply->disposition), "fettle-schedule.ics");
    return st;
}

enum ft_status api_schedule_csv(struct api_call *c, struct ft_err *err)
{
    const struct schedule_query q = query_of(c);
    const enum ft_status st = schedule_csv(c->db, &q, &c->reply->body, err);
    c->reply->status = 200;
    c->reply->content_type = TYPE_CSV;
    snprintf(c->reply->disposition, sizeof(c->reply->disposition), "fettle-schedule.csv");
    return st;
}

enum ft_status api_schedule_get(struct api_call *c, struct ft_err *err)
{
    const char *accept = http_header(c->rq, "Accept");
    if (reply_accepts(accept, "text/calendar"))
        return api_schedule_ics(c, err);
    if (reply_accepts(accept, "text/csv"))
        return api_schedule_csv(c, err);
    const struct schedule_query q = query_of(c);
    cJSON *tree = NULL;
    const enum ft_status st = schedule_json(c->db, &q, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

enum ft_status api_schedule_diff(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const int64_t to_ms = api_instant(c, "to", c->now_ms + 1);
    const int64_t from_ms = api_instant(c, "from", to_ms - MS_PER_DAY);
    const enum ft_status st = schedule_diff_json(c->db, from_ms, to_ms, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

/* Plans now and keeps the plan. */
enum ft_status api_schedule_solve(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {NULL};
    struct planner_summary s;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = planner_run(c->db, NULL, &s, err);
    if (st == FT_OK)
        st = api_audit(c, "schedule.solve", "schedule", NULL, err);
    if (st != FT_OK)
        return st;
    const struct schedule_query q = {0};
    cJSON *tree = NULL;
    st = schedule_json(c->db, &q, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

/* What one move would cost; nothing is kept. */
enum ft_status api_schedule_price(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"work_order", "day", "crew", NULL};
    const char *key = NULL;
    const char *crew = NULL;
    int64_t day_ms = 0;
    cJSON *tree = NULL;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "work_order", true, &key, err);
    if (st == FT_OK)
        st = json_instant(c->json, "day", true, &day_ms, err);
    if (st == FT_OK)
        st = json_string(c->json, "crew", false, &crew, err);
    if (st == FT_OK)
        st = planner_price_move(c->db, key, day_ms, crew, 0, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}
