/* The CSV side of table.c. */
#ifndef APP_TABLE_CSV_H
#define APP_TABLE_CSV_H

#include "app/table.h"

/* As table_read(), for a CSV file. */
enum ft_status table_read_csv(const char *path, const struct table_request *request,
                              struct table *out, struct ft_err *err);

#endif
