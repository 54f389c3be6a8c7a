#include "app/life_lab.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "app/life_answer.h"
#include "app/life_input.h"
#include "app/life_lab_curves.h"
#include "app/life_site.h"
#include "app/snapshot.h"
#include "app/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_SIZE = 180, MAX_DRAWS = 1000 };

struct lab {
    struct snapshot s;
    const struct life *life;
    const char *class_name, *component; /* component NULL = any failure */
    const cJSON *drop;
    struct job_costs costs;
    size_t n_assets;
    struct life_request request;
    struct life_table table;  /* those not dropped */
    struct life_origin *kept; /* [table.n] */
};

static void lab_free(struct lab *l)
{
    life_table_free(&l->table);
    free(l->kept);
    snapshot_free(&l->s);
}

/* --- selection -------------------------------------------------------------------------------- */

static enum ft_status find_part(struct lab *l, struct ft_err *err)
{
    int64_t class_id = 0, component_id = 0;
    const struct catalog *c = &l->s.catalog;
    for (size_t i = 0; i < c->classes.n; i++)
        if (strcmp(c->classes.items[i].name, l->class_name) == 0)
            class_id = c->classes.items[i].id;
    if (class_id == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no class \"%.100s\"", l->class_name);
    for (size_t i = 0; i < c->components.n && l->component != NULL; i++)
        if (c->components.items[i].class_id == class_id &&
            strcmp(c->components.items[i].name, l->component) == 0)
            component_id = c->components.items[i].id;
    if (l->component != NULL && component_id == 0)
        return ft_fail(err, FT_NOT_FOUND, "class \"%.80s\" has no component \"%.80s\"",
                       l->class_name, l->component);
    l->life = lives_find(&l->s.lives, class_id, component_id);
    const struct asset *one = NULL;
    for (size_t i = 0; i < c->assets.n; i++) {
        const struct asset *a = &c->assets.items[i];
        if (a->class_id != class_id || a->is_held_out || a->retired_ms != DB_NO_TIME)
            continue;
        one = one != NULL ? one : a;
        l->n_assets++;
    }
    if (l->life == NULL || one == NULL)
        return ft_fail(err, FT_NOT_FOUND, "class \"%.100s\" has no asset in service",
                       l->class_name);
    l->costs = economics_costs(&l->s.economics, c, one, component_id);
    return FT_OK;
}

static const char *asset_key(const struct lab *l, int64_t id)
{
    const struct asset *a = catalog_asset(&l->s.catalog, id);
    return a != NULL ? a->key : "?";
}

/* "P-2107@2026-03-04": the asset, and the local day on which the life ended. */
static void life_id(const struct lab *l, size_t i, char out[ID_SIZE])
{
    char date[CLOCK_TEXT_SIZE];
    clock_format_local_date(l->life->origin[i].end_ms, date);
    snprintf(out, ID_SIZE, "%.120s@%s", asset_key(l, l->life->origin[i].asset_id), date);
}

static bool is_dropped(const struct lab *l, size_t i)
{
    char id[ID_SIZE];
    const cJSON *one;
    life_id(l, i, id);
    cJSON_ArrayForEach (one, l->drop) {
        if (cJSON_IsString(one) && strcmp(one->valuestring, id) == 0)
            return true;
    }
    return false;
}

static enum ft_status fill_table(struct lab *l, struct ft_err *err)
{
    struct life_table *t = &l->table;
    const struct life *x = l->life;
    t->time = calloc(x->n + 1, sizeof(*t->time));
    t->failed = calloc(x->n + 1, sizeof(*t->failed));
    t->count = calloc(x->n + 1, sizeof(*t->count));
    t->entry = x->entry != NULL ? calloc(x->n + 1, sizeof(*t->entry)) : NULL;
    l->kept = calloc(x->n + 1, sizeof(*l->kept));
    if (t->time == NULL || t->failed == NULL || t->count == NULL || l->kept == NULL ||
        (x->entry != NULL && t->entry == NULL))
        return ft_fail(err, FT_NOMEM, "no memory for %zu lives", x->n);
    snprintf(t->time_column, sizeof(t->time_column), "time");
    snprintf(t->event_column, sizeof(t->event_column), "failed");
    for (size_t i = 0; i < x->n; i++) {
        if (is_dropped(l, i))
            continue;
        t->time[t->n] = x->time[i];
        t->failed[t->n] = x->failed[i];
        t->count[t->n] = 1;
        if (x->entry != NULL && t->entry != NULL)
            t->entry[t->n] = x->entry[i];
        l->kept[t->n++] = x->origin[i];
    }
    return FT_OK;
}

