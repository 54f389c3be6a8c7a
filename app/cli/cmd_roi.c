/* fettle roi: does it pay, how sure, and on what does that hang? */
#include "app/base/buf.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/cli/cli.h"
#include "app/cli/cli_site.h"
#include "app/cli/commands.h"
#include "app/roi_io.h"
#include "app/roi_site.h"
#include "db/db.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT ((size_t)1 << 20)

static enum ft_status read_input(const char *path, struct roi_request *r, struct ft_err *err)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char chunk[8192];
    size_t n;
    struct buf b;
    cJSON *json = NULL;
    if (in == NULL)
        return ft_fail(err, FT_NOT_FOUND, "%s: %s", path, strerror(errno));
    buf_init(&b, MAX_INPUT);
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        buf_put(&b, chunk, n);
    enum ft_status st = ferror(in) ? ft_fail(err, FT_IO, "cannot be read") : buf_status(&b, err);
    if (in != stdin)
        fclose(in);
    if (st == FT_OK)
        st = json_parse(b.data != NULL ? b.data : "", b.len, &json, err);
    if (st == FT_OK)
        st = roi_request_from_json(json, r, err);
    if (st != FT_OK)
        ft_err_prefix(err, "%s", path);
    cJSON_Delete(json);
    buf_free(&b);
    return st;
}

/* --- table ------------------------------------------------------------------------------------ */

static const char *number_text(double value, const char *unit, char out[48])
{
    char grouped[32];
    if (isnan(value))
        return "none";
    if (strcmp(unit, "share") == 0)
        snprintf(out, 48, "%.0f %%", 100 * value);
    else if (fabs(value) >= 100)
        snprintf(out, 48, "%s", cli_grouped(value, grouped));
    else
        snprintf(out, 48, "%.3g", value);
    return out;
}

static void print_inputs(const cJSON *input)
{
    const cJSON *i;
    char a[48];
    char b[48];
    char c[48];
    printf("\nInputs\n");
    cJSON_ArrayForEach (i, json_get(input, "inputs")) {
        const char *unit = cli_text(i, "unit");
        const double low = cli_number(i, "low");
        const double high = cli_number(i, "high");
        char range[112] = "";
        if (cli_number(i, "value") == 0 && high == 0)
            continue;
        if (low < high)
            snprintf(range, sizeof(range), "%s to %s", number_text(low, unit, a),
                     number_text(high, unit, b));
        fputs("  ", stdout);
        cli_put(cli_text(i, "label"), 42);
        printf("%12s  ", number_text(cli_number(i, "value"), unit, c));
        cli_put(strcmp(unit, "share") == 0 ? "" : unit, 10);
        cli_put(range, 22);
        printf(" %s: %s\n", cli_text(i, "origin"), cli_text(i, "source"));
    }
}

static void print_figures(const cJSON *o)
{
    char a[32];
    char b[32];
    char c[32];
    const char *currency = cli_text(o, "currency");
    const cJSON *npv = json_get(json_get(o, "percentiles"), "npv");
    const double irr = cli_number(o, "irr");
    const double payback = cli_number(o, "payback_years");
    const cJSON *answer = json_get(o, "answer");
    printf("%s\n%s\n\n", cli_text(answer, "lead"), cli_text(answer, "rest"));
    printf("  Net present value     %s %s, 80 %% of the draws between %s and %s\n", currency,
           cli_grouped(cli_number(o, "npv"), a), cli_grouped(cli_number(npv, "p10"), b),
           cli_grouped(cli_number(npv, "p90"), c));
    printf("  Chance that it pays   %.0f %%\n", 100 * cli_number(o, "p_npv_positive"));
    if (isnan(payback))
        printf("  Payback               not within the horizon\n");
    else
        printf("  Payback               %.1f years\n", payback);
    if (isnan(irr))
        printf("  Internal rate         %s\n", cli_text(o, "irr_note"));
    else
        printf("  Internal rate         %.1f %% a year\n", 100 * irr);
    printf("  Benefit / cost        %.2f discounted; return %.0f %% of all costs\n",
           cli_number(o, "bcr"), 100 * cli_number(o, "roi_frac"));
    if (!isnan(cli_number(o, "p_star")))
        printf("  Act when the chance of failure is above %.1f %%\n",
               100 * cli_number(o, "p_star"));
}

