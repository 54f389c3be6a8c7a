/* Which column of a table is what: named by the user, or guessed from the header. */
#ifndef APP_INGEST_COLUMNS_H
#define APP_INGEST_COLUMNS_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define COLUMN_NONE (-1)

enum column_role {
    COLUMN_ASSET,
    COLUMN_TIME,
    COLUMN_SENSOR,
    COLUMN_VALUE,
    COLUMN_COMPONENT,
    COLUMN_CODE,
    COLUMN_NOTE,
    COLUMN_EXTERNAL_KEY,
    COLUMN_DOWNTIME_H,
    COLUMN_CLASS,
    COLUMN_NAME,
    COLUMN_AREA,
    COLUMN_COMMISSIONED,
    COLUMN_COST_PER_H,
    COLUMN_CYCLE,
    COLUMN_KIND,
    COLUMN_COST,
    COLUMN_RETIRED,
    COLUMN_HELD_OUT,
    COLUMN_TRUE_RUL_MS,
    COLUMN_PART,
    COLUMN_ROLE_COUNT
};

/* A header: names as in the file, blanks at the ends cut. */
struct columns {
    char **names; /* [n], owned; an unnamed column is "" */
    size_t n;
};

struct csv_record;
/* FT_INVALID names the line when a name occurs twice, is too long or is no UTF-8. */
enum ft_status columns_from_header(const struct csv_record *header, const char *file,
                                   struct columns *out, struct ft_err *err);
void columns_free(struct columns *c);

/* Column with this name: first exactly, then without regard to case, blanks and punctuation. */
int columns_find(const struct columns *c, const char *name);

/* The column that most likely has this role, or COLUMN_NONE; taken[n] (may be NULL) marks columns
 * that have a role already. */
int columns_guess(const struct columns *c, enum column_role role, const bool *taken);

/* wanted (may be NULL) by name, else the guess. FT_INVALID when wanted is not there: the text lists
 * what is. *column is COLUMN_NONE when nothing was wanted and nothing fits. */
enum ft_status columns_pick(const struct columns *c, enum column_role role, const char *wanted,
                            const char *file, const bool *taken, int *column, struct ft_err *err);

/* "a, b, c, ..." of all names, cut to size. */
const char *columns_list(const struct columns *c, char *out, size_t size);

#endif