/* --- request ---------------------------------------------------------------------------------- */

static enum ft_status read_costs(struct lab *l, const cJSON *json, struct ft_err *err)
{
    struct life_request *q = &l->request;
    const char *currency = l->s.site.currency;
    q->cost_planned = money_to_major(l->costs.planned_minor, currency);
    q->cost_failure = money_to_major(l->costs.failure_minor, currency);
    enum ft_status st = json_number(json, "cost_planned", false, &q->cost_planned, err);
    if (st == FT_OK)
        st = json_number(json, "cost_failure", false, &q->cost_failure, err);
    q->has_costs = q->cost_planned > 0 && q->cost_failure > 0;
    if (st == FT_OK && !q->has_costs)
        return ft_fail(err, FT_INVALID, "cost_planned and cost_failure: expected amounts above 0");
    return st;
}

static enum ft_status read_law(struct lab *l, const cJSON *json, struct ft_err *err)
{
    struct life_request *q = &l->request;
    const char *name = "weibull";
    const enum ft_status st = json_string(json, "distribution", false, &name, err);
    if (st != FT_OK)
        return st;
    q->is_best = strcmp(name, "best") == 0;
    if (!q->is_best && life_parse(name, &q->distribution, err) != FT_OK)
        return FT_INVALID;
    if (q->is_best || q->distribution != LIFE_WEIBULL)
        q->prior.median = 0; /* it is one of the Weibull shape */
    q->has_plot = true;
    return life_request_check(q, err);
}

static enum ft_status read_request(struct lab *l, const cJSON *json, struct ft_err *err)
{
    static const char *const known[] = {
        "class",        "component", "distribution", "confidence", "cost_planned",
        "cost_failure", "drop",      "bootstrap",    "seed",       NULL};
    struct life_site_query q = {.confidence = 0.9};
    int64_t draws = 200, seed = 1;
    enum ft_status st = json_only_keys(json, known, err);
    if (st == FT_OK)
        st = json_string(json, "class", true, &l->class_name, err);
    if (st == FT_OK)
        st = json_string(json, "component", false, &l->component, err);
    if (st == FT_OK)
        st = json_number(json, "confidence", false, &q.confidence, err);
    if (st == FT_OK)
        st = json_int(json, "bootstrap", false, 0, MAX_DRAWS, &draws, err);
    if (st == FT_OK)
        st = json_int(json, "seed", false, 0, INT64_MAX, &seed, err);
    if (st == FT_OK)
        st = json_array(json, "drop", false, &l->drop, err);
    if (st == FT_OK)
        st = find_part(l, err);
    if (st != FT_OK)
        return st;
    q.n_draws = (size_t)draws;
    q.seed = (uint64_t)seed;
    l->request = life_site_request(&l->s, &q, l->life, &l->costs, l->n_assets);
    st = read_costs(l, json, err);
    return st == FT_OK ? read_law(l, json, err) : st;
}

/* --- what the records say --------------------------------------------------------------------- */

struct tally {
    const char *asset;
    size_t n_failures;
    double days;
};

static int compare_tally(const void *x, const void *y)
{
    const struct tally *a = x;
    const struct tally *b = y;
    if (a->n_failures != b->n_failures)
        return a->n_failures < b->n_failures ? 1 : -1;
    return strcmp(a->asset, b->asset);
}

