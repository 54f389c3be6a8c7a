/* What only a look at all sensors of a class can tell: sensors that never change anywhere, machines
 * that stood still, units that do not match, levels that moved away from their twins, sensors that
 * fell silent. Collects the findings of a class; no database here. */
#ifndef APP_DATA_QUALITY_CLASS_H
#define APP_DATA_QUALITY_CLASS_H

#include "app/data_quality_series.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum quality_kind {
    QUALITY_NO_DATA,
    QUALITY_STALE,
    QUALITY_STUCK,
    QUALITY_FLAT,
    QUALITY_CONSTANT,
    QUALITY_GAP,
    QUALITY_RANGE,
    QUALITY_SPIKE,
    QUALITY_NOT_NUMBER,
    QUALITY_UNIT,
    QUALITY_DOUBLE,
    QUALITY_LATE,
    QUALITY_FALLS,
    QUALITY_STANDSTILL, /* from here on: worth a look, not a fault of the data */
    QUALITY_DRIFT,
    QUALITY_KINDS
};
/* "no_data", "stale", ... */
const char *quality_kind_name(enum quality_kind kind);
bool quality_is_fault(enum quality_kind kind);

/* How readings came in by the live doors; all 0 = unknown. */
struct quality_arrivals {
    int64_t n, n_repeated, n_changed, n_late;
};
/* Worth a finding: more of them than this share arrive late or again. */
#define QUALITY_LATE_SHARE 0.01

/* Days that the strip of a sensor shows (app/data_quality_strip.h). */
enum { QUALITY_STRIP_DAYS = 60, QUALITY_STRIP_UNKNOWN = 255 };

struct quality_sensor {
    size_t asset; /* index into assets */
    char *name;   /* owned */
    char *unit;   /* owned; NULL = unknown */
    bool is_setting, is_counter;
    double rollover; /* of a counter; NaN = none */
    struct sensor_quality q;
    struct quality_arrivals arrivals;
    uint8_t present[QUALITY_STRIP_DAYS]; /* per cent of each day, or QUALITY_STRIP_UNKNOWN */
    unsigned issues;                     /* bit 1 << enum quality_kind */
};

struct quality_asset {
    const char *key;           /* borrowed */
    bool is_over;              /* retired, failed for good, or a test unit that was cut off */
    int64_t first_ms, last_ms; /* telemetry; DB_NO_TIME = none */
};

enum { QUALITY_MAX_FINDINGS = 400 }; /* kept of a class; n_by_kind counts all */
struct quality_finding {
    enum quality_kind kind;
    size_t asset; /* SIZE_MAX = all */
    char *sensor; /* owned; "" = several */
    int64_t from_ms, to_ms;
    char *text; /* owned */
};

struct quality_class {
    struct quality_asset *assets; /* [n_assets], owned */
    size_t n_assets;
    struct quality_sensor *sensors; /* [n_sensors], owned, by asset, then name */
    size_t n_sensors;
    int64_t n_readings;
    int64_t first_ms, last_ms;        /* DB_NO_TIME = no readings */
    struct quality_finding *findings; /* [n_findings], owned */
    size_t n_findings, n_all;
    int64_t n_by_kind[QUALITY_KINDS]; /* sensors (assets for a standstill) */
    bool is_out_of_memory;
};

/* Judges the sensors, which are filled but for issues, and makes the findings. */
void quality_class_judge(struct quality_class *c);
void quality_class_free(struct quality_class *c);

/* [{"kind","severity":"fault"|"watch","asset","sensor","from","to","text"}], faults first. */
cJSON *quality_findings_json(const struct quality_class *c);
/* One object a sensor: {"asset","sensor","role","readings","interval_s","gaps","missing_frac",
 * "double","repeated_frac","late_frac","out_of_range","not_a_number","spikes","stuck_s","flat_s",
 * "drift","first","last","stale","issues":[kind]}. */
cJSON *quality_sensor_json(const struct quality_class *c, const struct quality_sensor *s);

/* "3.5 days", "7.0 hours", "12 min" */
const char *quality_span_text(int64_t ms, char *out, size_t size);

#endif
