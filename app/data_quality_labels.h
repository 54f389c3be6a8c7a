/* Audit of the labels: are the recorded failures worth learning from? Failures while nobody
 * measured, failures after which the machine runs on as if nothing had been, work that is dated
 * before what it answers, parts called "other", dates without a time of day, orders closed without
 * a word. Works on facts in memory. */
#ifndef APP_DATA_QUALITY_LABELS_H
#define APP_DATA_QUALITY_LABELS_H

#include "db/asset_store.h"
#include "db/event_store.h"
#include "db/work_order_store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many failures with telemetry are a first basis for a model; fewer make forecasts rough. */
#define QUALITY_ENOUGH_FAILURES 10

/* Where the telemetry of an asset lies. */
struct label_span {
    int64_t asset_id, first_ms, last_ms; /* DB_NO_TIME = none */
};

struct label_input {
    const struct event *events; /* [n_events] of one class, by time */
    size_t n_events;
    const struct component *components; /* [n_components] of the class */
    size_t n_components;
    const struct label_span *spans; /* [n_spans], one for each asset, by asset_id */
    size_t n_spans;
    const struct work_order *orders; /* [n_orders] of any class; only those of the spans count */
    size_t n_orders;
    bool counts_cycles; /* instants stand for cycles: there is no time of day */
};

struct label_audit {
    int64_t n_failures;
    int64_t n_with_telemetry;
    int64_t n_other;      /* without a component, or of one called "other" */
    int64_t n_running_on; /* telemetry goes on, and neither a stop nor work is recorded */
    int64_t n_repeated;   /* the same part again within a day */
    /* Repairs and replacements in the day before a failure of the part, and in the six hours before
     * an alarm, with none before them; beside it how many chance alone would give. */
    int64_t n_work_before_failure, n_work_before_alarm;
    double expected_before_failure, expected_before_alarm;
    size_t n_components;
    bool counts_cycles;
    int64_t n_same_time;                             /* failures at the commonest time of the day */
    int64_t n_closed, n_closed_other, n_closed_bare; /* work orders; without code; without a word */
    int64_t *with;             /* [n_components] failures with telemetry, owned */
    int64_t *failures;         /* [n_components + 1], the last: the asset as a whole; owned */
    int64_t first_ms, last_ms; /* of the telemetry of the class; DB_NO_TIME = none */
};

enum ft_status label_audit_make(const struct label_input *in, struct label_audit *out,
                                struct ft_err *err);
void label_audit_clear(struct label_audit *a);

/* Adds "label_audit" {counts, shares, "sentences":[...]} to the class's object. */
void label_audit_add_json(const struct label_audit *a, cJSON *to);

/* Adds "verdict" (one sentence), "readiness" (sentences) and "models"
 * [{"component"|null,"failures","failures_with_telemetry","level":"none"|"age_only"|"sensors",
 * "missing","ready_about"}]: what the failures can carry, as a whole and part by part. ready_about
 * is when the missing ones are there if failures go on as they did. */
void label_audit_add_readiness(const struct label_audit *a, const struct component *components,
                               cJSON *to); /* [a->n_components] */

#endif
