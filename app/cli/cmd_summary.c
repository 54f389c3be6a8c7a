/* fettle summary: what a planner would want to read first. */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/cli_site.h"
#include "app/cli/commands.h"
#include "app/fleet.h"
#include "app/schedule_report.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_RISKS = 6, N_JOBS = 8, N_DROPS = 4 };

static const char *percent(double p, char out[16])
{
    if (isnan(p))
        return "-";
    snprintf(out, 16, p < 0.01 ? "<1 %%" : "%.0f %%", 100 * p);
    return out;
}

static const char *state_word(const char *state)
{
    return strcmp(state, "act") == 0       ? "ACT"
           : strcmp(state, "soon") == 0    ? "soon"
           : strcmp(state, "no_data") == 0 ? "no data"
                                           : state;
}

static void print_risks(const cJSON *fleet)
{
    const cJSON *i;
    char a[32];
    char p[16];
    int n = 0;
    printf("\nTop risks, next 30 days\n  %-9s%-10s%-13s%12s%7s  %-58s %s\n", "state", "asset",
           "part", cli_text(fleet, "currency"), "fails", "why", "next work");
    cJSON_ArrayForEach (i, json_get(fleet, "items")) {
        const cJSON *work = json_get(i, "next_work");
        if (n++ == N_RISKS || isnan(cli_number(json_get(i, "money_at_risk"), "value")))
            break;
        fputs("  ", stdout);
        cli_put(state_word(cli_text(i, "state")), 9);
        cli_put(cli_text(i, "key"), 10);
        cli_put(cli_text(i, "component"), 13);
        printf("%12s%7s  ", cli_grouped(cli_number(json_get(i, "money_at_risk"), "value"), a),
               percent(cli_number(json_get(i, "p"), "value"), p));
        cli_put(cli_text(i, "why"), 58);
        if (cJSON_IsObject(work))
            printf(" %s (%s)\n", cli_text(work, "date"), cli_text(work, "status"));
        else
            printf(" none yet\n");
    }
}

static void print_jobs(const cJSON *schedule)
{
    const cJSON *i;
    char a[32];
    int n = 0;
    printf("\nNext jobs\n  %-12s%-11s%-38s%-13s%7s%12s\n", "day", "asked by", "work", "crew",
           "hours", cli_text(schedule, "currency"));
    cJSON_ArrayForEach (i, json_get(schedule, "items")) {
        const char *kind = cli_text(i, "kind");
        char day[16];
        if (strcmp(kind, "inspection") == 0)
            continue; /* rounds would hide the rest */
        if (n++ == N_JOBS)
            break;
        const char *date = cli_text(i, "scheduled");
        snprintf(day, sizeof(day), "%.10s", date[0] != '\0' ? date : "not placed");
        fputs("  ", stdout);
        cli_put(day, 12);
        cli_put(strcmp(kind, "predictive") == 0   ? "forecast"
                : strcmp(kind, "preventive") == 0 ? "rule"
                                                  : kind,
                11);
        cli_put(cli_text(i, "title"), 37);
        putchar(' ');
        cli_put(cli_text(i, "crew"), 13);
        printf("%7.1f%12s\n", cli_number(i, "duration_h"),
               cli_grouped(cli_number(i, "expected_cost"), a));
    }
}

static void print_money(const cJSON *kpi, const cJSON *schedule)
{
    const cJSON *i;
    char a[32];
    char b[32];
    char c[32];
    const cJSON *risk = json_get(kpi, "money_at_risk");
    const cJSON *plan = json_get(schedule, "summary");
    const char *currency = cli_text(kpi, "currency");
    int n = 0;
    printf("\nMoney\n");
    if (!isnan(cli_number(risk, "value")))
        printf("  At risk in the next 30 days: %s %s (80 %% interval %s to %s)\n", currency,
               cli_grouped(cli_number(risk, "value"), a), cli_grouped(cli_number(risk, "low"), b),
               cli_grouped(cli_number(risk, "high"), c));
    if (cJSON_IsObject(plan) && cli_number(plan, "risk_total") > 0)
        printf("  Left at risk when the planned work is done: %s %s\n", currency,
               cli_grouped(cli_number(plan, "risk_left"), a));
    if (cJSON_GetArraySize(json_get(schedule, "drop")) > 0)
        printf("\nWhat to stop doing\n");
    cJSON_ArrayForEach (i, json_get(schedule, "drop")) {
        if (n++ == N_DROPS)
            break;
        printf("  %s every %.0f d: %s Saves %s %s a year.\n", cli_text(i, "plan"),
               cli_number(i, "every_s") / 86400, cli_text(i, "why"), currency,
               cli_grouped(cli_number(i, "saving_per_year"), a));
    }
}

static int print_all(struct db *db, bool as_json)
{
    const struct fleet_query q = {.limit = 20};
    const struct schedule_query span = {0};
    struct ft_err err;
    cJSON *fleet = NULL;
    cJSON *kpi = NULL;
    cJSON *schedule = NULL;
    enum ft_status st = fleet_json(db, &q, &fleet, &err);
    if (st == FT_OK)
        st = fleet_kpi_json(db, 0, &kpi, &err);
    if (st == FT_OK)
        st = schedule_json(db, &span, &schedule, &err);
    int code = 0;
    if (st != FT_OK) {
        code = cli_fail(&err);
    } else if (as_json) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToObject(o, "fleet", fleet);
        cJSON_AddItemToObject(o, "kpi", kpi);
        cJSON_AddItemToObject(o, "schedule", schedule);
        fleet = kpi = schedule = NULL;
        code = cli_print_json(o);
        cJSON_Delete(o);
    } else {
        const cJSON *risk = json_get(fleet, "answer");
        const cJSON *plan = json_get(schedule, "answer");
        printf("%s\n%s %s\n", cli_text(risk, "lead"), cli_text(plan, "lead"),
               cli_text(plan, "rest"));
        print_risks(fleet);
        print_jobs(schedule);
        print_money(kpi, schedule);
    }
    cJSON_Delete(fleet);
    cJSON_Delete(kpi);
    cJSON_Delete(schedule);
    return code;
}

int cmd_summary(int argc, char **argv)
{
    bool as_json = false;
    const struct cli_flag flags[] = {{"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {.examples = "fettle summary\nfettle summary --json",
                                    .synopsis = "fettle summary [--json]",
                                    .text = "Top risks, next jobs, money at stake, work to stop.",
                                    .flags = flags,
                                    .n_flags = 1};
    struct db *db = NULL;
    struct ft_err err;
    int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    enum ft_status st = cli_open_site(&db, &err);
    if (st == FT_OK)
        st = cli_ensure_plan(&db, &err);
    code = st == FT_OK ? print_all(db, as_json) : cli_fail(&err);
    db_close(db);
    return code;
}
