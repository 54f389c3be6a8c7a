/* An ROI case at the edges: JSON in (strict, every field with value, range, origin and source),
 * result JSON out, defaults that are marked as such. Shared by the command line and the API. */
#ifndef APP_ROI_IO_H
#define APP_ROI_IO_H

#include "app/base/status.h"
#include "app/roi.h"
#include "app/roi_mc.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roi_request {
    char name[128];
    char currency[4];
    size_t n_years;
    double ramp[ROI_MAX_YEARS];
    size_t n_draws; /* 1..100,000 */
    uint64_t seed;
    struct roi_input in[ROI_N_FIELDS];
};

/* What is fixed about a field. */
struct roi_field_info {
    const char *key;         /* "cost_per_hour" */
    const char *label;       /* "Cost of a stopped hour" */
    const char *unit;        /* "currency/h", "1/year", "share", "h", ... */
    double min, max;         /* allowed */
    double value, low, high; /* default */
    const char *source;      /* of the default */
};
const struct roi_field_info *roi_field_info(enum roi_field field);

/* Every field at its default, origin ROI_DEFAULT; 5 years, ramp 0.3, 0.8, 1, 1, 1. */
void roi_request_defaults(struct roi_request *r, const char *currency);

/* Puts one value with its range; low = high = value when certain. */
void roi_request_set(struct roi_request *r, enum roi_field field, double value, double low,
                     double high, enum roi_origin origin, const char *source);

/* {"name","currency","years","ramp":[...],"draws","seed","inputs":{field:{"value","low","high",
 * "unit","origin","source","distribution","a","b"} | number}}. Starts from the defaults; fields
 * that are given are "typed" unless they say otherwise. FT_INVALID names the JSON pointer: unknown
 * member, wrong type, out of range, low > value. */
enum ft_status roi_request_from_json(const cJSON *json, struct roi_request *r, struct ft_err *err);

/* The same shape; NULL when memory is gone. Caller frees. */
cJSON *roi_request_to_json(const struct roi_request *r);

/* A complete example input (typed figures of an invented plant) that roi_request_from_json()
 * accepts. */
cJSON *roi_example_json(void);

/* Computes everything and builds the result. Caller frees *out. */
enum ft_status roi_answer_json(const struct roi_request *r, cJSON **out, struct ft_err *err);

#endif
