/* Competing failure modes of a life table: for each mode the share failed by it, and its own life
 * law with the failures by other modes censored (the modes taken as independent). */
#ifndef APP_LIFE_MODES_H
#define APP_LIFE_MODES_H

#include "app/life_report.h"
#include "models/competing.h"

struct life_mode {
    const char *name; /* the table's */
    double n_failures;
    struct incidence_point *incidence; /* owned; none with intervals */
    size_t n_incidence;
    struct life_report report; /* valid when error.code is FT_OK */
    struct ft_err error;       /* why the mode has no fit of its own */
};

struct life_modes {
    struct life_mode *items;
    size_t n;
};

/* One item per mode of the table. FT_INVALID, FT_NOMEM; a mode that cannot be fitted is no error.
 * The table must outlive *out, which life_modes_free() ends, also after a failure. */
enum ft_status life_modes_make(const struct life_table *table, const struct life_request *request,
                               struct life_modes *out, struct ft_err *err);
/* Adds "modes": [{"mode","failures","incidence":[…],"fit":{…}|null,"error"}]. */
void life_modes_json(const struct life_modes *m, const struct life_table *table, cJSON *out);
void life_modes_free(struct life_modes *m);

#endif
