/* How a readings file is laid out: wide (a column for each sensor) or long (a column with the
 * sensor's name and one with the value). Found from the header, a sample of rows and the user's
 * word. */
#ifndef APP_INGEST_READINGS_LAYOUT_H
#define APP_INGEST_READINGS_LAYOUT_H

#include "app/base/status.h"
#include "app/ingest/columns.h"
#include "app/ingest/csv.h"
#include "app/ingest/import.h"
#include "db/asset_store.h"

struct readings_layout {
    struct columns columns;
    bool is_long;
    int asset_col; /* COLUMN_NONE: every row belongs to asset */
    int time_col;
    int sensor_col, value_col; /* long only */
    char *asset;               /* owned; NULL when there is an asset column */
    size_t n_values;           /* values in a row: number of sensors when wide, else 1 */
    int *value_cols;           /* [n_values], owned: their columns */
    char delimiter, decimal;
    int64_t cycle_ms; /* 0 = the time column holds times */
};

/* Reads the header from a reader that has just been opened and looks at the rows behind it. Says
 * the mapping through o->say. FT_INVALID names the line and what was expected. */
enum ft_status readings_layout_read(struct csv_reader *reader, const struct import_options *o,
                                    struct readings_layout *out, struct ft_err *err);
void readings_layout_free(struct readings_layout *l);

/* Role of a sensor by the user's lists. */
enum sensor_role readings_sensor_role(const struct import_options *o, const char *name);

/* {"form","asset","time","sensors":[...],...} */
cJSON *readings_layout_to_json(const struct readings_layout *l);

#endif
