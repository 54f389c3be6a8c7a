/* Codes for what was found and done: only those of the site's lists are taken (table code; `fettle
 * import codes` adds to them). */
#ifndef APP_CODES_H
#define APP_CODES_H

#include "app/base/status.h"

struct db;

/* Is the code in the list of the kind (failure, cause, remedy)? code NULL or "" = none given, fine.
 * FT_INVALID names the JSON member and the known codes. */
enum ft_status codes_check(struct db *db, const char *kind, const char *member, const char *code,
                           struct ft_err *err);

#endif
