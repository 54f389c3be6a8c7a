/* NASA C-MAPSS turbofan text files (Saxena and Goebel 2008): 26 columns separated by blanks, no
 * header: engine, cycle, three settings, 21 sensors. */
#ifndef APP_INGEST_CMAPSS_H
#define APP_INGEST_CMAPSS_H

#include "app/ingest/import.h"

#define CMAPSS_N_VALUES 24                    /* settings and sensors */
#define CMAPSS_EPOCH_MS INT64_C(946684800000) /* 2000-01-01T00:00:00Z is cycle 0 */

struct cmapss_row {
    int64_t engine, cycle; /* each >= 1 */
    double values[CMAPSS_N_VALUES];
};

/* Names of the values in file order; the first three are settings. */
extern const char *const cmapss_names[CMAPSS_N_VALUES];

/* Reads one line (without its end). FT_INVALID says which field is wrong or how many there are. */
enum ft_status cmapss_parse_line(const char *p, size_t len, struct cmapss_row *out,
                                 struct ft_err *err);

/* Imports the training file and, when o->test and o->rul are there, the test engines, all in one
 * transaction: engines CLASS-train-1.. with a failure at their last cycle, CLASS-test-1.. held out,
 * with their true remaining life. o->class_name and o->cycle_ms are needed. FT_INVALID names file
 * and line; nothing is written then. */
enum ft_status import_cmapss(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err);

#endif
