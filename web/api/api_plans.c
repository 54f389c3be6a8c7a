/* What planning rests on: preventive plans, crews, the calendar. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/catalog.h"
#include "app/plan_json.h"
#include "app/planner/jobs.h"
#include "app/site.h"
#include "app/snapshot.h"
#include "app/words.h"
#include "db/work_order_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- plans ------------------------------------------------------------------------------------ */

static const char *const advice_words[] = {[PREVENTIVE_KEEP] = "keep",
                                           [PREVENTIVE_STOP] = "drop",
                                           [PREVENTIVE_LONGER] = "longer",
                                           [PREVENTIVE_SHORTER] = "shorter"};

static void plan_etag(const struct plan *p, char out[80])
{
    snprintf(out, 80, "\"plan-%lld-%lld\"", (long long)p->id, (long long)p->version);
}

static void add_verdict(cJSON *o, const struct job_plan *j, const char *currency)
{
    const double best_s = j->verdict.best_interval_d * (double)MS_PER_DAY / 1000;
    json_add_string(o, "verdict", advice_words[j->verdict.advice]);
    json_add_string(o, "why", j->verdict.why);
    json_add_number(o, "best_interval_s", best_s);
    json_add_money(o, "saving_per_year", llround(j->verdict.saving_per_year), currency);
    json_add_int(o, "assets", (int64_t)j->n_assets);
}

