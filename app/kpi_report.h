/* Key figures of a span of time in the sense of EN 15341 (own words), each with its formula and how
 * many cases it rests on; and the assets that cost most. A figure without cases is null. */
#ifndef APP_KPI_REPORT_H
#define APP_KPI_REPORT_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct db;

/* "90d" (until now_ms), "2026", "2026-Q3" or "2026-10", in the site's zone. FT_INVALID. */
enum ft_status kpi_period_parse(const char *text, int64_t now_ms, int64_t *from_ms, int64_t *to_ms,
                                struct ft_err *err);

/* {"period":{"from","to"},"currency","items":[{"key","value","unit","n","formula","note"}]} with
 * mtbf, mttr, availability, pm_compliance, backlog, planned_share, cost_per_asset, failures. The
 * caller frees *out. */
enum ft_status kpi_report_json(struct db *db, const char *period, cJSON **out, struct ft_err *err);

/* {"period","currency","items":[{"asset","name","class","failures","downtime_h","cost","share",
 * "cumulated"}]}: falling by sort (cost, the default; failures; downtime); cost is what the events
 * say, else C_F (estimated). */
enum ft_status kpi_bad_actors_json(struct db *db, const char *period, const char *sort,
                                   size_t limit, cJSON **out, struct ft_err *err);

#endif
