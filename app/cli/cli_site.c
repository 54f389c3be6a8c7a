#include "app/cli/cli_site.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/planner/planner.h"
#include "app/schedule_report.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum ft_status cli_open_site(struct db **db, struct ft_err *err)
{
    char zone[64];
    enum ft_status st = db_open_reader(cli_db_path(), db, err);
    if (st != FT_OK)
        return st;
    db_setting_get(*db, "time_zone", "UTC", zone, sizeof(zone));
    st = clock_set_zone(zone, err);
    if (st != FT_OK) {
        db_close(*db);
        *db = NULL;
    }
    return st;
}

enum ft_status cli_ensure_plan(struct db **db, struct ft_err *err)
{
    bool exists;
    struct db *writer = NULL;
    enum ft_status st = schedule_exists(*db, &exists, err);
    if (st != FT_OK || exists)
        return st;
    st = db_open_writer(cli_db_path(), false, &writer, err);
    if (st != FT_OK)
        return ft_err_prefix(err, "there is no plan yet and none can be made now");
    db_close(*db);
    *db = NULL;
    st = planner_run(writer, NULL, NULL, err);
    db_close(writer);
    return st == FT_OK ? db_open_reader(cli_db_path(), db, err) : st;
}

size_t cli_width(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void cli_put(const char *text, size_t width)
{
    const size_t w = cli_width(text);
    const size_t shown = w > width ? width - 1 : w;
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (((unsigned char)*p & 0xc0) != 0x80 && n++ == shown)
            break;
        putchar((unsigned char)*p < 0x20 ? ' ' : *p);
    }
    if (w > width)
        fputs("\xe2\x80\xa6", stdout);
    for (size_t i = w; i < width; i++)
        putchar(' ');
}

const char *cli_text(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

double cli_number(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const char *cli_grouped(double value, char out[32])
{
    char digits[32];
    size_t at = 0;
    if (isnan(value) || fabs(value) > 1e17)
        return "-";
    snprintf(digits, sizeof(digits), "%.0f", fabs(round(value)));
    const size_t n = strlen(digits);
    if (round(value) < 0)
        out[at++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}
