/* The rows of a CSV table, read by all threads of a pool. The result does not depend on their
 * number. */
#ifndef APP_TABLE_ROWS_H
#define APP_TABLE_ROWS_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/dictionary.h"
#include "app/ingest/csv.h"

#include <stdbool.h>
#include <stddef.h>

enum table_role { ROLE_SKIP, ROLE_FEATURE, ROLE_LABEL, ROLE_GROUP, ROLE_EVENT, ROLE_TIME };

/* One field of each record. */
struct table_field {
    char *name; /* owned by the layout's owner, as is texts */
    enum table_role role;
    bool is_text;
    bool is_frozen;   /* texts are those of a model; others are missing values */
    bool is_overfull; /* out: more than TABLE_MAX_LEVELS texts */
    size_t place;     /* of a feature in the stored row */
    size_t n_known;   /* private */
    struct dictionary *texts;
};

struct table_layout {
    const char *path; /* for messages */
    char decimal;
    struct table_field *fields; /* [n_fields] */
    size_t n_fields;
    size_t n_places;          /* features in a stored row */
    bool is_label_needed;     /* leaves out rows without one */
    size_t max_bytes;         /* of the rows; 0 = no limit */
    bool (*is_stopped)(void); /* may be NULL */
};

/* Codes of texts are their numbers in the field's dictionary, in the order first seen. */
struct table_rows {
    double *x; /* [n_rows][n_places] */
    double *y; /* [n_rows], and so the rest; NULL without a field of that role */
    bool *failed;
    size_t *group;
    double *time; /* instants in Unix milliseconds when the field is one of texts */
    size_t n_rows, cap_rows, n_unlabelled;
    size_t n_expected; /* rows of the whole file, when max_bytes was too little */
};

/* Reads what is left behind the header. Errors name the first bad record in the file: FT_INVALID a
 * wrong value or number of fields, FT_TOO_FEW no rows, FT_CONFLICT more than max_bytes,
 * FT_INTERRUPTED, FT_NOMEM, FT_IO. table_rows_free() in any case. Allocates about 40 MiB beside the
 * rows. */
enum ft_status table_rows_read(struct csv_reader *reader, const struct table_layout *layout,
                               struct pool *pool, struct table_rows *out, struct ft_err *err);
void table_rows_free(struct table_rows *rows);

#endif
