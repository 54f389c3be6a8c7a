/* Entry point of fettle_sqlite.so, which offers table reading (db/reading_table.h) to an SQLite
 * shell or driver:
 *     sqlite3 -readonly plant.db
 *     .load ./fettle_sqlite
 *     SELECT ts, value FROM reading WHERE asset = 'P-101' AND sensor = 'vibration_mm_s'; */
#include "db/extension/sqlite_api.h"

#include "db/reading_table.h"

const sqlite3_api_routines *sqlite3_api;

/* The name follows from that of the file. */
__attribute__((visibility("default"))) int
sqlite3_fettlesqlite_init(sqlite3 *handle, char **message, const sqlite3_api_routines *api);

int sqlite3_fettlesqlite_init(sqlite3 *handle, char **message, const sqlite3_api_routines *api)
{
    (void)message;
    sqlite3_api = api;
    return reading_table_add_foreign(handle);
}
