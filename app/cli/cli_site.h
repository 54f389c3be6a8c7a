/* Opening the database of a command that reports: read-only, in the site's time zone. */
#ifndef APP_CLI_CLI_SITE_H
#define APP_CLI_CLI_SITE_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* Opens cli_db_path() read-only and sets the process's zone to the site's. */
enum ft_status cli_open_site(struct db **db, struct ft_err *err);

/* Makes the first plan when there is none yet, when nobody else writes. The reader *db is closed
 * and opened again when a plan was made. FT_BUSY: another process writes and there is no plan. */
enum ft_status cli_ensure_plan(struct db **db, struct ft_err *err);

/* Width of text on a terminal: UTF-8 sequences count one. */
size_t cli_width(const char *text);
/* Prints text cut or padded to width columns (left); cut text ends in "…". */
void cli_put(const char *text, size_t width);

/* Member texts and numbers of a reply; "" and NaN when absent. */
const char *cli_text(const cJSON *o, const char *key);
double cli_number(const cJSON *o, const char *key);

/* "9,420", "-" for NaN: whole units, grouped. */
const char *cli_grouped(double value, char out[32]);

#endif
