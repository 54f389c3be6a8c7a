#include "app/catalog.h"

#include <stdlib.h>
#include <string.h>

/* Every row of the three lists begins with its id. */
_Static_assert(offsetof(struct asset_class, id) == 0, "id comes first");
_Static_assert(offsetof(struct component, id) == 0, "id comes first");
_Static_assert(offsetof(struct asset, id) == 0, "id comes first");

static int compare_ids(const void *a, const void *b)
{
    int64_t x;
    int64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void sort_rows(void *items, size_t n, size_t size)
{
    if (n > 1)
        qsort(items, n, size, compare_ids);
}

static const void *find(const void *items, size_t n, size_t size, int64_t id)
{
    return n > 0 && id != 0 ? bsearch(&id, items, n, size, compare_ids) : NULL;
}

enum ft_status catalog_load(struct db *db, struct catalog *out, struct ft_err *err)
{
    memset(out, 0, sizeof(*out));
    enum ft_status st = class_list(db, &out->classes, err);
    if (st == FT_OK)
        st = component_list(db, 0, &out->components, err);
    if (st == FT_OK)
        st = asset_list(db, 0, &out->assets, err);
    if (st != FT_OK)
        return st;
    sort_rows(out->classes.items, out->classes.n, sizeof(*out->classes.items));
    sort_rows(out->components.items, out->components.n, sizeof(*out->components.items));
    sort_rows(out->assets.items, out->assets.n, sizeof(*out->assets.items));
    return FT_OK;
}

void catalog_free(struct catalog *c)
{
    asset_class_list_free(&c->classes);
    component_list_free(&c->components);
    asset_list_free(&c->assets);
}

const struct asset_class *catalog_class(const struct catalog *c, int64_t id)
{
    return find(c->classes.items, c->classes.n, sizeof(*c->classes.items), id);
}

const struct component *catalog_component(const struct catalog *c, int64_t id)
{
    return find(c->components.items, c->components.n, sizeof(*c->components.items), id);
}

const struct asset *catalog_asset(const struct catalog *c, int64_t id)
{
    return find(c->assets.items, c->assets.n, sizeof(*c->assets.items), id);
}

const char *catalog_component_name(const struct catalog *c, int64_t id)
{
    const struct component *x = catalog_component(c, id);
    return x != NULL ? x->name : "asset";
}
