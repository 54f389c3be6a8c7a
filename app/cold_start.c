#include "app/cold_start.h"

#include "app/base/clock.h"
#include "app/data_quality_labels.h"

#include <stdio.h>
#include <string.h>

static const double furthest_ms = 3650.0 * (double)MS_PER_DAY;

int64_t cold_start_about_ms(int64_t from_ms, int64_t to_ms, size_t n, size_t n_missing)
{
    if (n == 0 || from_ms == DB_NO_TIME || to_ms <= from_ms)
        return FORECAST_NO_TIME;
    const double wait_ms = (double)(to_ms - from_ms) * (double)n_missing / (double)n;
    return wait_ms <= furthest_ms ? to_ms + (int64_t)wait_ms : FORECAST_NO_TIME;
}

/* Failures of a component (or of anything) on all assets that are not held out. */
static size_t count_failures(const struct history *h, size_t component)
{
    size_t n = 0;
    for (size_t a = 0; a < h->n_assets; a++)
        for (size_t i = 0; i < h->assets[a].n_events && !h->assets[a].is_held_out; i++)
            n += history_is_failure(&h->assets[a].events[i], component) ? 1 : 0;
    return n;
}

static void set_next(const struct history *h, const char *method, size_t n, size_t enough,
                     struct forecast *f)
{
    if (n >= enough)
        return;
    snprintf(f->next_method, sizeof(f->next_method), "%s", method);
    f->next_missing = enough - n;
    f->next_ms = cold_start_about_ms(h->observe_start_ms, h->end_ms, n, f->next_missing);
}

void cold_start_fill(const struct history *h, size_t component, const struct age_model *age,
                     bool is_rul, struct forecast *f)
{
    const char *method = "none";
    f->next_method[0] = '\0';
    f->next_missing = 0;
    f->next_ms = FORECAST_NO_TIME;
    if (f->model_id != 0) {
        method = is_rul ? "remaining_life" : "sensors";
    } else if (strcmp(f->model_kind, "components") == 0) {
        method = "components";
    } else {
        const size_t n = count_failures(h, component);
        if (f->n_horizons > 0 && age != NULL)
            method = age->is_shape_fixed ? "constant_rate" : "weibull";
        if (n < COLD_START_WEIBULL)
            set_next(h, n == 0 ? "constant_rate" : "weibull", n, n == 0 ? 1 : COLD_START_WEIBULL,
                     f);
        else
            set_next(h, "sensors", n, QUALITY_ENOUGH_FAILURES, f);
    }
    snprintf(f->method, sizeof(f->method), "%s", method);
}

void cold_start_watch(const struct health_index *x, size_t asset, struct forecast *f)
{
    char text[160];
    const size_t tick = x != NULL ? health_index_newest(x, asset) : SIZE_MAX;
    if (f->n_horizons > 0 || tick == SIZE_MAX)
        return;
    const struct anomaly_point *p = &health_index_points(x, asset)[tick];
    health_index_text(x, asset, tick, text, sizeof(text));
    snprintf(f->method, sizeof(f->method), "anomaly");
    snprintf(f->spoke, sizeof(f->spoke),
             "anomaly only, no failure recorded yet: health %.0f of 100%s; %.90s", p->health,
             p->is_alarm ? ", ALARM" : "", text);
}
