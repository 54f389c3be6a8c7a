/* Histories made by hand, without a database: what the learning tests look at. */
#ifndef TESTS_HISTORY_FIXTURE_H
#define TESTS_HISTORY_FIXTURE_H

#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Random plant: n_assets with three sensors (load_pct a setting, vibration, temperature), two
 * components, two alarm codes, attribute "model"; hourly readings with gaps over n_days. */
static struct history *fixture_history(size_t n_assets, size_t n_days, uint64_t seed)
{
    static const char *const sensors[] = {"load_pct", "temperature", "vibration"};
    static const char *const components[] = {"bearing", "seal"};
    static const char *const codes[] = {"E1", "E2"};
    struct history *h = calloc(1, sizeof(*h));
    h->class_name = strdup("pump");
    h->class_id = 1;
    h->n_sensors = 3;
    h->sensors = calloc(3, sizeof(*h->sensors));
    for (size_t s = 0; s < 3; s++)
        h->sensors[s] =
            (struct history_sensor){.name = strdup(sensors[s]),
                                    .rollover = NAN,
                                    .role = s == 0 ? SENSOR_ROLE_SETTING : SENSOR_ROLE_SENSOR};
    h->n_components = 2;
    h->components = calloc(2, sizeof(*h->components));
    h->codes = calloc(2, sizeof(*h->codes));
    h->n_codes = 2;
    for (size_t c = 0; c < 2; c++) {
        h->components[c] =
            (struct history_component){.id = (int64_t)c + 1, .name = strdup(components[c])};
        h->codes[c] = strdup(codes[c]);
    }
    h->n_attributes = 1;
    h->attribute_names = calloc(1, sizeof(*h->attribute_names));
    h->attribute_names[0] = strdup("model");
    h->n_assets = n_assets;
    h->assets = calloc(n_assets, sizeof(*h->assets));
    h->attribute_store = calloc(n_assets, sizeof(*h->attribute_store));
    for (size_t a = 0; a < n_assets; a++) {
        struct history_asset *as = &h->assets[a];
        char key[32];
        (void)snprintf(key, sizeof(key), "P-%02zu", a);
        *as = (struct history_asset){.id = (int64_t)a + 1,
                                     .key = strdup(key),
                                     .true_rul_ms = DB_NO_TIME,
                                     .commissioned_ms = DB_NO_TIME,
                                     .retired_ms = DB_NO_TIME};
        as->attributes = calloc(2, sizeof(*as->attributes));
        as->attributes[0] = a % 2 == 0 ? "m1" : "m2";
        as->series = calloc(4, sizeof(*as->series));
        const size_t n = n_days * 24;
        for (size_t s = 0; s < 3; s++) {
            struct readings *r = &as->series[s];
            r->ts_ms = calloc(n, sizeof(*r->ts_ms));
            r->value = calloc(n, sizeof(*r->value));
            for (size_t k = 0; k < n; k++) {
                const uint64_t stream = a * 8 + s;
                if (rng_uniform(seed, stream + 1000, k) < 0.03)
                    continue; /* a gap */
                const double load = rng_uniform(seed, a, k / 7) < 0.5 ? 20 : 80;
                r->ts_ms[r->n] = (int64_t)k * MS_PER_HOUR;
                r->value[r->n++] =
                    s == 0 ? load : 10.0 * (double)s + 0.3 * load + rng_normal(seed, stream, k);
            }
        }
        const size_t n_events = n_days / 3 + 1;
        as->events = calloc(n_events, sizeof(*as->events));
        for (size_t e = 0; e < n_events; e++) {
            const uint64_t u = rng_below(seed, 5000 + a, e, 4);
            struct history_event *ev = &as->events[as->n_events++];
            *ev = (struct history_event){.id = (int64_t)(a * 1000 + e) + 1,
                                         .ts_ms = (int64_t)e * 3 * MS_PER_DAY +
                                                  (int64_t)rng_below(seed, 6000 + a, e, 48) *
                                                      MS_PER_HOUR,
                                         .kind = u == 0   ? EVENT_FAILURE
                                                 : u == 1 ? EVENT_REPLACEMENT
                                                          : EVENT_ALARM,
                                         .component = HISTORY_NO_INDEX,
                                         .code = HISTORY_NO_INDEX};
            if (u >= 2)
                ev->code = u - 2;
            else
                ev->component = rng_below(seed, 7000 + a, e, 2);
        }
    }
    history_derive(h);
    return h;
}

#endif
