#include "db/scenario_store.h"

#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

static void read_scenario(struct statement *s, void *row)
{
    struct scenario *x = row;
    x->id = column_int(s, 0);
    x->key = column_text(s, 1);
    x->changes = column_text(s, 2);
    x->result = column_text(s, 3);
    x->actor = column_text(s, 4);
    x->computed_ms = column_int(s, 5);
}

void scenario_clear(struct scenario *x)
{
    free(x->key);
    free(x->changes);
    free(x->result);
    free(x->actor);
    *x = (struct scenario){0};
}

static void clear_scenario(void *row)
{
    scenario_clear(row);
}

enum ft_status scenario_put(struct db *db, const struct scenario *x, struct ft_err *err)
{
    struct scenario_list all = {0};
    bool is_there = false;
    enum ft_status st = scenario_list(db, &all, err);
    for (size_t i = 0; i < all.n; i++)
        is_there = is_there || strcmp(all.items[i].key, x->key) == 0;
    const bool is_full = all.n >= SCENARIO_MAX && !is_there;
    scenario_list_free(&all);
    if (st != FT_OK)
        return st;
    if (is_full)
        return ft_fail(err, FT_CONFLICT, "%d what-ifs are kept already: delete one first",
                       SCENARIO_MAX);
    if (x->key[0] == '\0' || strlen(x->key) > 100)
        return ft_fail(err, FT_INVALID, "name of a what-if: expected 1 to 100 bytes");
    struct statement s = statement_begin(db, QUERY_scenario_put, err);
    bind_text(&s, ":key", x->key);
    bind_text(&s, ":changes", x->changes);
    bind_text(&s, ":result", x->result);
    bind_text(&s, ":actor", x->actor);
    bind_int(&s, ":computed_ms", x->computed_ms);
    return statement_run(&s);
}

static enum ft_status fail_absent(const char *key, struct ft_err *err)
{
    return ft_fail(err, FT_NOT_FOUND, "there is no what-if '%.100s'", key);
}

enum ft_status scenario_find(struct db *db, const char *key, struct scenario *out,
                             struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_scenario_by_key, err);
    bind_text(&s, ":key", key);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_scenario, clear_scenario, out);
    return st == FT_NOT_FOUND ? fail_absent(key, err) : st;
}

enum ft_status scenario_delete(struct db *db, const char *key, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_scenario_delete, err);
    bind_text(&s, ":key", key);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK && s.n_changes == 0 ? fail_absent(key, err) : st;
}

enum ft_status scenario_list(struct db *db, struct scenario_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_scenario_list, err);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_scenario, clear_scenario, &a);
    *out = (struct scenario_list){a.items, a.n};
    return st;
}

void scenario_list_free(struct scenario_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_scenario);
    *l = (struct scenario_list){0};
}
