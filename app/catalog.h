/* Classes, components and assets of a database in memory, found by id: what planning and the fleet
 * page look up a thousand times. */
#ifndef APP_CATALOG_H
#define APP_CATALOG_H

#include "app/base/status.h"
#include "db/asset_store.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct catalog {
    struct asset_class_list classes; /* each list is sorted by id */
    struct component_list components;
    struct asset_list assets;
};

/* Reads everything. The caller ends *out with catalog_free(), also after a failure. */
enum ft_status catalog_load(struct db *db, struct catalog *out, struct ft_err *err);
void catalog_free(struct catalog *c);

/* NULL when there is none; id 0 is none. Owned by the catalog. */
const struct asset_class *catalog_class(const struct catalog *c, int64_t id);
const struct component *catalog_component(const struct catalog *c, int64_t id);
const struct asset *catalog_asset(const struct catalog *c, int64_t id);

/* Name of a component, or "asset" for 0 or an unknown id. */
const char *catalog_component_name(const struct catalog *c, int64_t id);

#endif
