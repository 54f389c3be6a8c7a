/* fettle schedule: the plan as a table, JSON, CSV or iCalendar. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/cli_site.h"
#include "app/cli/commands.h"
#include "app/schedule_report.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUT ((size_t)64 << 20)

static const char *short_kind(const char *kind)
{
    return strcmp(kind, "predictive") == 0   ? "forecast"
           : strcmp(kind, "preventive") == 0 ? "rule"
                                             : kind;
}

/* "2026-12-04T00:00:00+01:00" -> "Fri 2026-12-04". */
static void print_day(const char *local)
{
    int64_t ts_ms;
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    if (local[0] == '\0' || clock_parse(local, strlen(local), &ts_ms, NULL) != FT_OK) {
        cli_put("not placed", 15);
        return;
    }
    char text[32];
    snprintf(text, sizeof(text), "%s %.10s", days[clock_to_local(ts_ms).weekday % 7], local);
    cli_put(text, 15);
}

static void print_items(const cJSON *o)
{
    const cJSON *i;
    char money[32];
    char number[32];
    printf("\n%-15s%-12s%-11s%-40s%-12s%6s%7s%11s  %s\n", "day", "asked by", "work order", "work",
           "crew", "hours", "risk", "cost", "status");
    cJSON_ArrayForEach (i, json_get(o, "items")) {
        const double risk = cli_number(i, "risk_by_due");
        print_day(cli_text(i, "scheduled"));
        cli_put(short_kind(cli_text(i, "kind")), 12);
        cli_put(cli_text(i, "key"), 11);
        cli_put(cli_text(i, "title"), 39);
        putchar(' ');
        cli_put(cli_text(i, "crew"), 12);
        number[0] = '\0';
        if (!isnan(risk))
            snprintf(number, sizeof(number), "%.0f %%", 100 * risk);
        printf("%6.1f%7s%11s  %s\n", cli_number(i, "duration_h"), number,
               cli_grouped(cli_number(i, "expected_cost"), money), cli_text(i, "status"));
    }
}

static void print_rest(const cJSON *o)
{
    const cJSON *i;
    char a[32];
    char b[32];
    const char *currency = cli_text(o, "currency");
    if (cJSON_GetArraySize(json_get(o, "not_placed")) > 0) {
        printf("\nNot placed\n");
        cJSON_ArrayForEach (i, json_get(o, "not_placed")) {
            printf("  %s: %s\n", cli_text(i, "title"), cli_text(i, "why"));
        }
    }
    if (cJSON_GetArraySize(json_get(o, "changes")) > 0) {
        printf("\nChanged since yesterday\n");
        cJSON_ArrayForEach (i, json_get(o, "changes")) {
            printf("  %s: %s (%s -> %s). %s\n", cli_text(i, "change"), cli_text(i, "title"),
                   cli_text(i, "from")[0] != '\0' ? cli_text(i, "from") : "none",
                   cli_text(i, "to")[0] != '\0' ? cli_text(i, "to") : "none", cli_text(i, "why"));
        }
    }
    if (cJSON_GetArraySize(json_get(o, "drop")) > 0) {
        printf("\nWork that does not pay\n");
        cJSON_ArrayForEach (i, json_get(o, "drop")) {
            printf("  %s (%s), every %.0f d: %s Saves %s %s a year.\n", cli_text(i, "plan"),
                   cli_text(i, "key"), cli_number(i, "every_s") / 86400, cli_text(i, "why"),
                   currency, cli_grouped(cli_number(i, "saving_per_year"), a));
        }
    }
    const cJSON *s = json_get(o, "summary");
    const cJSON *solver = cJSON_IsObject(s) ? json_get(s, "solver") : NULL;
    const char *second = cJSON_IsTrue(json_get(solver, "proven"))     ? " CBC proved it."
                         : cJSON_IsTrue(json_get(solver, "improved")) ? " CBC improved it."
                                                                      : "";
    if (cJSON_IsObject(s))
        printf("\nPlan of %.0f jobs in 90 days: %.0f of %.0f crew hours; money at risk in 30 days "
               "%s %s, with this work %s.\nPlaced within %.1f %% of the cost that no plan can go "
               "below, in %.2f s.%s\n",
               cli_number(s, "placed"), cli_number(s, "hours"), cli_number(s, "hours_available"),
               currency, cli_grouped(cli_number(s, "risk_total"), a),
               cli_grouped(cli_number(s, "risk_left"), b), 100 * cli_number(s, "gap_frac"),
               cli_number(s, "seconds"), second);
    if (cJSON_IsObject(s) && cli_text(s, "alarm_budget")[0] != '\0')
        printf("%s\n", cli_text(s, "alarm_budget"));
}

