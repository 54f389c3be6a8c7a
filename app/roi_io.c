#include "app/roi_io.h"

#include "app/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS "benchmark, replace me: our own assumption"
#define BIG 1e12 /* largest sum of money that is taken */

/* Defaults. Published benchmarks are stale or unsourced, so they serve only where nothing else is
 * known, with their source beside them. */
static const struct roi_field_info fields[ROI_N_FIELDS] = {
    [ROI_ASSETS] = {"assets", "Assets in scope", "count", 0, 1e7, 40, 40, 40, OURS},
    [ROI_FAILURE_RATE] = {"failures_per_asset_year", "Failures per asset and year", "1/year", 0,
                          1000, 0.6, 0.3, 1.0, OURS},
    [ROI_HOURS_UNPLANNED] = {"hours_unplanned", "Stopped hours of a failure", "h", 0, 10000, 6, 4,
                             10, OURS},
    [ROI_HOURS_PLANNED] = {"hours_planned", "Stopped hours of planned work", "h", 0, 10000, 1.5, 1,
                           3, OURS},
    [ROI_COST_PER_HOUR] = {"cost_per_hour", "Cost of a stopped hour", "currency/h", 0, BIG, 1000,
                           300, 3000,
                           OURS " (lost margin, idle labour, scrap; large-firm means such as "
                                "260,000 an hour mislead)"},
    [ROI_MITIGATED_SHARE] = {"mitigated_share", "Share of the stop caught up elsewhere", "share", 0,
                             1, 0.3, 0.1, 0.5, OURS},
    [ROI_REPAIR_UNPLANNED] = {"repair_unplanned", "Repair of a failure", "currency", 0, BIG, 6000,
                              3000, 12000,
                              OURS " (planned repair x overtime 1.5, rush parts 1.3, damage)"},
    [ROI_REPAIR_PLANNED] = {"repair_planned", "Planned repair", "currency", 0, BIG, 3000, 2000,
                            5000, OURS},
    [ROI_LIFE_LOST_SHARE] = {"life_lost_share", "Part life thrown away by planned work", "share", 0,
                             1, 0.1, 0.05, 0.3, OURS},
    [ROI_PART_VALUE] = {"part_value", "Value of the part", "currency", 0, BIG, 1500, 500, 4000,
                        OURS},
    [ROI_PREDICTABLE] = {"predictable_share", "Failures in modes that give a sign", "share", 0, 1,
                         0.45, 0.3, 0.6,
                         "benchmark, replace me: avoidable share 0.30 careful, 0.45 expected"},
    [ROI_RECALL] = {"recall", "Those seen in time", "share", 0, 1, 0.5, 0.3, 0.7,
                    "benchmark, replace me: published detection rates x 0.70"},
    [ROI_ACTED] = {"acted_share", "Warnings acted on", "share", 0, 1, 0.8, 0.6, 0.95, OURS},
    [ROI_FALSE_ALARMS] = {"false_alarms_per_year", "False alarms per year", "1/year", 0, 1e6, 24,
                          12, 48, OURS},
    [ROI_INSPECTION_COST] = {"inspection_cost", "Cost of a false alarm", "currency", 0, BIG, 450,
                             250, 900, OURS},
    [ROI_PM_EVENTS] = {"pm_events_per_year", "Preventive jobs per year", "1/year", 0, 1e7, 0, 0, 0,
                       OURS},
    [ROI_PM_COST] = {"pm_cost", "Cost of a preventive job", "currency", 0, BIG, 300, 150, 600,
                     OURS},
    [ROI_PM_DROP_SHARE] = {"pm_drop_share", "Preventive jobs that can stop", "share", 0, 1, 0, 0, 0,
                           "nothing is dropped until the data says so"},
    [ROI_STOCK_VALUE] = {"stock_value", "Spares in stock", "currency", 0, BIG, 0, 0, 0,
                         "left out until typed"},
    [ROI_STOCK_CARRY] = {"stock_carrying_rate", "Yearly cost of holding stock", "share", 0, 1, 0.2,
                         0.15, 0.3, OURS},
    [ROI_STOCK_CUT] = {"stock_cut_share", "Stock that can go", "share", 0, 1, 0, 0, 0,
                       "left out until typed"},
    [ROI_ENERGY_SAVING] = {"energy_saving", "Energy saved a year", "currency/year", 0, BIG, 0, 0, 0,
                           "left out: no measured figure"},
    [ROI_LABOUR_SAVING] = {"labour_saving", "Planning work saved a year", "currency/year", 0, BIG,
                           0, 0, 0, "left out: no measured figure"},
    [ROI_SAFETY_SAVING] = {"safety_saving", "Safety and environment events avoided a year",
                           "currency/year", 0, BIG, 0, 0, 0, "off by default"},
    [ROI_SETUP_SENSORS] = {"setup_sensors", "Sensors and network, once", "currency", 0, BIG, 40000,
                           25000, 70000, OURS},
    [ROI_SETUP_INSTALL] = {"setup_install", "Installation and integration, once", "currency", 0,
                           BIG, 20000, 12000, 40000, OURS " (the software itself costs nothing)"},
    [ROI_SETUP_TRAINING] = {"setup_training", "Training and change work, once", "currency", 0, BIG,
                            10000, 5000, 20000, OURS},
    [ROI_RUN_SUPPORT] = {"running_support", "Support a year", "currency/year", 0, BIG, 5000, 0,
                         15000, OURS},
    [ROI_RUN_UPKEEP] = {"running_upkeep", "Sensor upkeep a year", "currency/year", 0, BIG, 6000,
                        3000, 12000, OURS},
    [ROI_RUN_ADMIN] = {"running_admin", "Administration a year", "currency/year", 0, BIG, 9000,
                       5000, 18000, OURS},
    [ROI_DISCOUNT_RATE] = {"discount_rate", "Discount rate", "1/year", -0.5, 1, 0.1, 0.07, 0.12,
                           OURS},
    [ROI_INFLATION] = {"inflation", "Inflation of yearly flows", "1/year", -0.5, 1, 0, 0, 0,
                       "off by default"},
    [ROI_TAX_RATE] = {"tax_rate", "Tax on the yearly result", "share", 0, 0.9, 0, 0, 0,
                      "off by default"},
    [ROI_SCHEDULED_HOURS] = {"scheduled_hours", "Scheduled hours per asset and year", "h", 0, 8784,
                             6000, 6000, 6000, OURS},
};

