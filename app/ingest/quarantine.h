/* Rows that an import cannot take. */
#ifndef APP_INGEST_QUARANTINE_H
#define APP_INGEST_QUARANTINE_H

#include "app/ingest/import.h"

/* Keeps the row (unless this is a dry run), counts it in the summary, and shows the first few to
 * the user. column NULL = the whole row; raw need not be UTF-8. */
enum ft_status quarantine_add(struct db *db, const struct import_options *o, int64_t import_id,
                              struct import_summary *s, int64_t line, const char *column,
                              const char *reason, const char *raw, struct ft_err *err);

#endif
