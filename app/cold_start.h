/* Which method spoke in a forecast, and when there will be enough recorded failures for the next
 * better one: QUALITY_ENOUGH_FAILURES for a model of the sensors, as in the data quality report. */
#ifndef APP_COLD_START_H
#define APP_COLD_START_H

#include "app/age_model.h"
#include "app/forecast.h"
#include "app/health_index.h"
#include "app/history.h"

/* Recorded failures from which a Weibull has a shape of its own (app/age_model.c). */
enum { COLD_START_WEIBULL = 3 };

/* Fills method and next of f, which has been scored otherwise: component (HISTORY_NO_INDEX = the
 * asset as a whole), age the model that spoke when no champion did (NULL = none). is_rul: the
 * champion foretells remaining lives. */
void cold_start_fill(const struct history *h, size_t component, const struct age_model *age,
                     bool is_rul, struct forecast *f);

/* A forecast without a single recorded failure, f->n_horizons 0: the health index speaks for the
 * asset, if there is one (x may be NULL). Changes method and spoke. */
void cold_start_watch(const struct health_index *x, size_t asset, struct forecast *f);

/* When n_missing more failures are there if they go on as the n of the record from from_ms to
 * to_ms; FORECAST_NO_TIME = unknown, or more than ten years off. */
int64_t cold_start_about_ms(int64_t from_ms, int64_t to_ms, size_t n, size_t n_missing);

#endif