static void print_years(const cJSON *o)
{
    const cJSON *y;
    printf("\n  year%18s%14s%14s%14s%14s%14s\n", "failures avoided", "false alarms", "other",
           "costs", "net", "cumulative");
    cJSON_ArrayForEach (y, json_get(o, "years")) {
        char t[6][32];
        printf("  %4.0f%18s%14s%14s%14s%14s%14s\n", cli_number(y, "year"),
               cli_grouped(cli_number(y, "failures_avoided"), t[0]),
               cli_grouped(cli_number(y, "false_alarms"), t[1]),
               cli_grouped(cli_number(y, "other_benefit"), t[2]),
               cli_grouped(cli_number(y, "running") + cli_number(y, "tax"), t[3]),
               cli_grouped(cli_number(y, "net"), t[4]),
               cli_grouped(cli_number(y, "cumulative"), t[5]));
    }
}

static void print_hangs(const cJSON *o)
{
    const cJSON *row;
    char a[48];
    char b[48];
    int n = 0;
    printf("\nWhat moves the answer (NPV, each input over its range alone)\n");
    cJSON_ArrayForEach (row, json_get(o, "tornado")) {
        if (n++ == 8)
            break;
        fputs("  ", stdout);
        cli_put(cli_text(row, "label"), 42);
        printf("%14s to %s\n", cli_grouped(cli_number(row, "npv_low"), a),
               cli_grouped(cli_number(row, "npv_high"), b));
    }
    printf("\nBreak-even points (NPV = 0)\n");
    cJSON_ArrayForEach (row, json_get(o, "break_even")) {
        const bool least = strcmp(cli_text(row, "direction"), "at_least") == 0;
        const double now = cli_number(row, "now");
        fputs("  ", stdout);
        cli_put(cli_text(row, "label"), 42);
        if (isnan(cli_number(row, "value")))
            printf("no value does it (now %s)\n", number_text(now, "", a));
        else
            printf("%s %s (now %s)\n", least ? "at least" : "at most",
                   number_text(cli_number(row, "value"), "", a), number_text(now, "", b));
    }
    printf("\nLeft out: %s\n", cli_text(o, "left_out"));
}

static int print_answer(const struct roi_request *r, bool as_json)
{
    struct ft_err err;
    cJSON *o;
    if (roi_answer_json(r, &o, &err) != FT_OK)
        return cli_fail(&err);
    cJSON *input = roi_request_to_json(r);
    int code = 0;
    if (as_json) {
        if (!cJSON_AddItemToObject(o, "input", input))
            cJSON_Delete(input);
        code = cli_print_json(o);
    } else {
        print_figures(o);
        print_years(o);
        print_hangs(o);
        print_inputs(input);
        cJSON_Delete(input);
    }
    cJSON_Delete(o);
    return code;
}

int cmd_roi(int argc, char **argv)
{
    const char *input = NULL;
    bool as_json = false;
    bool example = false;
    const struct cli_flag flags[] = {
        {"--input", CLI_STRING, &input, "FILE.json",
         "the case; the site's own history when absent"},
        {"--example", CLI_BOOL, &example, NULL, "print a complete input file"},
        {"--json", CLI_BOOL, &as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle roi\nfettle roi --example > case.json\nfettle roi --input case.json "
                    "--json",
        .synopsis = "fettle roi [--input FILE.json] [--json] [--example]",
        .text = "Every input has a value, a range and an origin: history, model, typed or default. "
                "Defaults\nare benchmarks to be replaced.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    struct ft_err err;
    struct db *db = NULL;
    struct roi_request *r = NULL;
    int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    if (example) {
        cJSON *o = roi_example_json();
        code = cli_print_json(o);
        cJSON_Delete(o);
        return code;
    }
    enum ft_status st = FT_OK;
    if ((r = calloc(1, sizeof(*r))) == NULL)
        st = ft_fail(&err, FT_NOMEM, "roi: no memory");
    else if (input != NULL)
        st = read_input(input, r, &err);
    else if ((st = cli_open_site(&db, &err)) == FT_OK)
        st = roi_site_request(db, r, &err);
    code = st == FT_OK ? print_answer(r, as_json) : cli_fail(&err);
    db_close(db);
    free(r);
    return code;
}