/* Lives of an asset stand together, as lives_load() walks them. */
static enum ft_status add_by_asset(const struct lab *l, cJSON *body, struct ft_err *err)
{
    size_t n = 0;
    cJSON *list = json_add_array(body, "by_asset");
    struct tally *all = calloc(l->table.n + 1, sizeof(*all));
    if (all == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu lives", l->table.n);
    for (size_t i = 0; i < l->table.n; i++) {
        if (i == 0 || l->kept[i].asset_id != l->kept[i - 1].asset_id)
            all[n++] = (struct tally){.asset = asset_key(l, l->kept[i].asset_id)};
        all[n - 1].n_failures += l->table.failed[i];
        all[n - 1].days += l->table.time[i] - (l->table.entry != NULL ? l->table.entry[i] : 0);
    }
    qsort(all, n, sizeof(*all), compare_tally);
    for (size_t i = 0; i < n; i++) {
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "asset", all[i].asset);
        json_add_int(o, "failures", (int64_t)all[i].n_failures);
        json_add_number(o, "days", all[i].days);
    }
    free(all);
    return FT_OK;
}

static void add_lives(const struct lab *l, cJSON *body)
{
    cJSON *list = json_add_array(body, "lives");
    for (size_t i = 0; i < l->life->n; i++) {
        char id[ID_SIZE];
        cJSON *o = json_add_object(list, NULL);
        life_id(l, i, id);
        json_add_string(o, "id", id);
        json_add_string(o, "asset", asset_key(l, l->life->origin[i].asset_id));
        json_add_instant(o, "ended", l->life->origin[i].end_ms);
        json_add_number(o, "time", l->life->time[i]);
        json_add_number(o, "entry", l->life->entry != NULL ? l->life->entry[i] : 0);
        json_add_bool(o, "failed", l->life->failed[i]);
        json_add_bool(o, "dropped", is_dropped(l, i));
    }
}

static void add_selection(const struct lab *l, cJSON *body)
{
    json_add_string(body, "class", l->class_name);
    json_add_string(body, "component", l->component);
    json_add_string(body, "currency", l->s.site.currency);
    json_add_int(body, "assets", (int64_t)l->n_assets);
    json_add_number(body, "cost_planned", l->request.cost_planned);
    json_add_number(body, "cost_failure", l->request.cost_failure);
    json_add_bool(body, "costs_are_defaults", l->costs.has_default);
    if (l->request.prior.median > 0) {
        cJSON *prior = json_add_object(body, "prior");
        json_add_number(prior, "median", l->request.prior.median);
        json_add_number(prior, "log_sd", l->request.prior.log_sd);
    } else {
        json_add_null(body, "prior");
    }
}

/* --- answer ----------------------------------------------------------------------------------- */

/* Figures of a rest sentence: how sure, on how many lives, and on whose shape. */
static void write_ground(const struct lab *l, const struct life_report *r, char *out, size_t size)
{
    int n = snprintf(out, size, "%.0f failure%s, %.0f still running or replaced before.",
                     r->fit.n_failures, r->fit.n_failures == 1 ? "" : "s",
                     r->fit.n - r->fit.n_failures);
    if (l->request.prior.median > 0 && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n,
                 " So few failures borrow the shape of the other parts' lives.");
}

static void add_answer(const struct lab *l, const struct life_answer *a, cJSON *body)
{
    char ground[240];
    char share[WORDS_SIZE];
    char pays[WORDS_SIZE];
    const struct life_rule *rule = &a->decisions.age;
    const double level = l->request.confidence;
    cJSON *o = json_add_object(body, "answer");
    write_ground(l, &a->report, ground, sizeof(ground));
    words_percent(rule->best.saving_frac, share);
    words_percent(rule->pays_frac, pays);
    const bool is_sure = isnan(rule->pays_frac) || rule->pays_frac >= 0.9;
    if (!rule->best.has_optimum) {
        json_add_string(o, "lead",
                        rule->pays_frac > 0.5
                            ? "Not settled; until more is known, run it to failure."
                            : "Run it to failure: replacing by age does not pay.");
        char why[480];
        snprintf(why, sizeof(why), "%s. %s", a->report.reason, ground);
        why[0] = (char)toupper((unsigned char)why[0]);
        json_add_string(o, "rest", why);
        return;
    }
    if (is_sure)
        json_add_format(o, "lead", "Replace at %.0f d: saves %s.", rule->best.interval, share);
    else
        json_add_format(o, "lead", "Not settled: replacing at %.0f d would save %s.",
                        rule->best.interval, share);
    if (isfinite(rule->interval[0]) && isfinite(rule->interval[1]))
        json_add_format(o, "rest",
                        "Best age %.0f to %.0f d at %.0f %% confidence; it pays in %s of the "
                        "draws. %s",
                        rule->interval[0], rule->interval[1], 100 * level, pays, ground);
    else
        json_add_string(o, "rest", ground);
}

