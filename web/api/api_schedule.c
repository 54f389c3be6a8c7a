/* The plan in its three forms. */
#include "web/api/handlers.h"

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