static const char *const origins[] = {"typed", "history", "model", "default"};
static const char *const dists[] = {"fixed", "triangular", "lognormal", "gamma", "beta"};

const struct roi_field_info *roi_field_info(enum roi_field field)
{
    return &fields[field];
}

void roi_request_set(struct roi_request *r, enum roi_field field, double value, double low,
                     double high, enum roi_origin origin, const char *source)
{
    struct roi_input *in = &r->in[field];
    memset(in, 0, sizeof(*in));
    in->value = value;
    in->low = low;
    in->high = high;
    in->dist = low < high ? ROI_TRIANGULAR : ROI_FIXED;
    in->origin = origin;
    snprintf(in->source, sizeof(in->source), "%s", source);
}

void roi_request_defaults(struct roi_request *r, const char *currency)
{
    static const double ramp[] = {0.3, 0.8};
    memset(r, 0, sizeof(*r));
    snprintf(r->currency, sizeof(r->currency), "%.3s", currency);
    r->n_years = 5;
    for (size_t t = 0; t < ROI_MAX_YEARS; t++)
        r->ramp[t] = t < 2 ? ramp[t] : 1;
    r->n_draws = ROI_DRAWS;
    r->seed = 1;
    for (size_t f = 0; f < ROI_N_FIELDS; f++)
        roi_request_set(r, (enum roi_field)f, fields[f].value, fields[f].low, fields[f].high,
                        ROI_DEFAULT, fields[f].source);
}

/* --- input ------------------------------------------------------------------------------------ */

static enum ft_status parse_word(const char *word, const char *const *words, size_t n,
                                 const char *key, const char *member, int *out, struct ft_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (int)i;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID, "/inputs/%s/%s: unknown word \"%.40s\"", key, member, word);
}

