/* fettle predict: scores now, or as of a past instant. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/cli/health_text.h"
#include "app/scoring.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct predict {
    const char *class_name, *asset;
    int64_t at_ms, threads, window_ms;
    bool as_json, is_dry, is_health;
    struct db *db;
    struct pool *pool;
    cJSON *items; /* of the JSON answer */
};

/* Names for the ids of one class. */
struct names {
    struct asset_list assets;
    struct component_list components;
};

static const char *asset_key(const struct names *n, int64_t id)
{
    for (size_t i = 0; i < n->assets.n; i++)
        if (n->assets.items[i].id == id)
            return n->assets.items[i].key;
    return "?";
}

static const char *component_name(const struct names *n, int64_t id)
{
    for (size_t i = 0; i < n->components.n; i++)
        if (n->components.items[i].id == id)
            return n->components.items[i].name;
    return NULL;
}

static void add_items(struct predict *p, const char *class_name, const struct names *names,
                      const struct scoring *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct forecast *f = &s->items[i].f;
        cJSON *row = json_add_object(p->items, NULL);
        cJSON *body = forecast_to_json(f);
        json_add_string(row, "asset", asset_key(names, f->asset_id));
        json_add_string(row, "class", class_name);
        json_add_string(row, "component",
                        f->component_id != 0 ? component_name(names, f->component_id) : NULL);
        while (body != NULL && body->child != NULL) {
            cJSON *member = cJSON_DetachItemViaPointer(body, body->child);
            char *key = strdup(member->string);
            if (key == NULL || !cJSON_AddItemToObject(row, key, member))
                cJSON_Delete(member);
            free(key);
        }
        cJSON_Delete(body);
    }
}

static int compare_items(const void *pa, const void *pb)
{
    const struct scoring_item *const *a = pa;
    const struct scoring_item *const *b = pb;
    const double qa = (*a)->ledger_p;
    const double qb = (*b)->ledger_p;
    if (qa != qb)
        return qa > qb ? -1 : 1;
    return (*a)->f.asset_id < (*b)->f.asset_id ? -1 : (*a)->f.asset_id > (*b)->f.asset_id;
}

static void print_life(const struct forecast *f, double unit_ms, const char *unit)
{
    if (!isfinite(f->rul_median))
        printf("  %-22s", "");
    else if (isfinite(f->rul_high))
        printf("  %5.0f (%.0f to %.0f) %s", f->rul_median / unit_ms, f->rul_low / unit_ms,
               f->rul_high / unit_ms, unit);
    else
        printf("  %5.0f (over %.0f) %s", f->rul_median / unit_ms, f->rul_low / unit_ms, unit);
}

