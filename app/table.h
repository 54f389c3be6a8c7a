/* A table to fit on or to score: a CSV file with a header, or a 2-D NumPy array. Features become
 * one matrix of doubles; missing values are NaN. A column of texts becomes the rank of each text by
 * falling frequency (ties by text), and the schema keeps the texts, so that a model can read other
 * tables the same way. */
#ifndef APP_TABLE_H
#define APP_TABLE_H

#include "app/base/buf.h"
#include "app/base/json.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/npy.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>

#define TABLE_MAX_LEVELS 10000

struct table_column {
    char *name;
    char **levels; /* [n_levels] texts by code; NULL = a column of numbers */
    size_t n_levels;
};

struct table_schema {
    struct table_column *features; /* [n_features] */
    size_t n_features;
    struct table_column label; /* name NULL = none; text labels: level 1 is the rarer */
    char *group, *event;       /* names; NULL = none */
};

struct table_request {
    const char *label;    /* name of a column; for .npy a .npy file; NULL = none */
    const char *group;    /* the same; rows of one group belong together */
    const char *time;     /* the same; when a row was so: numbers, dates or instants */
    const char *event;    /* the same; 1 = failed at the label's time, 0 = still running */
    const char *drop;     /* column names to leave out, separated by commas */
    const char *category; /* columns of numbers to take as texts, separated by commas */
    /* Reading for a model: its columns are looked up by name, others are passed over, unknown texts
     * are missing values. The label is then optional: without one in the request, that of the
     * schema is used when the table has it. */
    const struct table_schema *schema;
    size_t max_bytes;         /* refuses rows that take more; 0 = no limit */
    struct pool *pool;        /* reads a CSV file; NULL = the calling thread alone */
    bool (*is_stopped)(void); /* may be NULL */
};

struct table {
    struct matrix x;
    double *y;     /* [n_rows]; NULL = no label. Text labels: their code */
    bool *failed;  /* [n_rows]; NULL = no event column */
    size_t *group; /* [n_rows] 0.. in the order first seen; NULL = none */
    size_t n_groups;
    size_t
        n_expected_rows; /* when max_bytes was too little: how many there may be; x.n_cols is set */
    double *time;        /* [n_rows]; NULL = no such column */
    bool is_time_instant; /* time is in Unix milliseconds, else in the column's own unit */
    struct table_schema schema;
    struct buf notes; /* what was left out and why, one per line, for the user */
    double *values;   /* memory of x, unless it is that of the array */
    struct npy array;
};

/* Reads path. Errors name file, line and column. FT_NOT_FOUND, FT_IO; FT_INVALID: no such column,
 * a text in a column of numbers, a wrong number of fields; FT_TOO_FEW: no rows; FT_CONFLICT: more
 * than max_bytes; FT_NOMEM. A column is one of texts when more than half of its values in the first
 * 1,000 rows are no numbers; texts that are nearly all distinct (identifiers) are left out with a
 * note. Rows without a label are left out with a note when fitting. table_free() in any case. */
enum ft_status table_read(const char *path, const struct table_request *request, struct table *out,
                          struct ft_err *err);
void table_free(struct table *t);

/* The schema as JSON: features (array of names) and the rest (an object). NULL without memory. */
cJSON *table_schema_features(const struct table_schema *s);
cJSON *table_schema_rest(const struct table_schema *s);
/* Back from both texts. FT_INVALID. table_schema_free() in any case. */
enum ft_status table_schema_parse(const char *features, const char *rest, struct table_schema *out,
                                  struct ft_err *err);
void table_schema_free(struct table_schema *s);

/* Is the path that of a NumPy array (by its ending)? */
bool table_is_npy(const char *path);

#endif