static int print_table(struct db *db, const struct schedule_query *q, bool as_json)
{
    struct ft_err err;
    cJSON *o;
    if (schedule_json(db, q, &o, &err) != FT_OK)
        return cli_fail(&err);
    int code = 0;
    if (as_json) {
        code = cli_print_json(o);
    } else {
        const cJSON *answer = json_get(o, "answer");
        printf("%s\n%s\n", cli_text(answer, "lead"), cli_text(answer, "rest"));
        if (cJSON_GetArraySize(json_get(o, "items")) > 0)
            print_items(o);
        print_rest(o);
    }
    cJSON_Delete(o);
    return code;
}

static int print_text(struct db *db, const struct schedule_query *q, bool as_ics)
{
    struct ft_err err;
    struct buf b;
    buf_init(&b, MAX_OUTPUT);
    const enum ft_status st =
        as_ics ? schedule_ics(db, q, &b, &err) : schedule_csv(db, q, &b, &err);
    int code = 0;
    if (st != FT_OK)
        code = cli_fail(&err);
    else if (fwrite(b.data, 1, b.len, stdout) != b.len || fflush(stdout) != 0)
        code = 1;
    buf_free(&b);
    return code;
}

/* A date is read after the database said which zone the site is in. "to" names the last day. */
static enum ft_status parse_span(const char *from, const char *to, struct schedule_query *q,
                                 struct ft_err *err)
{
    if (from != NULL && clock_parse(from, strlen(from), &q->from_ms, err) != FT_OK)
        return ft_err_prefix(err, "--from");
    if (to == NULL)
        return FT_OK;
    if (clock_parse(to, strlen(to), &q->to_ms, err) != FT_OK)
        return ft_err_prefix(err, "--to");
    q->to_ms = clock_local_add_days(clock_local_midnight(q->to_ms), 1);
    return FT_OK;
}

int cmd_schedule(int argc, char **argv)
{
    const char *from = NULL;
    const char *to = NULL;
    bool as_json = false;
    bool as_csv = false;
    bool as_ics = false;
    struct schedule_query q = {0};
    const struct cli_flag flags[] = {
        {"--from", CLI_STRING, &from, "DATE", "first day; today when absent"},
        {"--to", CLI_STRING, &to, "DATE", "last day; four weeks when absent"},
        {"--kind", CLI_STRING, &q.kind, "K", "predictive, preventive or all"},
        {"--json", CLI_BOOL, &as_json, NULL, "print JSON"},
        {"--csv", CLI_BOOL, &as_csv, NULL, "print CSV"},
        {"--ics", CLI_BOOL, &as_ics, NULL, "print an iCalendar file"}};
    const struct cli_usage usage = {
        .examples = "fettle schedule\nfettle schedule --from 2026-12-01 --to 2026-12-31 --kind "
                    "predictive\nfettle schedule --ics > plan.ics",
        .synopsis = "fettle schedule [--from DATE] [--to DATE] [--kind K] [--json|--csv|--ics]",
        .text = "Shows the stored plan; makes one first when there is none.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    struct db *db = NULL;
    struct ft_err err;
    int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (as_json + as_csv + as_ics > 1)
        return cli_usage_error("choose one of --json, --csv and --ics");
    if (q.kind != NULL && strcmp(q.kind, "all") != 0 && strcmp(q.kind, "predictive") != 0 &&
        strcmp(q.kind, "preventive") != 0)
        return cli_usage_error("--kind %.40s: expected predictive, preventive or all", q.kind);
    enum ft_status st = cli_open_site(&db, &err);
    if (st == FT_OK)
        st = parse_span(from, to, &q, &err);
    if (st == FT_OK)
        st = cli_ensure_plan(&db, &err);
    if (st != FT_OK)
        code = cli_fail(&err);
    else
        code = as_csv || as_ics ? print_text(db, &q, as_ics) : print_table(db, &q, as_json);
    db_close(db);
    return code;
}
