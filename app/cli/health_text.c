#include "app/cli/health_text.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/health_index.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SERIES = 365 };

struct ranked {
    size_t asset, tick; /* tick SIZE_MAX = nothing to say */
    double health;
};

static int compare_ranked(const void *pa, const void *pb)
{
    const struct ranked *a = pa;
    const struct ranked *b = pb;
    if (a->health != b->health)
        return a->health < b->health ? -1 : 1;
    return a->asset < b->asset ? -1 : a->asset > b->asset;
}

static void print_asset(const struct health_index *x, const struct ranked *r)
{
    char text[160];
    const char *key = x->h->assets[r->asset].key;
    if (r->tick == SIZE_MAX) {
        printf("%-14.14s      –  no readings\n", key);
        return;
    }
    const struct anomaly_point *p = &health_index_points(x, r->asset)[r->tick];
    health_index_text(x, r->asset, r->tick, text, sizeof(text));
    printf("%-14.14s  %5.1f  %6.2f  %6.2f  %-5s  %s\n", key, p->health, p->t2, p->q,
           p->is_alarm ? "ALARM" : "", text);
}

/* Worst first. */
static enum ft_status print_class(const struct health_index *x, struct ft_err *err)
{
    const size_t n = x->h->n_assets;
    struct ranked *list = calloc(n + 1, sizeof(*list));
    if (list == NULL)
        return ft_fail(err, FT_NOMEM, "predict: no memory");
    for (size_t a = 0; a < n; a++) {
        const size_t t = health_index_newest(x, a);
        const double health = t == SIZE_MAX ? 101 : health_index_points(x, a)[t].health;
        list[a] = (struct ranked){a, t, health};
    }
    qsort(list, n, sizeof(*list), compare_ranked);
    printf("%s: health 100 = as normal, 85 = on the alarm line; T2 and Q in alarm lines\n"
           "asset           health      T2       Q\n",
           x->h->class_name);
    for (size_t i = 0; i < n; i++)
        print_asset(x, &list[i]);
    free(list);
    return FT_OK;
}

static void print_series(const struct health_index *x, size_t asset)
{
    for (size_t t = x->n_ticks > N_SERIES ? x->n_ticks - N_SERIES : 0; t < x->n_ticks; t++) {
        const struct anomaly_point *p = &health_index_points(x, asset)[t];
        char when[CLOCK_TEXT_SIZE];
        if (!isfinite(p->health))
            continue;
        clock_format_utc(x->start_ms + (int64_t)(t + 1) * x->tick_ms, when);
        printf("%s  %5.1f  %7.2f  %7.2f  %-5s  %s\n", when, p->health, p->t2, p->q,
               p->is_alarm ? "ALARM" : "", x->h->sensors[x->sensor[p->lead]].name);
    }
}

static size_t find_asset(const struct history *h, const char *key)
{
    for (size_t a = 0; a < h->n_assets; a++)
        if (strcmp(h->assets[a].key, key) == 0)
            return a;
    return SIZE_MAX;
}

static enum ft_status put_class(const struct health_index *x, const struct health_text_options *o,
                                cJSON *items, struct ft_err *err)
{
    const size_t asset = o->asset != NULL ? find_asset(x->h, o->asset) : SIZE_MAX;
    if (o->asset != NULL && asset == SIZE_MAX)
        return ft_fail(err, FT_NOT_FOUND, "no asset \"%.100s\" in class %s", o->asset,
                       x->h->class_name);
    if (!o->as_json && o->asset == NULL)
        return print_class(x, err);
    if (!o->as_json)
        print_series(x, asset);
    for (size_t a = 0; o->as_json && a < x->h->n_assets; a++)
        if (asset == SIZE_MAX || a == asset)
            cJSON_AddItemToArray(items, health_index_json(x, a, asset == a ? N_SERIES : 0));
    return FT_OK;
}

static enum ft_status one_class(struct db *db, const char *name,
                                const struct health_text_options *o, cJSON *items,
                                struct ft_err *err)
{
    struct history *h = NULL;
    struct health_index x = {0};
    enum ft_status st = history_load(db, name, o->at_ms, &h, err);
    if (st == FT_OK)
        st = health_index_find(h, DB_NO_TIME, &x, err);
    if (st == FT_OK)
        st = put_class(&x, o, items, err);
    if (st == FT_TOO_FEW && h != NULL && o->asset == NULL &&
        (o->as_json || o->class_name == NULL)) {
        for (size_t a = 0; o->as_json && a < h->n_assets; a++)
            cJSON_AddItemToArray(items, health_index_silent_json(h->assets[a].key, name, err->msg));
        if (!o->as_json)
            fprintf(stderr, "%s\n", err->msg);
        st = FT_OK;
    }
    health_index_clear(&x);
    history_free(h);
    return st;
}

/* The class of the asset that was asked for, unless a class was. */
static enum ft_status class_of(struct db *db, const struct health_text_options *o, int64_t *id,
                               struct ft_err *err)
{
    struct asset a = {0};
    *id = 0;
    if (o->asset == NULL || o->class_name != NULL)
        return FT_OK;
    const enum ft_status st = asset_find(db, o->asset, &a, err);
    *id = a.class_id;
    asset_clear(&a);
    return st;
}

enum ft_status health_text_print(struct db *db, const struct health_text_options *o,
                                 struct ft_err *err)
{
    struct asset_class_list list = {0};
    int64_t id = 0;
    bool is_found = false;
    cJSON *answer = cJSON_CreateObject();
    cJSON *items = json_add_array(answer, "items");
    enum ft_status st = class_of(db, o, &id, err);
    if (st == FT_OK)
        st = class_list(db, &list, err);
    for (size_t i = 0; i < list.n && st == FT_OK; i++) {
        if ((o->class_name != NULL && strcmp(list.items[i].name, o->class_name) != 0) ||
            (id != 0 && list.items[i].id != id))
            continue;
        is_found = true;
        st = one_class(db, list.items[i].name, o, items, err);
    }
    asset_class_list_free(&list);
    if (st == FT_OK && !is_found && o->class_name != NULL)
        st = ft_fail(err, FT_NOT_FOUND, "no asset class \"%.100s\"", o->class_name);
    if (st == FT_OK && o->as_json)
        (void)cli_print_json(answer);
    cJSON_Delete(answer);
    return st;
}