static enum ft_status in_range(const struct roi_field_info *info, const char *member, double x,
                               struct ft_err *err)
{
    if (x >= info->min && x <= info->max)
        return FT_OK;
    return ft_fail(err, FT_INVALID, "/inputs/%s%s%s: %g is out of range, expected %g to %g",
                   info->key, member[0] != '\0' ? "/" : "", member, x, info->min, info->max);
}

static enum ft_status check_input(const struct roi_field_info *info, const struct roi_input *in,
                                  struct ft_err *err)
{
    enum ft_status st = in_range(info, "value", in->value, err);
    if (st == FT_OK)
        st = in_range(info, "low", in->low, err);
    if (st == FT_OK)
        st = in_range(info, "high", in->high, err);
    if (st != FT_OK)
        return st;
    if (in->low > in->value || in->value > in->high)
        return ft_fail(err, FT_INVALID, "/inputs/%s: expected low <= value <= high", info->key);
    if (in->dist == ROI_LOGNORMAL && in->low <= 0)
        return ft_fail(err, FT_INVALID, "/inputs/%s/low: a lognormal range starts above 0",
                       info->key);
    if ((in->dist == ROI_GAMMA || in->dist == ROI_BETA) && (in->a <= 0 || in->b <= 0))
        return ft_fail(err, FT_INVALID, "/inputs/%s: %s needs a and b above 0", info->key,
                       dists[in->dist]);
    return FT_OK;
}

/* Prefixes "/inputs/<key>" to a pointer that a getter made. */
static enum ft_status under(const struct roi_field_info *info, enum ft_status st,
                            const struct ft_err *inner, struct ft_err *err)
{
    if (st == FT_OK)
        return st;
    return ft_fail(err, st, "/inputs/%s%.380s", info->key, inner->msg);
}

static enum ft_status take_members(const cJSON *item, const struct roi_field_info *info,
                                   struct roi_input *in, struct ft_err *err)
{
    static const char *const allowed[] = {"value",  "low",    "high",  "unit",
                                          "origin", "source", "label", "distribution",
                                          "a",      "b",      NULL};
    struct ft_err inner = {0};
    const char *origin = "typed";
    const char *dist = NULL;
    const char *source = "";
    const char *ignored = NULL; /* label and unit may stand there, they are fixed */
    int word = 0;
    enum ft_status st = json_only_keys(item, allowed, &inner);
    if (st == FT_OK)
        st = json_number(item, "value", true, &in->value, &inner);
    in->low = in->high = in->value;
    if (st == FT_OK)
        st = json_number(item, "low", false, &in->low, &inner);
    if (st == FT_OK)
        st = json_number(item, "high", false, &in->high, &inner);
    if (st == FT_OK)
        st = json_number(item, "a", false, &in->a, &inner);
    if (st == FT_OK)
        st = json_number(item, "b", false, &in->b, &inner);
    if (st == FT_OK)
        st = json_string(item, "origin", false, &origin, &inner);
    if (st == FT_OK)
        st = json_string(item, "distribution", false, &dist, &inner);
    if (st == FT_OK)
        st = json_string(item, "source", false, &source, &inner);
    if (st == FT_OK)
        st = json_string(item, "label", false, &ignored, &inner);
    if (st == FT_OK)
        st = json_string(item, "unit", false, &ignored, &inner);
    if (st != FT_OK)
        return under(info, st, &inner, err);
    if ((st = parse_word(origin, origins, 4, info->key, "origin", &word, err)) != FT_OK)
        return st;
    in->origin = (enum roi_origin)word;
    snprintf(in->source, sizeof(in->source), "%s", source);
    word = in->low < in->high ? ROI_TRIANGULAR : ROI_FIXED;
    if (dist != NULL)
        st = parse_word(dist, dists, 5, info->key, "distribution", &word, err);
    in->dist = (enum roi_dist)word;
    return st;
}

