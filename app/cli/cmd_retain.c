/* fettle retain: hours of readings for reports; old readings thinned and dropped. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/retention.h"
#include "db/db.h"

#include <stdio.h>

static enum ft_status run_retain(struct retention *r, bool as_json, struct ft_err *err)
{
    struct db *db = NULL;
    const double start = clock_mono_s();
    enum ft_status st = db_open_writer(cli_db_path(), false, &db, err);
    while (st == FT_OK && !r->is_done)
        st = cli_is_interrupted() ? ft_fail(err, FT_INTERRUPTED, "interrupted")
                                  : retention_step(db, r, err);
    db_close(db);
    if (st != FT_OK)
        return st;
    if (as_json) {
        cJSON *out = cJSON_CreateObject();
        json_add_int(out, "sensors", r->n_sensors);
        json_add_int(out, "hours", r->counts.n_hours);
        json_add_int(out, "thinned", r->counts.n_thinned);
        json_add_int(out, "dropped", r->counts.n_dropped);
        json_add_number(out, "seconds", clock_mono_s() - start);
        (void)cli_print_json(out);
        cJSON_Delete(out);
        return FT_OK;
    }
    printf("%lld sensors, %lld hours summed up, %lld readings thinned out, %lld dropped, %.1f s\n",
           (long long)r->n_sensors, (long long)r->counts.n_hours, (long long)r->counts.n_thinned,
           (long long)r->counts.n_dropped, clock_mono_s() - start);
    return FT_OK;
}

int cmd_retain(int argc, char **argv)
{
    bool as_json = false;
    struct retention r = {.now_ms = clock_now_ms()};
    const struct cli_flag flags[] = {{"--thin-after", CLI_DURATION, &r.thin_after_ms, "DUR",
                                      "of older readings keep at most three a minute (never)"},
                                     {"--drop-after", CLI_DURATION, &r.drop_after_ms, "DUR",
                                      "of older readings keep the hours alone (never)"},
                                     {"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle retain\n"
                    "fettle retain --thin-after 90d --drop-after 1095d",
        .synopsis = "fettle retain [--thin-after DUR] [--drop-after DUR] [--json]",
        .text = "Sums up complete hours of every sensor with at least four readings an hour into\n"
                "table reading_hour. With a flag, old readings then become fewer: of each minute\n"
                "the least, the greatest and the last stay, or of each hour its row. That cannot\n"
                "be undone. A server does the same after each night, see [retention] in\n"
                "fettle.conf.",
        .flags = flags,
        .n_flags = 3};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    struct ft_err err = {0};
    const enum ft_status st = run_retain(&r, as_json, &err);
    return st == FT_OK ? 0 : cli_fail(&err);
}
