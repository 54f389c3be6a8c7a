/* fettle check: is the file sound, and what can the data carry? */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/data_quality.h"
#include "db/db.h"
#include "db/reading_store.h"

#include <stdio.h>

enum { N_SHOWN = 12 }; /* findings of a class in the text form */

static const char *text_of(const cJSON *object, const char *key, const char *fallback)
{
    const cJSON *v = json_get(object, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

static long long number_of(const cJSON *object, const char *key)
{
    const cJSON *v = json_get(object, key);
    return cJSON_IsNumber(v) ? (long long)v->valuedouble : 0;
}

/* "failure 761, alarm 3919" of the members that are not 0. */
static void print_counts(const char *title, const cJSON *counts)
{
    const cJSON *v;
    const char *separator = title;
    cJSON_ArrayForEach (v, counts) {
        if (v->valuedouble > 0) {
            printf("%s%s %lld", separator, v->string, (long long)v->valuedouble);
            separator = ", ";
        }
    }
    if (separator != title)
        printf("\n");
}

static void print_texts(const cJSON *texts)
{
    const cJSON *v;
    cJSON_ArrayForEach (v, texts) {
        printf("  %s\n", v->valuestring);
    }
}

static void print_class(const cJSON *c)
{
    const cJSON *findings = json_get(c, "findings");
    const cJSON *v;
    long long shown = 0;
    printf("\nClass %s: %lld assets, %lld sensors, %lld readings", text_of(c, "class", ""),
           number_of(c, "assets"), number_of(c, "sensors"), number_of(c, "readings"));
    if (cJSON_IsString(json_get(c, "first")))
        printf(" from %s to %s", text_of(c, "first", ""), text_of(c, "last", ""));
    printf("\n");
    print_counts("  events: ", json_get(c, "events"));
    print_counts("  failures: ", json_get(c, "failures"));
    printf("  ready for: %s\n", text_of(c, "verdict", ""));
    print_texts(json_get(c, "summary"));
    print_texts(json_get(json_get(c, "label_audit"), "sentences"));
    print_texts(json_get(c, "readiness"));
    cJSON_ArrayForEach (v, findings) {
        if (shown++ < N_SHOWN)
            printf("    %s\n", text_of(v, "text", ""));
    }
    if (number_of(c, "n_findings") > N_SHOWN)
        printf("    and %lld more (--json lists them)\n", number_of(c, "n_findings") - N_SHOWN);
}

static enum ft_status set_damaged_aside(struct ft_err *err)
{
    struct db *db = NULL;
    int64_t n_blocks = 0;
    enum ft_status st = db_open_writer(cli_db_path(), false, &db, err);
    if (st == FT_OK)
        st = reading_set_aside_damaged(db, &n_blocks, err);
    db_close(db);
    if (st == FT_OK)
        fprintf(stderr, "%lld damaged blocks of readings set aside\n", (long long)n_blocks);
    return st;
}

int cmd_check(int argc, char **argv)
{
    bool as_json = false;
    bool set_aside = false;
    struct quality_options options = {.is_stopped = cli_is_interrupted};
    const struct cli_flag flags[] = {
        {"--class", CLI_STRING, &options.class_name, "K", "only this class"},
        {"--json", CLI_BOOL, &as_json, NULL, "print JSON"},
        {"--set-aside", CLI_BOOL, &set_aside, NULL, "set damaged readings aside first"}};
    const struct cli_usage usage = {
        .examples =
            "fettle check\nfettle check --class pump\nfettle check --db /srv/plant.db --json",
        .synopsis = "fettle check [--class K] [--set-aside] [--json]",
        .text =
            "Checks every page of the file and every block of readings, then says what the\n"
            "data can carry. Of each sensor: gaps, doubles, readings out of order, values that\n"
            "cannot be, spikes, stuck and flat stretches, units unlike those of its twins,\n"
            "drift since its first days, silence. Of each class: what its failures are ready\n"
            "for, and an audit of the labels. --json has a row for every sensor. Exit code 4\n"
            "when the file is damaged. Readings are served around damaged blocks; --set-aside\n"
            "moves those to the table reading_damaged, after which the rest is sound again.",
        .flags = flags,
        .n_flags = 3};
    struct ft_err err;
    struct db *db = NULL;
    cJSON *report = NULL;
    int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    options.has_sensors = as_json;
    enum ft_status st = set_aside ? set_damaged_aside(&err) : FT_OK;
    if (st == FT_OK)
        st = db_open_reader(cli_db_path(), &db, &err);
    if (st == FT_OK)
        st = db_check(db, &err);
    if (st == FT_OK)
        st = data_quality_report(db, &options, &report, &err);
    db_close(db);
    if (st != FT_OK)
        return cli_fail(&err);
    if (as_json) {
        json_add_string(report, "integrity", "ok");
        json_add_string(report, "database", cli_db_path());
        code = cli_print_json(report);
    } else {
        const cJSON *classes = json_get(report, "classes");
        const cJSON *c;
        printf("%s: the file is sound\n", cli_db_path());
        cJSON_ArrayForEach (c, classes) {
            print_class(c);
        }
        if (number_of(report, "quarantined") > 0)
            printf("\n%lld rows are in quarantine\n", number_of(report, "quarantined"));
        code = 0;
    }
    cJSON_Delete(report);
    return code;
}