/* Plans with what the records say about each; verdict keeps those of one advice ("all": every). */
static enum ft_status list_judged(struct api_call *c, const char *verdict, cJSON *items,
                                  struct ft_err *err)
{
    struct snapshot s;
    struct jobs jobs = {0};
    enum ft_status st = snapshot_load(c->db, 0, &s, err);
    if (st == FT_OK)
        st = jobs_judge_plans(c->db, &s, &jobs, err);
    for (size_t i = 0; i < jobs.n_plans && st == FT_OK; i++) {
        const struct job_plan *j = &jobs.plans[i];
        if (strcmp(verdict, "all") != 0 && strcmp(verdict, advice_words[j->verdict.advice]) != 0)
            continue;
        cJSON *o = plan_to_json(j->plan, &s.catalog, s.site.currency);
        add_verdict(o, j, s.site.currency);
        if (!cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    jobs_free(&jobs);
    snapshot_free(&s);
    return st;
}

static enum ft_status list_plain(struct api_call *c, cJSON *items, struct ft_err *err)
{
    struct plan_list rows = {0};
    struct catalog cat = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = plan_list(c->db, &rows, err);
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        cJSON *o = plan_to_json(&rows.items[i], &cat, site.currency);
        if (!cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    plan_list_free(&rows);
    catalog_free(&cat);
    return st;
}

enum ft_status api_plans_list(struct api_call *c, struct ft_err *err)
{
    const char *verdict = api_text(c, "verdict");
    cJSON *items = cJSON_CreateArray();
    const enum ft_status st =
        verdict != NULL ? list_judged(c, verdict, items, err) : list_plain(c, items, err);
    if (st == FT_OK)
        return api_reply_list(c, items, NULL, err);
    cJSON_Delete(items);
    return st;
}

static enum ft_status reply_plan(struct api_call *c, const char *key, struct ft_err *err)
{
    struct plan p = {0};
    struct catalog cat = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = plan_find(c->db, key, &p, err);
    if (st == FT_OK) {
        plan_etag(&p, c->reply->etag);
        st = api_reply(c, plan_to_json(&p, &cat, site.currency), err);
    }
    plan_clear(&p);
    catalog_free(&cat);
    return st;
}

enum ft_status api_plan_get(struct api_call *c, struct ft_err *err)
{
    return reply_plan(c, c->match->params[0], err);
}

/* Stores a new plan under its own key or the next free one. */
static enum ft_status store_new(struct api_call *c, struct plan *p, struct ft_err *err)
{
    struct plan there = {0};
    char key[32];
    int64_t id;
    enum ft_status st = FT_OK;
    if (p->key == NULL) {
        st = plan_next_key(c->db, key, err);
        if (st == FT_OK && (p->key = strdup(key)) == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for a key");
    } else {
        st = plan_find(c->db, p->key, &there, NULL);
        st = st == FT_OK ? ft_fail(err, FT_CONFLICT, "/key: plan %.100s exists already", p->key)
             : st == FT_NOT_FOUND ? FT_OK
                                  : st;
        plan_clear(&there);
    }
    p->updated_ms = c->now_ms;
    return st == FT_OK ? plan_put(c->db, p, &id, err) : st;
}

enum ft_status api_plans_post(struct api_call *c, struct ft_err *err)
{
    struct plan p = {0};
    enum ft_status st =
        plan_from_json(c->db, c->json, true, clock_local_midnight(c->now_ms), &p, err);
    if (st == FT_OK)
        st = store_new(c, &p, err);
    if (st == FT_OK)
        st = api_audit(c, "plan.create", p.key, c->json, err);
    if (st == FT_OK) {
        snprintf(c->reply->location, sizeof(c->reply->location), "/api/v1/plans/%.180s", p.key);
        st = reply_plan(c, p.key, err);
    }
    plan_clear(&p);
    return st;
}

enum ft_status api_plan_patch(struct api_call *c, struct ft_err *err)
{
    struct plan p = {0};
    char etag[80];
    int64_t id;
    enum ft_status st = plan_find(c->db, c->match->params[0], &p, err);
    if (st != FT_OK)
        return st;
    plan_etag(&p, etag);
    st = api_if_match(c, etag, err);
    if (st == FT_OK)
        st = plan_from_json(c->db, c->json, false, c->now_ms, &p, err);
    p.updated_ms = c->now_ms;
    if (st == FT_OK)
        st = plan_put(c->db, &p, &id, err);
    if (st == FT_OK)
        st = api_audit(c, "plan.patch", p.key, c->json, err);
    if (st == FT_OK)
        st = reply_plan(c, p.key, err);
    plan_clear(&p);
    return st;
}

/* The part whose best age is asked for: class, component, and an asset of it for the costs. */
struct optimum {
    const char *class_name, *component_name, *key;
    const struct asset *asset;
    const struct component *component;
    const struct life *life;
    struct job_costs costs;
    struct age_replacement best;
};

static enum ft_status find_part(const struct snapshot *s, struct optimum *o, struct ft_err *err)
{
    for (size_t i = 0; i < s->catalog.components.n; i++) {
        const struct component *k = &s->catalog.components.items[i];
        const struct asset_class *cl = catalog_class(&s->catalog, k->class_id);
        if (cl != NULL && strcmp(cl->name, o->class_name) == 0 &&
            strcmp(k->name, o->component_name) == 0)
            o->component = k;
    }
    if (o->component == NULL)
        return ft_fail(err, FT_INVALID, "/component: class '%.60s' has no component '%.60s'",
                       o->class_name, o->component_name);
    for (size_t i = 0; i < s->catalog.assets.n && o->asset == NULL; i++)
        if (s->catalog.assets.items[i].class_id == o->component->class_id)
            o->asset = &s->catalog.assets.items[i];
    if (o->asset == NULL)
        return ft_fail(err, FT_INVALID, "/class: class '%.60s' has no asset", o->class_name);
    o->life = lives_find(&s->lives, o->component->class_id, o->component->id);
    if (o->life == NULL || !o->life->has_fit)
        return ft_fail(err, FT_TOO_FEW, "%.60s of %.60s: too few recorded lives for an optimum",
                       o->component_name, o->class_name);
    o->costs = economics_costs(&s->economics, &s->catalog, o->asset, o->component->id);
    o->best = weibull_age_replacement(&o->life->fit, (double)o->costs.planned_minor,
                                      (double)o->costs.failure_minor);
    return FT_OK;
}

static cJSON *optimum_json(const struct optimum *o, const char *currency)
{
    char words[WORDS_SIZE];
    char text[300];
    const double best_ms = o->best.interval * (double)MS_PER_DAY;
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "class", o->class_name);
    json_add_string(out, "component", o->component_name);
    json_add_string(out, "verdict", o->best.has_optimum ? "replace_at" : "run_to_failure");
    json_add_number(out, "interval_s", o->best.has_optimum ? best_ms / 1000 : NAN);
    json_add_number(out, "saving_frac", o->best.has_optimum ? o->best.saving_frac : 0);
    json_add_number(out, "shape", o->life->fit.shape);
    json_add_number(out, "scale_s", o->life->fit.scale * (double)MS_PER_DAY / 1000);
    json_add_int(out, "failures", (int64_t)o->life->n_failures);
    json_add_int(out, "censored", (int64_t)o->life->n_censored);
    json_add_money(out, "cost_planned", o->costs.planned_minor, currency);
    json_add_money(out, "cost_failure", o->costs.failure_minor, currency);
    if (o->best.has_optimum)
        snprintf(text, sizeof(text),
                 "Replace at %s: saves %.0f %% against running to failure (%zu failures).",
                 words_duration(best_ms, words), 100 * o->best.saving_frac, o->life->n_failures);
    else
        snprintf(text, sizeof(text),
                 "Run to failure: the hazard does not rise enough (shape %.2f, %zu failures).",
                 o->life->fit.shape, o->life->n_failures);
    json_add_string(out, "text", text);
    return out;
}

/* Makes the floating replacement plan of the optimum. */
static enum ft_status make_plan(struct api_call *c, const struct optimum *o, cJSON *out,
                                struct ft_err *err)
{
    char name[200];
    struct plan p = {0};
    cJSON *json = cJSON_CreateObject();
    snprintf(name, sizeof(name), "Replace %.80s by age", o->component_name);
    if (o->key != NULL)
        json_add_string(json, "key", o->key);
    json_add_string(json, "name", name);
    json_add_string(json, "class", o->class_name);
    json_add_string(json, "component", o->component_name);
    json_add_string(json, "action", "replacement");
    json_add_number(json, "interval_s", floor(o->best.interval) * 86400);
    json_add_number(json, "duration_h", o->costs.planned_h > 0 ? o->costs.planned_h : 1);
    json_add_string(json, "skill", o->component->skill);
    enum ft_status st = plan_from_json(c->db, json, true, clock_local_midnight(c->now_ms), &p, err);
    if (st == FT_OK)
        st = store_new(c, &p, err);
    if (st == FT_OK)
        st = api_audit(c, "plan.create", p.key, json, err);
    json_add_string(out, "plan", p.key);
    cJSON_Delete(json);
    plan_clear(&p);
    return st;
}

enum ft_status api_plans_optimise(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"class", "component", "create", "key", NULL};
    struct snapshot s = {0};
    struct optimum o = {0};
    bool is_create = false;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "class", true, &o.class_name, err);
    if (st == FT_OK)
        st = json_string(c->json, "component", true, &o.component_name, err);
    if (st == FT_OK)
        st = json_string(c->json, "key", false, &o.key, err);
    if (st == FT_OK)
        st = json_bool(c->json, "create", false, &is_create, err);
    if (st == FT_OK)
        st = snapshot_load(c->db, 0, &s, err);
    if (st == FT_OK)
        st = find_part(&s, &o, err);
    if (st == FT_OK && is_create && !(o.best.has_optimum && o.best.interval >= 1))
        st = ft_fail(err, FT_CONFLICT, "%.60s of %.60s: running to failure is cheapest, no plan",
                     o.component_name, o.class_name);
    cJSON *out = st == FT_OK ? optimum_json(&o, s.site.currency) : NULL;
    if (st == FT_OK && is_create)
        st = make_plan(c, &o, out, err);
    if (st == FT_OK)
        st = api_reply(c, out, err);
    else
        cJSON_Delete(out);
    snapshot_free(&s);
    return st;
}

/* --- crews ------------------------------------------------------------------------------------ */

enum ft_status api_crews_list(struct api_call *c, struct ft_err *err)
{
    struct crew_list rows = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = crew_list(c->db, &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        cJSON *o = crew_to_json(&rows.items[i], site.currency);
        if (!cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    crew_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}

/* Makes the crew of this name or changes it. */
enum ft_status api_crews_post(struct api_call *c, struct ft_err *err)
{
    struct crew_list rows = {0};
    struct crew fresh = {0};
    struct crew *k = &fresh;
    struct site site;
    const char *name = NULL;
    int64_t id;
    enum ft_status st = json_string(c->json, "name", true, &name, err);
    if (st == FT_OK)
        st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = crew_list(c->db, &rows, err);
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.items[i].name, name) == 0)
            k = &rows.items[i];
    if (st == FT_OK)
        st = crew_from_json(c->json, site.currency, k, err);
    if (st == FT_OK)
        st = crew_put(c->db, k, &id, err);
    if (st == FT_OK)
        st = api_audit(c, "crew.put", k->name, c->json, err);
    if (st == FT_OK)
        st = api_reply(c, crew_to_json(k, site.currency), err);
    crew_clear(&fresh);
    crew_list_free(&rows);
    return st;
}

/* --- calendar --------------------------------------------------------------------------------- */

enum ft_status api_calendar_list(struct api_call *c, struct ft_err *err)
{
    struct crew_list crews = {0};
    struct calendar_list rows = {0};
    const int64_t from_ms = api_instant(c, "from", c->now_ms - 366 * MS_PER_DAY);
    const int64_t to_ms = api_instant(c, "to", c->now_ms + 5 * 366 * MS_PER_DAY);
    enum ft_status st = crew_list(c->db, &crews, err);
    if (st == FT_OK)
        st = calendar_list(c->db, from_ms, to_ms, &rows, err);
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        cJSON *o = calendar_to_json(&rows.items[i], &crews);
        if (!cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    calendar_list_free(&rows);
    crew_list_free(&crews);
    if (st == FT_OK)
        return api_reply_list(c, items, NULL, err);
    cJSON_Delete(items);
    return st;
}

enum ft_status api_calendar_post(struct api_call *c, struct ft_err *err)
{
    struct crew_list crews = {0};
    struct calendar_entry e = {0};
    char subject[40];
    enum ft_status st = crew_list(c->db, &crews, err);
    if (st == FT_OK)
        st = calendar_from_json(c->json, &crews, &e, err);
    if (st == FT_OK)
        st = calendar_put(c->db, &e, &e.id, err);
    snprintf(subject, sizeof(subject), "calendar %lld", (long long)e.id);
    if (st == FT_OK)
        st = api_audit(c, "calendar.create", subject, c->json, err);
    if (st == FT_OK)
        st = api_reply(c, calendar_to_json(&e, &crews), err);
    calendar_entry_clear(&e);
    crew_list_free(&crews);
    return st;
}

enum ft_status api_calendar_delete(struct api_call *c, struct ft_err *err)
{
    char *end = NULL;
    const char *text = c->match->params[0];
    const int64_t id = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || id < 1)
        return ft_fail(err, FT_NOT_FOUND, "there is no calendar entry '%.40s'", text);
    enum ft_status st = calendar_delete(c->db, id, err);
    if (st == FT_OK)
        st = api_audit(c, "calendar.delete", text, NULL, err);
    c->reply->status = 204;
    return st;
}
