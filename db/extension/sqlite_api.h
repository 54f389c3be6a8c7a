/* Comes before every file of the loadable extension (-include): all calls of SQLite go through the
 * table of functions of the program that loads it, which may carry an SQLite of its own. */
#ifndef DB_EXTENSION_SQLITE_API_H
#define DB_EXTENSION_SQLITE_API_H

#include <sqlite3ext.h>

extern const sqlite3_api_routines *sqlite3_api;

#endif
