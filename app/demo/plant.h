/* The demo plant: a seeded simulator of machines with known truth. Parts wear; the wear of most
 * parts shows in a sensor before they fail, some fail without a sign, electronics fail at any age.
 * Everything of one asset depends only on (seed, asset index), so assets are made in parallel and
 * the plant is the same on every machine. No database here. */
#ifndef APP_DEMO_PLANT_H
#define APP_DEMO_PLANT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEMO_MAX_SENSORS = 6, DEMO_MAX_COMPONENTS = 3 };

struct demo_options {
    uint64_t seed;
    size_t n_assets; /* 4..5,000 */
    size_t n_days;   /* 30..3,650 */
    int64_t step_ms; /* between two readings, 10 min..1 d */
    int64_t end_ms;  /* instant of the last reading */
};
/* Seed 1, 60 assets, 365 days, hourly, ending at the full hour at or before now. */
struct demo_options demo_options_default(int64_t now_ms);
enum ft_status demo_options_check(const struct demo_options *o, struct ft_err *err);

/* How a part fails. */
enum demo_failure_mode {
    DEMO_WEAR,   /* Weibull life, shape over 2; the last part of life shows in sensors */
    DEMO_HIDDEN, /* Weibull life, shape over 2; no sensor sees it: age-based replacement pays */
    DEMO_SUDDEN  /* exponential: nothing helps, preventive replacement is wasted */
};

struct demo_component {
    const char *name;
    enum demo_failure_mode mode;
    double shape, scale_d;           /* Weibull life in days of calendar time */
    double effect[DEMO_MAX_SENSORS]; /* signed change of each sensor at failure, in spreads of it */
    double unplanned_h, planned_h;
    double unplanned_repair, planned_repair; /* major units of the site's currency */
    const char *spare;
    int64_t spare_lead_d;
    const char *skill;
    /* The plant's preventive rule for the part; interval_d 0 = none. */
    const char *plan_name;
    double interval_d;
};

struct demo_sensor {
    const char *name, *unit;
    double idle, base,
        per_load;            /* value when stopped; running: base + per_load * load, load 0..1 */
    double seasonal, spread; /* yearly swing; standard deviation of the noise */
    double alarm_high;       /* alarm above this value; 0 = none */
    double scale;            /* 1 / resolution: 100 = two decimals */
    bool is_setting;
};

struct demo_class {
    const char *name, *label, *prefix; /* "pump", "Stock pump", "P-" */
    double share;                      /* of the plant's assets */
    double downtime_per_h;             /* major units */
    size_t n_sensors, n_components;
    struct demo_sensor sensors[DEMO_MAX_SENSORS];
    struct demo_component components[DEMO_MAX_COMPONENTS];
    const char *areas[3];
};
const struct demo_class *demo_classes(size_t *n);

struct demo_event {
    int64_t ts_ms;
    int component;    /* index, -1 = the asset */
    const char *kind; /* failure, replacement, inspection, alarm */
    char code[24];
    double downtime_h; /* 0 = none */
    double cost;       /* major units; 0 = unknown */
};

/* The hidden state of one part at the end: what a forecast is measured against. */
struct demo_truth {
    int64_t installed_ms;
    int64_t fails_ms; /* when it will fail if nobody acts */
    double wear;      /* 0..1, share of life used */
    double sign;      /* 0..1, how far the sign in the sensors has grown */
    bool is_silent;   /* this part gives no sign */
};

/* One life of one part, from its installation until it left the machine. */
struct demo_life {
    int64_t installed_ms, fails_ms;
    double onset;       /* share of life after which the sign begins */
    bool is_silent;     /* gives no sign at all */
    int64_t removed_ms; /* failure or replacement; beyond the last reading: still there */
};

struct demo_asset {
    char key[24], name[64], area[64];
    char model[8];
    int year_built;
    const struct demo_class *cls;
    int64_t commissioned_ms;
    size_t n_steps;                   /* instants */
    int64_t start_ms, step_ms;        /* instant i is start_ms + i * step_ms */
    double *values[DEMO_MAX_SENSORS]; /* [n_steps] each, owned; NaN = gap */
    struct demo_event *events;        /* [n_events], owned, in order of time */
    size_t n_events, events_cap;
    struct demo_life *lives[DEMO_MAX_COMPONENTS]; /* [n_lives[part]], owned, in order of time */
    size_t n_lives[DEMO_MAX_COMPONENTS];
    struct demo_truth truth[DEMO_MAX_COMPONENTS]; /* at the last reading */
};

/* Maintenance decided from outside: from from_ms on the plant's own rules rest, and parts are
 * replaced at the instants of the list alone. The lives of a part come in the same order whatever
 * is decided, so that two ways to maintain meet the same luck. */
struct demo_work {
    int component;
    int64_t ts_ms;
};
struct demo_decisions {
    int64_t from_ms;
    const struct demo_work *work; /* [n], in order of time */
    size_t n;
};

/* Simulates asset index (0..n_assets-1); decisions NULL = the plant's own rules to the end. What
 * lies before decisions->from_ms does not depend on them. The caller ends *out with
 * demo_asset_clear(). */
enum ft_status demo_asset_simulate(const struct demo_options *o, size_t index,
                                   const struct demo_decisions *decisions, struct demo_asset *out,
                                   struct ft_err *err);
void demo_asset_clear(struct demo_asset *a);

/* The life of a part that runs at an instant, and how far its sign has grown then: 0 before its
 * onset, 1 at failure. */
const struct demo_life *demo_life_at(const struct demo_asset *a, size_t part, int64_t ts_ms);
double demo_sign(const struct demo_life *l, int64_t ts_ms);

#endif
