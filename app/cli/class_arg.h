/* --class of the commands that work on one class: may be left out when there is only one. */
#ifndef APP_CLI_CLASS_ARG_H
#define APP_CLI_CLASS_ARG_H

#include "app/base/status.h"

#include <stddef.h>

struct db;

/* Writes given, or the name of the only class of the database, into out. FT_INVALID: there are
 * several (the text lists some) or none. */
enum ft_status class_arg(struct db *db, const char *given, char *out, size_t size,
                         struct ft_err *err);

#endif