/* Greatest first; the asset as a whole stands for its components unless they say more. */
static void print_items(const struct predict *p, const char *class_name, int64_t cycle_ms,
                        const struct names *names, const struct scoring *s)
{
    const struct scoring_item **order = calloc(s->n + 1, sizeof(const struct scoring_item *));
    const double unit_ms = (double)(cycle_ms > 0 ? cycle_ms : MS_PER_DAY);
    const char *unit = cycle_ms > 0 ? "cycles" : "d";
    const int64_t window = cycle_ms > 0 ? 30 * cycle_ms : p->window_ms;
    if (order == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        order[i] = &s->items[i];
    if (s->n > 0)
        qsort(order, s->n, sizeof(const struct scoring_item *), compare_items);
    printf("%s: chance of failure within %.0f %s, remaining life\n", class_name,
           (double)window / unit_ms, unit);
    for (size_t i = 0; i < s->n; i++) {
        const struct forecast *f = &order[i]->f;
        const char *component =
            f->component_id != 0 ? component_name(names, f->component_id) : NULL;
        printf("%-14.14s %-14.14s ", asset_key(names, f->asset_id),
               component != NULL ? component : "(asset)");
        if (f->n_horizons == 0) {
            printf("     –  %s\n", f->spoke);
            continue;
        }
        printf("%5.1f %%", 100 * forecast_probability(f, window));
        print_life(f, unit_ms, unit);
        printf("  %s\n", f->n_reasons > 0 ? f->reasons[0].text : f->spoke);
    }
    free(order);
}

static enum ft_status predict_class(struct predict *p, const struct asset_class *cls,
                                    struct ft_err *err)
{
    struct scoring s = {0};
    struct names names = {0};
    enum ft_status st = scoring_class(p->db, cls->name, p->at_ms, p->pool, &s, err);
    if (st == FT_TOO_FEW && p->class_name == NULL)
        return FT_OK; /* a class without assets among others */
    if (st == FT_OK)
        st = asset_list(p->db, cls->id, &names.assets, err);
    if (st == FT_OK)
        st = component_list(p->db, cls->id, &names.components, err);
    if (st == FT_OK && p->as_json)
        add_items(p, cls->name, &names, &s);
    else if (st == FT_OK)
        print_items(p, cls->name, cls->cycle_ms, &names, &s);
    if (st == FT_OK && !p->is_dry) {
        st = db_begin(p->db, err);
        if (st == FT_OK) {
            st = scoring_write(p->db, &s, clock_now_ms(), err);
            if (st == FT_OK)
                st = db_commit(p->db, err);
            else
                db_rollback(p->db);
        }
    }
    asset_list_free(&names.assets);
    component_list_free(&names.components);
    scoring_clear(&s);
    return st;
}

static enum ft_status predict_all(struct predict *p, struct ft_err *err)
{
    struct asset_class_list list = {0};
    bool is_found = p->class_name == NULL;
    enum ft_status st = class_list(p->db, &list, err);
    for (size_t i = 0; i < list.n && st == FT_OK; i++) {
        if (p->class_name != NULL && strcmp(list.items[i].name, p->class_name) != 0)
            continue;
        is_found = true;
        st = predict_class(p, &list.items[i], err);
    }
    asset_class_list_free(&list);
    if (st == FT_OK && !is_found)
        st = ft_fail(err, FT_NOT_FOUND, "no asset class \"%.100s\"", p->class_name);
    return st;
}

static enum ft_status run_health(const struct predict *p, struct ft_err *err)
{
    const struct health_text_options o = {
        .class_name = p->class_name, .asset = p->asset, .at_ms = p->at_ms, .as_json = p->as_json};
    struct db *db = NULL;
    enum ft_status st = db_open_reader(cli_db_path(), &db, err);
    if (st == FT_OK)
        st = health_text_print(db, &o, err);
    db_close(db);
    return st;
}

static enum ft_status run_predict(struct predict *p, struct ft_err *err)
{
    cJSON *answer = cJSON_CreateObject();
    size_t n_settled = 0;
    p->items = json_add_array(answer, "items");
    enum ft_status st = p->is_dry ? db_open_reader(cli_db_path(), &p->db, err)
                                  : db_open_writer(cli_db_path(), false, &p->db, err);
    if (st == FT_OK)
        st = site_use_zone(p->db, err);
    if (st == FT_OK)
        st = pool_new((size_t)p->threads, &p->pool, err);
    if (st == FT_OK)
        st = predict_all(p, err);
    if (st == FT_OK && !p->is_dry)
        st = ledger_settle(p->db, clock_now_ms(), &n_settled, err);
    if (st == FT_OK && p->as_json)
        (void)cli_print_json(answer);
    cJSON_Delete(answer);
    pool_free(p->pool);
    db_close(p->db);
    return st;
}

int cmd_predict(int argc, char **argv)
{
    struct predict p = {.at_ms = DB_NO_TIME, .window_ms = 30 * MS_PER_DAY};
    const struct cli_flag flags[] = {
        {"--class", CLI_STRING, &p.class_name, "K", "one class; default all"},
        {"--at", CLI_INSTANT, &p.at_ms, "TIME",
         "as of this instant: nothing later is seen, nothing is written"},
        {"--window", CLI_DURATION, &p.window_ms, "DUR", "of the printed chance; default 30d"},
        {"--health", CLI_BOOL, &p.is_health, NULL,
         "the health index instead: T2 and Q of the sensors, without labels or a model"},
        {"--asset", CLI_STRING, &p.asset, "KEY", "with --health: one asset, day by day"},
        {"--dry", CLI_BOOL, &p.is_dry, NULL, "write nothing"},
        {"--threads", CLI_INT, &p.threads, "N", "default: all processors"},
        {"--json", CLI_BOOL, &p.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle predict\nfettle predict --class pump --json\n"
                    "fettle predict --class machine --at 2015-10-01T00:00:00Z\n"
                    "fettle predict --health",
        .synopsis = "fettle predict [--class K] [--at TIME] [--dry] [--json]",
        .text = "Writes the forecasts that the dashboard and the planner use, and the ledger. "
                "Past instants (--at) are only shown; a champion trained later is used as it is.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (p.threads < 0 || p.threads > 1024)
        return cli_usage_error("--threads: expected 1 to 1024");
    if (p.asset != NULL && !p.is_health)
        return cli_usage_error("--asset: only with --health");
    p.is_dry = p.is_dry || p.at_ms != DB_NO_TIME;
    struct ft_err err = {0};
    const enum ft_status st = p.is_health ? run_health(&p, &err) : run_predict(&p, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
