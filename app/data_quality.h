/* What the data can carry: counts, spans, every sensor judged (app/data_quality_series.h,
 * _class.h), the labels audited and what they are ready for (app/data_quality_labels.h). */
#ifndef APP_DATA_QUALITY_H
#define APP_DATA_QUALITY_H

#include "app/base/status.h"
#include "app/data_quality_labels.h"
#include "app/data_quality_series.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct quality_options {
    const char *class_name;   /* only this class; NULL = all. FT_NOT_FOUND when there is none */
    bool has_sensors;         /* "sensor_list": one object for each sensor, at most 5,000 a class */
    bool (*is_stopped)(void); /* NULL = never */
};

/* {"classes":[{"class","assets","sensors","readings","first","last","events":{kind: n},
 * "failures":{component: n},"verdict","models":[...],"readiness":[sentence, ...],
 * "label_audit":{...},"issues":{kind: sensors},"n_findings","findings":[...],
 * "sensor_list":[...],"strip":{...},"summary":[sentence, ...]}],"quarantined":n}; see the headers
 * of the parts. Reads every reading of the classes. The caller frees *out. */
enum ft_status data_quality_report(struct db *db, const struct quality_options *options,
                                   cJSON **out, struct ft_err *err);

#endif
