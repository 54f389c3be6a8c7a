/* Private to db/: SQL table reading, as
 *     reading(asset TEXT, sensor TEXT, ts TEXT, value REAL, ts_ms INTEGER, sensor_id INTEGER)
 * one row for each reading of blocks and journal, in the order of sensor_id and ts_ms. It reads
 * only, and is there without being made: on every connection of this program, and in any SQLite
 * shell that has loaded the extension (db/extension/fettle_sqlite.c). A NaN is NULL, ts is RFC 3339
 * in UTC. Conditions on asset, sensor, sensor_id and ts_ms are looked up, ts is computed. Damaged
 * blocks are left out, see table reading_damaged. */
#ifndef DB_READING_TABLE_H
#define DB_READING_TABLE_H

#include "app/base/status.h"

#include <sqlite3.h>

struct db;

/* Offers the table on a connection of this program. */
enum ft_status reading_table_add(struct db *db, struct ft_err *err);

/* Offers it on a handle that somebody else opened; whether its file is a Fettle database of this
 * schema is seen when the table is first used. An SQLite result code. */
int reading_table_add_foreign(sqlite3 *handle);

#endif
