/* Every handler of the route table; each lives in the api_<resource>.c of its resource. */
#ifndef WEB_API_HANDLERS_H
#define WEB_API_HANDLERS_H

#include "web/api/api.h"

/* api_health.c */
enum ft_status api_healthz(struct api_call *c, struct ft_err *err);
enum ft_status api_readyz(struct api_call *c, struct ft_err *err);
enum ft_status api_metrics(struct api_call *c, struct ft_err *err);
enum ft_status api_openapi_get(struct api_call *c, struct ft_err *err);
/* api_site.c */
enum ft_status api_site_get(struct api_call *c, struct ft_err *err);
enum ft_status api_kpi_get(struct api_call *c, struct ft_err *err);
enum ft_status api_bad_actors_get(struct api_call *c, struct ft_err *err);
enum ft_status api_classes_list(struct api_call *c, struct ft_err *err);
enum ft_status api_imports_list(struct api_call *c, struct ft_err *err);
enum ft_status api_quarantine_list(struct api_call *c, struct ft_err *err);
/* api_quality.c */
enum ft_status api_quality_get(struct api_call *c, struct ft_err *err);
enum ft_status api_quality_labels(struct api_call *c, struct ft_err *err);
/* api_assets.c */
enum ft_status api_assets_list(struct api_call *c, struct ft_err *err);
enum ft_status api_asset_get(struct api_call *c, struct ft_err *err);
enum ft_status api_asset_timeline(struct api_call *c, struct ft_err *err);
enum ft_status api_asset_health(struct api_call *c, struct ft_err *err);
enum ft_status api_sensors_list(struct api_call *c, struct ft_err *err);
/* api_readings.c, api_events.c */
enum ft_status api_readings_list(struct api_call *c, struct ft_err *err);
enum ft_status api_readings_post(struct api_call *c, struct ft_err *err);
enum ft_status api_events_list(struct api_call *c, struct ft_err *err);
enum ft_status api_events_post(struct api_call *c, struct ft_err *err);
/* api_write.c: what InfluxDB clients call */
enum ft_status api_write_v1(struct api_call *c, struct ft_err *err);
enum ft_status api_write_v2(struct api_call *c, struct ft_err *err);
enum ft_status api_query(struct api_call *c, struct ft_err *err);
enum ft_status api_ping(struct api_call *c, struct ft_err *err);
/* {"error","code","message"}: both generations of clients find their word. */
void api_influx_error(struct http_reply *r, int status, const char *text);
/* api_models.c: what was learned and foretold */
enum ft_status api_forecasts_list(struct api_call *c, struct ft_err *err);
enum ft_status api_ledger_list(struct api_call *c, struct ft_err *err);
enum ft_status api_models_list(struct api_call *c, struct ft_err *err);
enum ft_status api_model_get(struct api_call *c, struct ft_err *err);
enum ft_status api_runs_list(struct api_call *c, struct ft_err *err);
enum ft_status api_run_get(struct api_call *c, struct ft_err *err);
enum ft_status api_runs_post(struct api_call *c, struct ft_err *err);
/* api_schedule.c */
enum ft_status api_schedule_get(struct api_call *c, struct ft_err *err);
enum ft_status api_schedule_ics(struct api_call *c, struct ft_err *err);
enum ft_status api_schedule_csv(struct api_call *c, struct ft_err *err);
enum ft_status api_schedule_diff(struct api_call *c, struct ft_err *err);
enum ft_status api_schedule_solve(struct api_call *c, struct ft_err *err);
enum ft_status api_schedule_price(struct api_call *c, struct ft_err *err);

/* api_scenarios.c */
enum ft_status api_scenarios_post(struct api_call *c, struct ft_err *err);
enum ft_status api_scenarios_list(struct api_call *c, struct ft_err *err);
enum ft_status api_scenario_get(struct api_call *c, struct ft_err *err);
enum ft_status api_scenario_put(struct api_call *c, struct ft_err *err);
enum ft_status api_scenario_delete(struct api_call *c, struct ft_err *err);
/* api_cases.c */
enum ft_status api_cases_list(struct api_call *c, struct ft_err *err);
enum ft_status api_case_get(struct api_call *c, struct ft_err *err);
enum ft_status api_case_waiting_cost(struct api_call *c, struct ft_err *err);
enum ft_status api_case_patch(struct api_call *c, struct ft_err *err);
enum ft_status api_case_verdict(struct api_call *c, struct ft_err *err);
/* api_plans.c */
enum ft_status api_plans_list(struct api_call *c, struct ft_err *err);
enum ft_status api_plans_post(struct api_call *c, struct ft_err *err);
enum ft_status api_plan_get(struct api_call *c, struct ft_err *err);
enum ft_status api_plan_patch(struct api_call *c, struct ft_err *err);
enum ft_status api_plans_optimise(struct api_call *c, struct ft_err *err);
enum ft_status api_crews_list(struct api_call *c, struct ft_err *err);
enum ft_status api_crews_post(struct api_call *c, struct ft_err *err);
enum ft_status api_calendar_list(struct api_call *c, struct ft_err *err);
enum ft_status api_calendar_post(struct api_call *c, struct ft_err *err);
enum ft_status api_calendar_delete(struct api_call *c, struct ft_err *err);
/* api_life.c */
enum ft_status api_life_get(struct api_call *c, struct ft_err *err);
enum ft_status api_life_post(struct api_call *c, struct ft_err *err);
/* api_roi.c */
enum ft_status api_roi_get(struct api_call *c, struct ft_err *err);
enum ft_status api_roi_post(struct api_call *c, struct ft_err *err);
/* api_work_orders.c */
enum ft_status api_work_orders_list(struct api_call *c, struct ft_err *err);
enum ft_status api_work_order_get(struct api_call *c, struct ft_err *err);
enum ft_status api_work_orders_post(struct api_call *c, struct ft_err *err);
enum ft_status api_work_order_patch(struct api_call *c, struct ft_err *err);
enum ft_status api_work_order_outcome(struct api_call *c, struct ft_err *err);
enum ft_status api_codes_list(struct api_call *c, struct ft_err *err);
/* api_keys.c, api_webhooks.c */
enum ft_status api_keys_list(struct api_call *c, struct ft_err *err);
enum ft_status api_keys_post(struct api_call *c, struct ft_err *err);
enum ft_status api_key_delete(struct api_call *c, struct ft_err *err);
enum ft_status api_webhooks_list(struct api_call *c, struct ft_err *err);
enum ft_status api_webhooks_post(struct api_call *c, struct ft_err *err);
enum ft_status api_webhook_delete(struct api_call *c, struct ft_err *err);
enum ft_status api_deliveries_list(struct api_call *c, struct ft_err *err);

#endif
