/* InfluxDB line protocol: measurement[,tag=value...] field=value[,field=value...] [timestamp]
 * Reading is one pass without a copy; names stay as they are spelled until somebody wants them. */
#ifndef APP_INGEST_LINE_PROTOCOL_H
#define APP_INGEST_LINE_PROTOCOL_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LP_MAX_FIELDS = 512, LP_MAX_TAGS = 64 };

struct lp_field {
    const char *name; /* as spelled, with its backslashes */
    size_t len;
    bool is_text; /* a string: value is NaN */
    double value; /* number; integers beyond 2^53 are the nearest double; true is 1, false 0 */
};

struct lp_line {
    const char *series; /* measurement and tags as spelled */
    size_t series_len;
    size_t n_fields;
    bool has_ts;
    int64_t ts; /* in the writer's precision */
    const char *raw;
    size_t raw_len; /* the whole line without its end */
    struct lp_field fields[LP_MAX_FIELDS];
};

/* Reads the line at *at (before end) and moves *at behind it; blank lines and comments (#) are
 * skipped. *n_lines counts the lines passed, the one that is returned included. FT_NOT_FOUND: no
 * line is left. FT_INVALID: this one is wrong (raw says which), the next call goes on behind it. */
enum ft_status lp_next(const char **at, const char *end, size_t *n_lines, struct lp_line *out,
                       struct ft_err *err);

enum lp_precision { LP_NS, LP_US, LP_MS, LP_S, LP_MIN, LP_H };
/* "ns" "n" "us" "u" "ms" "s" "m" "h"; NULL and "" mean ns. */
enum ft_status lp_precision_parse(const char *text, enum lp_precision *out, struct ft_err *err);
/* A timestamp in Unix milliseconds, rounded down; false when it leaves the years that we know. */
bool lp_to_ms(int64_t ts, enum lp_precision precision, int64_t *ts_ms);

/* How series become assets and sensors. The first tag of asset_tags that the series has names the
 * asset, else the measurement does. The sensor is "measurement.field", or "measurement" for a field
 * called value, or "field" when the measurement is the asset; every other tag that is not in
 * drop_tags follows as ",tag=value", sorted by tag. Lists are separated by commas. */
struct lp_mapping {
    const char *asset_tags, *drop_tags;
};

enum { LP_NAME_SIZE = 1024 };
/* Names of a series and field as they are spelled in a line. FT_INVALID: a tag without a value, an
 * empty measurement, or a name that does not fit. */
enum ft_status lp_map(const struct lp_mapping *mapping, const char *series, size_t series_len,
                      const char *field, size_t field_len, char asset[LP_NAME_SIZE],
                      char sensor[LP_NAME_SIZE], struct ft_err *err);

#endif
