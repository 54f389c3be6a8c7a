/* Writes the demo plant (app/demo/plant.h) into a database or a folder of CSV files. */
#ifndef APP_DEMO_DEMO_H
#define APP_DEMO_DEMO_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/demo/plant.h"

struct db;

struct demo_counts {
    size_t n_assets, n_sensors, n_events, n_failures;
    int64_t n_readings;
};

/* Called after each asset; done of n_assets. */
typedef void (*demo_progress)(void *ctx, size_t done);

/* Writes classes, components with costs, assets, readings, events, crews, calendar and preventive
 * plans in one transaction per asset. FT_CONFLICT when the database holds assets already.
 * FT_INTERRUPTED when is_interrupted() said so (may be NULL). */
enum ft_status demo_write(struct db *db, const struct demo_options *o, struct pool *pool,
                          bool (*is_interrupted)(void), demo_progress progress, void *ctx,
                          struct demo_counts *counts, struct ft_err *err);

/* Writes assets.csv, readings_<class>.csv (wide), failures.csv, replacements.csv and alarms.csv
 * into an existing folder. */
enum ft_status demo_write_csv(const char *folder, const struct demo_options *o,
                              struct demo_counts *counts, struct ft_err *err);

/* Writes the hidden truth: asset, component, installed, fails, wear, sign, silent. */
enum ft_status demo_write_truth(const char *path, const struct demo_options *o, struct ft_err *err);

#endif
