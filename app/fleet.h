/* The fleet page and its key figures: every asset with its state, money at risk, forecast and next
 * work, ranked; composed here so that the sentence and the table never disagree. One rule decides
 * the state of an asset (fleet_state); every page shows the same. */
#ifndef APP_FLEET_H
#define APP_FLEET_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define FLEET_MAX_LIMIT 1000

/* Zero or NULL means: no filter, or the default. */
struct fleet_query {
    int64_t window_ms;      /* of "money at risk" and p; default 30 days */
    const char *class_name; /* exact */
    const char *area;       /* this area and those below it ("Mill 2" holds "Mill 2/PM 2") */
    const char *state;      /* comma-separated: act,soon,watch,normal,no_data */
    const char *q;          /* part of key, name or area, without case (ASCII) */
    const char *sort;       /* money_at_risk, p, waiting_per_day, rul, state, key, data; "-" first =
                               falling; default -money_at_risk */
    const char *cursor;     /* next_cursor of the answer before */
    size_t limit;           /* default 100, at most FLEET_MAX_LIMIT */
    bool is_plain;          /* only the plain fields of an asset, no forecast */
};

/* GET /api/v1/assets. The caller frees *out. FT_INVALID names the bad parameter. */
enum ft_status fleet_json(struct db *db, const struct fleet_query *q, cJSON **out,
                          struct ft_err *err);

/* GET /api/v1/kpi?period=now; window_ms 0 = 30 days. */
enum ft_status fleet_kpi_json(struct db *db, int64_t window_ms, cJSON **out, struct ft_err *err);

#endif