static enum ft_status take_input(const cJSON *item, struct roi_request *r, struct ft_err *err)
{
    size_t f = 0;
    while (f < ROI_N_FIELDS && strcmp(fields[f].key, item->string) != 0)
        f++;
    if (f == ROI_N_FIELDS)
        return ft_fail(err, FT_INVALID, "/inputs/%.100s: unknown field", item->string);
    struct roi_input in = {0};
    enum ft_status st = FT_OK;
    if (cJSON_IsNumber(item)) {
        if (!isfinite(item->valuedouble))
            return ft_fail(err, FT_INVALID, "/inputs/%s: expected a finite number", fields[f].key);
        st = in_range(&fields[f], "", item->valuedouble, err);
        in.value = in.low = in.high = item->valuedouble;
    } else if (cJSON_IsObject(item)) {
        st = take_members(item, &fields[f], &in, err);
        if (st == FT_OK)
            st = check_input(&fields[f], &in, err);
    } else {
        return ft_fail(err, FT_INVALID, "/inputs/%s: expected a number or an object with value",
                       fields[f].key);
    }
    if (st == FT_OK)
        r->in[f] = in;
    return st;
}

static enum ft_status take_ramp(const cJSON *json, struct roi_request *r, struct ft_err *err)
{
    const cJSON *ramp = NULL;
    enum ft_status st = json_array(json, "ramp", false, &ramp, err);
    if (st != FT_OK || ramp == NULL)
        return st;
    size_t n = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, ramp) {
        if (n == ROI_MAX_YEARS)
            return ft_fail(err, FT_INVALID, "/ramp: more than %d years", ROI_MAX_YEARS);
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 1))
            return ft_fail(err, FT_INVALID, "/ramp/%zu: expected a share from 0 to 1", n);
        r->ramp[n++] = item->valuedouble;
    }
    if (n == 0)
        return ft_fail(err, FT_INVALID, "/ramp: expected a share for each year");
    for (size_t t = n; t < ROI_MAX_YEARS; t++)
        r->ramp[t] = r->ramp[n - 1];
    return FT_OK;
}

