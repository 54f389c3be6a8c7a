/* The label-free anomaly on the demo plant, whose truth is known here and nowhere in the method:
 * which failures of wearing parts are named at least LEAD days ahead, and how often an asset is
 * called wrongly. Scales and alarm lines are learned from the first FIT days; everything after is
 * judged. bench_anomaly [FIRST_SEED [LAST_SEED [FIT_DAYS]]] (default 4 8 60; 1 to 3 were used to
 * develop).
 *
 * Named: an alarm stands LEAD days before the failure that began while the wear of some part of the
 * asset showed. False: an alarm that began while none did. */
#include "app/base/clock.h"
#include "app/base/pool.h"
#include "app/demo/demo.h"
#include "app/health_index.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAD_D = 3 };

struct count {
    size_t n_wear, n_signed, n_named, n_false, n_true;
    double asset_years;
};

static bool shows(const struct demo_asset *a, int64_t ts_ms)
{
    for (size_t p = 0; p < a->cls->n_components; p++)
        for (size_t k = 0; k < a->n_lives[p]; k++) {
            const struct demo_life *l = &a->lives[p][k];
            if (ts_ms >= l->installed_ms && ts_ms <= l->removed_ms && demo_sign(l, ts_ms) > 0)
                return true;
        }
    return false;
}

static int64_t end_of(const struct health_index *x, size_t tick)
{
    return x->start_ms + (int64_t)(tick + 1) * x->tick_ms;
}

/* An alarm that stands at the end of the last whole tick before an instant and began rightly. */
static bool is_named(const struct health_index *x, const struct anomaly_point *p,
                     const struct demo_asset *a, int64_t ts_ms)
{
    const int64_t n = (ts_ms - x->start_ms) / x->tick_ms;
    if (n < 1 || (size_t)n > x->n_ticks)
        return false;
    size_t t = (size_t)n - 1;
    if (!p[t].is_alarm)
        return false;
    while (t > 0 && !p[t].is_start)
        t--;
    return shows(a, end_of(x, t)) || shows(a, end_of(x, t) - x->tick_ms);
}

static void judge_asset(const struct health_index *x, size_t asset, const struct demo_asset *a,
                        int64_t from_ms, struct count *c)
{
    const struct anomaly_point *p = health_index_points(x, asset);
    const int64_t end_ms = end_of(x, x->n_ticks - 1);
    for (size_t t = 0; t < x->n_ticks; t++) {
        if (!p[t].is_start || end_of(x, t) <= from_ms)
            continue;
        const bool is_true = shows(a, end_of(x, t)) || shows(a, end_of(x, t) - x->tick_ms);
        c->n_true += is_true;
        c->n_false += !is_true;
    }
    for (size_t part = 0; part < a->cls->n_components; part++)
        for (size_t k = 0; k < a->n_lives[part]; k++) {
            const struct demo_life *l = &a->lives[part][k];
            const bool is_wear = a->cls->components[part].mode == DEMO_WEAR;
            if (!is_wear || l->removed_ms != l->fails_ms || l->fails_ms > end_ms ||
                l->fails_ms < from_ms + LEAD_D * MS_PER_DAY)
                continue;
            const bool named =
                !l->is_silent && is_named(x, p, a, l->fails_ms - LEAD_D * MS_PER_DAY);
            c->n_wear++;
            c->n_signed += !l->is_silent;
            c->n_named += named;
        }
    c->asset_years += (double)(end_ms - from_ms) / (365.25 * MS_PER_DAY);
}

static size_t find_asset(const struct history *h, const char *key)
{
    for (size_t i = 0; i < h->n_assets; i++)
        if (strcmp(h->assets[i].key, key) == 0)
            return i;
    return SIZE_MAX;
}

static enum ft_status judge_class(struct db *db, const struct demo_options *o, const char *name,
                                  int64_t from_ms, struct count *c, struct ft_err *err)
{
    struct history *h = NULL;
    struct health_index x = {0};
    enum ft_status st = history_load(db, name, DB_NO_TIME, &h, err);
    if (st == FT_OK)
        st = health_index_find(h, from_ms, &x, err);
    for (size_t i = 0; i < o->n_assets && st == FT_OK; i++) {
        struct demo_asset a;
        st = demo_asset_simulate(o, i, NULL, &a, err);
        if (st == FT_OK && strcmp(a.cls->name, name) == 0)
            judge_asset(&x, find_asset(h, a.key), &a, from_ms, c);
        if (st == FT_OK)
            demo_asset_clear(&a);
    }
    health_index_clear(&x);
    history_free(h);
    return st;
}

static void print(const char *name, const struct count *c)
{
    printf("%-16s %5zu %7zu %6zu  %5.1f %%  %5.1f %%  %6zu %6zu  %5.2f\n", name, c->n_wear,
           c->n_signed, c->n_named, 100.0 * (double)c->n_named / (double)c->n_wear,
           100.0 * (double)c->n_named / (double)c->n_signed, c->n_true, c->n_false,
           (double)c->n_false / c->asset_years);
}

static void add(struct count *to, const struct count *c)
{
    to->n_wear += c->n_wear;
    to->n_signed += c->n_signed;
    to->n_named += c->n_named;
    to->n_false += c->n_false;
    to->n_true += c->n_true;
    to->asset_years += c->asset_years;
}

static enum ft_status judge_seed(uint64_t seed, int64_t fit_d, struct count *all,
                                 struct ft_err *err)
{
    char path[] = "/tmp/fettle_anomaly_XXXXXX";
    struct demo_options o = demo_options_default(INT64_C(1767225600000));
    struct demo_counts counts;
    struct db *db = NULL;
    struct pool *pool = NULL;
    size_t n_classes;
    const struct demo_class *classes = demo_classes(&n_classes);
    struct count sum = {0};
    o.seed = seed;
    if (mkdtemp(path) == NULL)
        return ft_fail(err, FT_IO, "no temporary folder");
    char file[64];
    snprintf(file, sizeof(file), "%s/p.db", path);
    enum ft_status st = pool_new(0, &pool, err);
    if (st == FT_OK)
        st = db_open_writer(file, true, &db, err);
    if (st == FT_OK)
        st = demo_write(db, &o, pool, NULL, NULL, NULL, &counts, err);
    const int64_t start_ms = o.end_ms - (int64_t)o.n_days * MS_PER_DAY;
    for (size_t c = 0; c < n_classes && st == FT_OK; c++) {
        struct count part = {0};
        st = judge_class(db, &o, classes[c].name, start_ms + fit_d * MS_PER_DAY, &part, err);
        if (st == FT_OK)
            print(classes[c].name, &part);
        add(&sum, &part);
    }
    db_close(db);
    pool_free(pool);
    char command[96];
    snprintf(command, sizeof(command), "rm -r %s", path);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", path);
    if (st == FT_OK) {
        char name[24];
        snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
        print(name, &sum);
    }
    add(all, &sum);
    return st;
}

int main(int argc, char **argv)
{
    const long first = argc > 1 ? strtol(argv[1], NULL, 10) : 4;
    const long last = argc > 2 ? strtol(argv[2], NULL, 10) : 8;
    const long fit_d = argc > 3 ? strtol(argv[3], NULL, 10) : 60;
    struct count all = {0};
    struct ft_err err = {0};
    printf("                  wear  showing named  of wear of showing  true  false  "
           "false/asset-year\n");
    for (long s = first; s <= last; s++)
        if (judge_seed((uint64_t)s, fit_d, &all, &err) != FT_OK) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
    print("all", &all);
    return 0;
}