/* Too few lives for a fit: the reader hears why, and still sees the lives. */
static void add_no_fit(const struct lab *l, const char *why, cJSON *body)
{
    static const char *const empty[] = {"laws", "hazard", "cost", "warnings"};
    size_t n_failed = 0;
    cJSON *o = json_add_object(body, "answer");
    for (size_t i = 0; i < l->table.n; i++)
        n_failed += l->table.failed[i];
    json_add_string(o, "lead", "Too little is known to judge this part.");
    json_add_format(o, "rest", "%zu failure%s in %zu lives: %.250s.", n_failed,
                    n_failed == 1 ? "" : "s", l->table.n, why);
    json_add_int(body, "n", (int64_t)l->table.n);
    json_add_int(body, "failures", (int64_t)n_failed);
    json_add_int(body, "censored", (int64_t)(l->table.n - n_failed));
    json_add_null(body, "distribution");
    json_add_null(body, "plot");
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        json_add_array(body, empty[i]);
}

/* Every law beside each other, whichever was asked for. */
static enum ft_status add_laws(const struct lab *l, cJSON *body, struct ft_err *err)
{
    struct life_report r;
    struct life_request q = l->request;
    q.is_best = true;
    q.prior.median = 0;
    cJSON *all = cJSON_CreateObject();
    const enum ft_status st = life_report_make(&l->table, &q, &r, err);
    if (st == FT_OK) {
        life_report_json(&r, &l->table, all);
        life_report_free(&r);
    }
    cJSON *laws = cJSON_DetachItemFromObjectCaseSensitive(all, "candidates");
    if (laws == NULL)
        laws = cJSON_CreateArray();
    if (!cJSON_AddItemToObject(body, "laws", laws))
        cJSON_Delete(laws);
    cJSON_Delete(all);
    return st == FT_TOO_FEW ? FT_OK : st;
}

static enum ft_status add_analysis(const struct lab *l, struct pool *pool, cJSON *body,
                                   struct ft_err *err)
{
    struct life_answer a;
    struct ft_err why = {0};
    if (l->table.n == 0) {
        add_no_fit(l, "no life is left to look at", body);
        return FT_OK;
    }
    enum ft_status st = life_answer_make(&l->table, &l->request, pool, &a, &why);
    if (st == FT_TOO_FEW) {
        add_no_fit(l, why.msg, body);
        return FT_OK;
    }
    if (st != FT_OK)
        return ft_fail(err, st, "%s", why.msg);
    const struct life_data data = life_table_data(&l->table);
    add_answer(l, &a, body);
    st = life_answer_json(&a, &l->table, &l->request, body, err);
    if (st == FT_OK)
        st = add_laws(l, body, err);
    if (st == FT_OK)
        st = life_lab_curves_json(&a.report, &l->request, &data, body, err);
    life_answer_free(&a);
    return st;
}

enum ft_status life_lab_json(struct db *db, const cJSON *request, struct pool *pool, cJSON *body,
                             struct ft_err *err)
{
    struct lab l = {0};
    enum ft_status st = snapshot_load(db, 0, &l.s, err);
    if (st == FT_OK)
        st = read_request(&l, request, err);
    if (st == FT_OK)
        st = fill_table(&l, err);
    if (st == FT_OK) {
        add_selection(&l, body);
        add_lives(&l, body);
        st = add_by_asset(&l, body, err);
    }
    if (st == FT_OK)
        st = life_lab_mcf_json(&l.table, l.kept, l.request.confidence, body, err);
    if (st == FT_OK)
        st = add_analysis(&l, pool, body, err);
    lab_free(&l);
    return st;
}