static enum ft_status take_texts(const cJSON *json, struct roi_request *r, struct ft_err *err)
{
    const char *name = NULL;
    const char *currency = NULL;
    enum ft_status st = json_string(json, "name", false, &name, err);
    if (st == FT_OK)
        st = json_string(json, "currency", false, &currency, err);
    if (st != FT_OK)
        return st;
    if (currency != NULL &&
        (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
        return ft_fail(err, FT_INVALID, "/currency: expected an ISO 4217 code such as EUR");
    if (currency != NULL)
        snprintf(r->currency, sizeof(r->currency), "%s", currency);
    if (name != NULL)
        snprintf(r->name, sizeof(r->name), "%s", name);
    return FT_OK;
}

enum ft_status roi_request_from_json(const cJSON *json, struct roi_request *r, struct ft_err *err)
{
    static const char *const allowed[] = {"name",  "currency", "years",  "ramp",
                                          "draws", "seed",     "inputs", NULL};
    int64_t years = 5;
    int64_t draws = ROI_DRAWS;
    int64_t seed = 1;
    const cJSON *inputs = NULL;
    const cJSON *item;

    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    roi_request_defaults(r, "EUR");
    enum ft_status st = json_only_keys(json, allowed, err);
    if (st == FT_OK)
        st = take_texts(json, r, err);
    if (st == FT_OK)
        st = json_int(json, "years", false, 1, ROI_MAX_YEARS, &years, err);
    if (st == FT_OK)
        st = json_int(json, "draws", false, 1, 100000, &draws, err);
    if (st == FT_OK)
        st = json_int(json, "seed", false, 0, INT64_MAX, &seed, err);
    if (st == FT_OK)
        st = take_ramp(json, r, err);
    if (st == FT_OK)
        st = json_object(json, "inputs", true, &inputs, err);
    r->n_years = (size_t)years;
    r->n_draws = (size_t)draws;
    r->seed = (uint64_t)seed;
    if (st == FT_OK) {
        cJSON_ArrayForEach (item, inputs) {
            if (st == FT_OK)
                st = take_input(item, r, err);
        }
    }
    return st;
}

/* --- output ----------------------------------------------------------------------------------- */

static void unit_text(const char *unit, const char *currency, char *out, size_t size)
{
    if (strncmp(unit, "currency", 8) == 0)
        snprintf(out, size, "%s%s", currency, unit + 8);
    else
        snprintf(out, size, "%s", unit);
}

cJSON *roi_request_to_json(const struct roi_request *r)
{
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "name", r->name);
    json_add_string(o, "currency", r->currency);
    json_add_int(o, "years", (int64_t)r->n_years);
    cJSON *ramp = json_add_array(o, "ramp");
    for (size_t t = 0; t < r->n_years; t++)
        json_add_number(ramp, NULL, r->ramp[t]);
    json_add_int(o, "draws", (int64_t)r->n_draws);
    json_add_int(o, "seed", (int64_t)r->seed);
    cJSON *inputs = json_add_object(o, "inputs");
    for (size_t f = 0; f < ROI_N_FIELDS; f++) {
        const struct roi_input *in = &r->in[f];
        char unit[32];
        unit_text(fields[f].unit, r->currency, unit, sizeof(unit));
        cJSON *i = json_add_object(inputs, fields[f].key);
        json_add_string(i, "label", fields[f].label);
        json_add_number(i, "value", in->value);
        json_add_number(i, "low", in->low);
        json_add_number(i, "high", in->high);
        json_add_string(i, "unit", unit);
        json_add_string(i, "origin", origins[in->origin]);
        json_add_string(i, "source", in->source);
        json_add_string(i, "distribution", dists[in->dist]);
        if (in->dist == ROI_GAMMA || in->dist == ROI_BETA) {
            json_add_number(i, "a", in->a);
            json_add_number(i, "b", in->b);
        }
    }
    return o;
}

cJSON *roi_example_json(void)
{
    static const struct {
        enum roi_field field;
        double value, low, high;
        const char *source;
    } typed[] = {
        {ROI_ASSETS, 40, 40, 40, "asset list"},
        {ROI_FAILURE_RATE, 0.6, 0.45, 0.8, "24 failures in 12 months"},
        {ROI_HOURS_UNPLANNED, 6, 4, 9, "stop log"},
        {ROI_HOURS_PLANNED, 1.5, 1, 2.5, "stop log"},
        {ROI_COST_PER_HOUR, 4000, 2500, 5500, "finance"},
        {ROI_MITIGATED_SHARE, 0, 0, 0, "no second line"},
        {ROI_REPAIR_UNPLANNED, 9000, 6000, 14000, "work orders"},
        {ROI_REPAIR_PLANNED, 3500, 2500, 5000, "work orders"},
        {ROI_LIFE_LOST_SHARE, 0, 0, 0, "counted in the planned repair"},
        {ROI_PREDICTABLE, 0.6, 0.45, 0.7, "failure codes"},
        {ROI_RECALL, 0.525, 0.35, 0.65, "published rates x 0.70"},
        {ROI_ACTED, 0.9, 0.7, 0.95, "planner"},
        {ROI_FALSE_ALARMS, 48, 24, 80, "planner"},
        {ROI_INSPECTION_COST, 450, 300, 800, "work orders"},
        {ROI_PM_EVENTS, 360, 360, 360, "plan list"},
        {ROI_PM_COST, 500, 400, 650, "work orders"},
        {ROI_PM_DROP_SHARE, 0.1, 0.05, 0.2, "plans that do not pay"},
        {ROI_SETUP_SENSORS, 60000, 50000, 75000, "quote"},
        {ROI_SETUP_INSTALL, 40000, 30000, 60000, "quote"},
        {ROI_SETUP_TRAINING, 20000, 15000, 30000, "estimate"},
        {ROI_RUN_SUPPORT, 20000, 18000, 25000, "quote"},
        {ROI_RUN_UPKEEP, 15000, 10000, 25000, "estimate"},
        {ROI_RUN_ADMIN, 25000, 20000, 35000, "IT"},
    };
    struct roi_request r;
    roi_request_defaults(&r, "EUR");
    snprintf(r.name, sizeof(r.name), "Mill 2, pumps and drives");
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
        roi_request_set(&r, typed[i].field, typed[i].value, typed[i].low, typed[i].high, ROI_TYPED,
                        typed[i].source);
    return roi_request_to_json(&r);
}
