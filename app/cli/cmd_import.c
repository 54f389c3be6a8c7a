/* fettle import readings | assets | events | plans | crews | calendar | cmapss: one function for
 * each, over the same frame. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/pool.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/cli/import_waveform.h"
#include "app/cli/model_exchange.h"
#include "app/ingest/cmapss.h"
#include "app/ingest/import.h"
#include "app/ingest/import_records.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 4096 };

/* What all four share. */
struct import_command {
    enum ft_status (*import)(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err);
    struct import_options o;
    bool as_json;
    const char *delimiter, *decimal, *zone;
    const char **files; /* [n_files] */
    size_t n_files;
    const char *train;                      /* cmapss: the file, which is given by flag */
    int (*check)(struct import_command *c); /* of the flags together; -1 to go on; may be NULL */
    struct cli_progress *progress;
    char title[80];    /* of the progress bar */
    bool is_site_zone; /* times without offset are the site's */
    bool has_total;    /* the size of the file has been shown to it */
};

static void say(void *ctx, const char *line)
{
    const struct import_command *c = ctx;
    (void)c;
    fprintf(stderr, "%s\n", line);
}

static void progress(void *ctx, int64_t done, int64_t total)
{
    struct import_command *c = ctx;
    if (total > 0 && !c->has_total)
        cli_progress_stage(c->progress, c->title, total / 1024);
    c->has_total = true;
    cli_progress_set(c->progress, done / 1024);
}

/* One character by its word: ",", "tab", "\t". */
static int parse_mark(const char *flag, const char *text, const char *allowed, char *out)
{
    if (text == NULL)
        return -1;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        text = "\t";
    if (text[0] == '\0' || text[1] != '\0' || strchr(allowed, text[0]) == NULL)
        return cli_usage_error("%s '%.20s': expected one of %s%s", flag, text,
                               strchr(allowed, ';') != NULL ? ", ; | tab" : ". ,", "");
    *out = text[0];
    return -1;
}

/* Dry runs read only, and a database that is not there yet is an empty one. */
static enum ft_status open_database(const struct import_command *c, struct db **db,
                                    struct ft_err *err)
{
    *db = NULL;
    if (!c->o.is_dry_run)
        return db_open_writer(cli_db_path(), true, db, err);
    if (access(cli_db_path(), F_OK) != 0)
        return FT_OK;
    return db_open_reader(cli_db_path(), db, err);
}

static void print_summary(const struct import_summary *s)
{
    const char *would = s->is_dry_run ? "would be " : "";
    char first[CLOCK_TEXT_SIZE];
    char last[CLOCK_TEXT_SIZE];
    printf("%s: %lld rows in %.2f s (%s)\n", s->file, (long long)s->n_rows, s->seconds, s->kind);
    printf("  %snew %lld, %schanged %lld, unchanged %lld\n", would, (long long)s->n_new, would,
           (long long)s->n_changed, (long long)s->n_unchanged);
    printf("  assets %lld (%lld of them new)", (long long)s->n_assets, (long long)s->n_assets_new);
    if (s->n_sensors > 0)
        printf(", sensors %lld", (long long)s->n_sensors);
    if (s->n_missing > 0)
        printf(", empty cells %lld", (long long)s->n_missing);
    printf("\n");
    if (s->first_ms != DB_NO_TIME) {
        clock_format_utc(s->first_ms, first);
        clock_format_utc(s->last_ms, last);
        printf("  from %s to %s\n", first, last);
    }
    if (s->n_bad > 0)
        printf("  %lld row%s %s quarantine\n", (long long)s->n_bad, s->n_bad == 1 ? "" : "s",
               s->is_dry_run ? "would go to" : "in");
    if (s->is_dry_run)
        printf("  dry run: nothing was written\n");
}

/* Sums of several files, for the JSON answer. */
static void add_totals(cJSON *out, const cJSON *files)
{
    static const char *const keys[] = {"rows",        "new",     "changed", "unchanged",
                                       "quarantined", "missing", "seconds"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        double sum = 0;
        const cJSON *f;
        cJSON_ArrayForEach (f, files) {
            const cJSON *v = json_get(f, keys[i]);
            sum += v != NULL ? v->valuedouble : 0;
        }
        json_add_number(out, keys[i], sum);
    }
}

/* Reports an import that was stopped: what is kept and how to go on. */
static void say_interrupted(const struct import_summary *s)
{
    fprintf(stderr,
            "fettle: interrupted: %lld rows of %s are written and kept; run the same command again "
            "to finish (rows that are there already change nothing)\n",
            (long long)s->n_rows, s->file);
}

/* Imports one file and adds its summary to files; keeps the worst outcome in *worst. */
static bool import_one(struct import_command *c, struct db *db, const char *file, cJSON *files,
                       enum ft_status *worst)
{
    struct import_summary s = {0};
    struct ft_err err = {0};
    snprintf(c->title, sizeof(c->title), "import %.60s", file);
    c->has_total = false;
    c->progress =
        c->as_json && !isatty(STDERR_FILENO) ? NULL : cli_progress_new(c->title, 0, "KiB");
    const enum ft_status st = c->import(db, file, &c->o, &s, &err);
    cli_progress_end(c->progress);
    c->progress = NULL;
    if (st == FT_OK || st == FT_PARTIAL) {
        cJSON_AddItemToArray(files, import_summary_to_json(&s));
        if (!c->as_json)
            print_summary(&s);
        if (st == FT_PARTIAL)
            *worst = st;
    } else if (st == FT_INTERRUPTED) {
        say_interrupted(&s);
        *worst = st;
    } else {
        cli_fail(&err);
        *worst = st;
    }
    import_summary_clear(&s);
    return st == FT_OK || st == FT_PARTIAL;
}

static int run_import(struct import_command *c)
{
    struct db *db = NULL;
    struct ft_err err;
    enum ft_status worst = FT_OK;
    int code = 0;
    cJSON *files = cJSON_CreateArray();
    if (c->zone != NULL && clock_set_zone(c->zone, &err) != FT_OK) {
        cJSON_Delete(files);
        return cli_usage_error("--tz: %s", err.msg);
    }
    enum ft_status st = pool_new(0, &c->o.pool, &err);
    if (st == FT_OK)
        st = open_database(c, &db, &err);
    if (st == FT_OK && c->is_site_zone && c->zone == NULL && db != NULL)
        st = site_use_zone(db, &err);
    if (st != FT_OK) {
        code = cli_fail(&err);
        if (st == FT_BUSY)
            fputs("        Stop it first, or send it the rows: POST /api/v1/readings takes CSV.\n",
                  stderr);
        goto out;
    }
    c->o.is_stopped = cli_is_interrupted;
    c->o.say = say;
    c->o.progress = progress;
    c->o.ctx = c;
    for (size_t i = 0; i < c->n_files; i++)
        if (!import_one(c, db, c->files[i], files, &worst))
            break;
    const double close_s = clock_mono_s();
    db_close(db);
    db = NULL;
    code = ft_status_exit_code(worst);
    if (c->as_json && (worst == FT_OK || worst == FT_PARTIAL)) {
        cJSON *one = cJSON_GetArraySize(files) == 1 ? cJSON_DetachItemFromArray(files, 0)
                                                    : cJSON_CreateObject();
        cJSON *list = cJSON_GetArraySize(files) > 0 ? json_add_array(one, "files") : NULL;
        if (list != NULL) {
            add_totals(one, files);
            while (cJSON_GetArraySize(files) > 0)
                cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(files, 0));
        }
        json_add_number(one, "close_seconds", clock_mono_s() - close_s);
        const int printed = cli_print_json(one);
        code = printed != 0 ? printed : code;
        cJSON_Delete(one);
    }
out:
    db_close(db);
    pool_free(c->o.pool);
    cJSON_Delete(files);
    return code;
}

/* Parses flags, then runs; max_files 0: the file is given by flag. */
static int parse_and_run(struct import_command *c, const struct cli_usage *usage, int argc,
                         char **argv, size_t max_files)
{
    const char **files = calloc(max_files + 1, sizeof(*files));
    if (files == NULL)
        return ft_status_exit_code(FT_NOMEM);
    int code = cli_parse(usage, argc, argv, files, max_files, &c->n_files);
    if (code < 0 && max_files > 0 && c->n_files == 0)
        code = cli_usage_error("expected a file to import, or - for standard input");
    if (code < 0)
        code = parse_mark("--delimiter", c->delimiter, ",;|\t", &c->o.delimiter);
    if (code < 0)
        code = parse_mark("--decimal", c->decimal, ".,", &c->o.decimal);
    if (code < 0 && c->check != NULL)
        code = c->check(c);
    c->files = files;
    if (code < 0 && max_files == 0) {
        c->files[0] = c->train;
        c->n_files = 1;
    }
    if (code < 0)
        code = run_import(c);
    free(files);
    return code;
}

static int run_readings(int argc, char **argv)
{
    struct import_command c = {.import = import_readings};
    const struct cli_flag flags[] = {
        {"--asset-col", CLI_STRING, &c.o.asset_col, "C", "column with the asset's key"},
        {"--asset", CLI_STRING, &c.o.asset, "NAME", "all rows belong to this asset"},
        {"--time-col", CLI_STRING, &c.o.time_col, "C", "column with the time"},
        {"--sensor-col", CLI_STRING, &c.o.sensor_col, "C", "long file: column with the sensor"},
        {"--value-col", CLI_STRING, &c.o.value_col, "C", "long file: column with the value"},
        {"--class", CLI_STRING, &c.o.class_name, "K", "class of assets that are new"},
        {"--cycle", CLI_DURATION, &c.o.cycle_ms, "DUR",
         "the time column counts cycles of this length"},
        {"--tz", CLI_STRING, &c.zone, "ZONE", "zone of times without offset (Europe/Berlin)"},
        {"--setting", CLI_STRING, &c.o.settings, "COLS", "sensors that are operating settings"},
        {"--meter", CLI_STRING, &c.o.meters, "COLS", "sensors that count up (run hours)"},
        {"--delimiter", CLI_STRING, &c.delimiter, "D", ", ; | or tab; else guessed"},
        {"--decimal", CLI_STRING, &c.decimal, "D", ". or , ; else guessed"},
        {"--memory", CLI_SIZE, &c.o.memory, "SIZE", "readings held before a write (160MiB)"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import readings telemetry.csv\n"
                    "fettle import readings telemetry.csv.gz --class pump --tz Europe/Berlin\n"
                    "fettle import readings long.csv --sensor-col tag --value-col value\n"
                    "zcat *.gz | fettle import readings - --dry-run",
        .synopsis = "fettle import readings FILE... [flags]",
        .text = "Reads CSV (plain, .gz, .zst, or - for standard input), wide with a column for\n"
                "each sensor or long with one row for each value. Columns are guessed from the\n"
                "header and shown. Empty cells, NA, NaN and null are missing values. A row with\n"
                "a bad cell keeps its other cells; what could not be read goes to quarantine\n"
                "with line, column and reason, and the exit code is 6. The same file twice\n"
                "changes nothing.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return parse_and_run(&c, &usage, argc, argv, MAX_FILES);
}

static int run_assets(int argc, char **argv)
{
    struct import_command c = {.import = import_assets};
    const struct cli_flag flags[] = {
        {"--asset-col", CLI_STRING, &c.o.asset_col, "C", "column with the asset's key"},
        {"--class", CLI_STRING, &c.o.class_name, "K", "class of the assets; else column class"},
        {"--tz", CLI_STRING, &c.zone, "ZONE", "zone of times without offset (Europe/Berlin)"},
        {"--delimiter", CLI_STRING, &c.delimiter, "D", ", ; | or tab; else guessed"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import assets machines.csv --class press\n"
                    "fettle import assets equipment.csv --asset-col EQUNR --dry-run",
        .synopsis = "fettle import assets FILE [--asset-col C] [--class K] [--dry-run] [--json]",
        .text = "Knows the columns asset, class, name, area, commissioned and\n"
                "downtime_cost_per_hour; every other column becomes an attribute. An empty cell\n"
                "changes nothing.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return parse_and_run(&c, &usage, argc, argv, 1);
}

static int check_events(struct import_command *c)
{
    enum event_kind kind;
    struct ft_err err;
    if (c->o.kind != NULL && event_kind_parse(c->o.kind, &kind, &err) != FT_OK)
        return cli_usage_error("--kind: %s", err.msg);
    return -1;
}

static int run_events(int argc, char **argv)
{
    struct import_command c = {.import = import_events, .check = check_events};
    const struct cli_flag flags[] = {
        {"--kind", CLI_STRING, &c.o.kind, "KIND",
         "failure, replacement, repair, inspection or alarm; else column kind"},
        {"--asset-col", CLI_STRING, &c.o.asset_col, "C", "column with the asset's key"},
        {"--asset", CLI_STRING, &c.o.asset, "NAME", "all rows belong to this asset"},
        {"--time-col", CLI_STRING, &c.o.time_col, "C", "column with the time"},
        {"--component-col", CLI_STRING, &c.o.component_col, "C", "column with the component"},
        {"--code-col", CLI_STRING, &c.o.code_col, "C", "column with the alarm or failure code"},
        {"--class", CLI_STRING, &c.o.class_name, "K", "class of assets that are new"},
        {"--cycle", CLI_DURATION, &c.o.cycle_ms, "DUR",
         "the time column counts cycles of this length"},
        {"--tz", CLI_STRING, &c.zone, "ZONE", "zone of times without offset (Europe/Berlin)"},
        {"--delimiter", CLI_STRING, &c.delimiter, "D", ", ; | or tab; else guessed"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import events failures.csv --kind failure\n"
                    "fettle import events errors.csv --kind alarm --code-col errorID\n"
                    "fettle import events maint.csv --kind replacement --component-col comp",
        .synopsis = "fettle import events FILE --kind KIND [flags]",
        .text =
            "Import assets first: assets that are not known yet are made in the class given\n"
            "by --class, else in the class \"default\". Components are made under the class of\n"
            "their asset.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return parse_and_run(&c, &usage, argc, argv, 1);
}

static int check_cmapss(struct import_command *c)
{
    if (c->train == NULL || c->o.class_name == NULL)
        return cli_usage_error("--train and --class are needed");
    if ((c->o.test == NULL) != (c->o.rul == NULL))
        return cli_usage_error("--test and --rul belong together");
    return -1;
}

static int run_cmapss(int argc, char **argv)
{
    struct import_command c = {.import = import_cmapss, .check = check_cmapss};
    c.o.cycle_ms = MS_PER_DAY;
    const struct cli_flag flags[] = {
        {"--train", CLI_STRING, &c.train, "F", "run-to-failure histories"},
        {"--test", CLI_STRING, &c.o.test, "F", "histories that were cut off"},
        {"--rul", CLI_STRING, &c.o.rul, "F", "true remaining cycles of the test engines"},
        {"--class", CLI_STRING, &c.o.class_name, "K", "class of the engines"},
        {"--cycle", CLI_DURATION, &c.o.cycle_ms, "DUR", "length of one cycle (1d)"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import cmapss --train train_FD001.txt --test test_FD001.txt \\\n"
                    "    --rul RUL_FD001.txt --class FD001",
        .synopsis = "fettle import cmapss --train F [--test F --rul F] --class K [--cycle DUR]",
        .text = "Reads the NASA C-MAPSS text files (plain, .gz or .zst). Each training engine\n"
                "gets a failure at its last cycle; test engines are held out of training, with\n"
                "their true remaining life.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return parse_and_run(&c, &usage, argc, argv, 0);
}

/* The flags that the tables of planning share. */
static int run_records(struct import_command *c, const struct cli_usage *words, int argc,
                       char **argv)
{
    const struct cli_flag flags[] = {
        {"--tz", CLI_STRING, &c->zone, "ZONE", "zone of times without offset; else the site's"},
        {"--delimiter", CLI_STRING, &c->delimiter, "D", ", ; | or tab; else guessed"},
        {"--dry-run", CLI_BOOL, &c->o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c->as_json, NULL, "print JSON"}};
    struct cli_usage usage = *words;
    usage.flags = flags;
    usage.n_flags = sizeof(flags) / sizeof(flags[0]);
    c->is_site_zone = true;
    return parse_and_run(c, &usage, argc, argv, 1);
}

static int run_plans(int argc, char **argv)
{
    struct import_command c = {.import = import_plans};
    static const struct cli_usage usage = {
        .examples = "fettle import plans pm.csv --dry-run\n"
                    "fettle import plans pm.csv",
        .synopsis = "fettle import plans FILE [--tz ZONE] [--dry-run] [--json]",
        .text =
            "Preventive rules, one a row, by their key: a known key is changed, an empty cell\n"
            "changes nothing. Columns: key, name, class or asset, component, action\n"
            "(replacement, inspection, service), interval (90d, or an RFC 5545 rule such as\n"
            "FREQ=MONTHLY;BYDAY=1MO), floating (counts from completion: yes), anchor,\n"
            "tolerance, meter and meter_interval (whichever comes first; meter_only),\n"
            "season (11-01/02-28), covers (keys with | between that this work includes),\n"
            "duration_h, cost, skill, checklist (steps with | between), parts (6205 x2 | grease),\n"
            "active."};
    return run_records(&c, &usage, argc, argv);
}

static int run_sensors(int argc, char **argv)
{
    struct import_command c = {.import = import_sensors};
    static const struct cli_usage usage = {
        .examples = "fettle import sensors tags.csv --dry-run\n"
                    "fettle import sensors tags.csv",
        .synopsis = "fettle import sensors FILE [--dry-run] [--json]",
        .text = "What is known of sensors that are there: an empty cell changes nothing. Columns:\n"
                "sensor, asset or class (neither: every sensor of that name), unit (UCUM), role\n"
                "(sensor, setting, meter), low and high (values that can be; fettle check names\n"
                "readings beyond them), rollover (the value at which a meter begins at 0 again:\n"
                "100000 for five digits; without it a fall is a new counter)."};
    return run_records(&c, &usage, argc, argv);
}

static int run_crews(int argc, char **argv)
{
    struct import_command c = {.import = import_crews};
    static const struct cli_usage usage = {
        .examples = "fettle import crews crews.csv",
        .synopsis = "fettle import crews FILE [--dry-run] [--json]",
        .text = "Columns: name, skills (mech,elec; empty = any), hours_per_day,\n"
                "weekdays (Mon|Tue|Wed|Thu|Fri), rate_per_h."};
    return run_records(&c, &usage, argc, argv);
}

static int run_calendar(int argc, char **argv)
{
    struct import_command c = {.import = import_calendar};
    static const struct cli_usage usage = {
        .examples = "fettle import calendar holidays.csv",
        .synopsis = "fettle import calendar FILE [--tz ZONE] [--dry-run] [--json]",
        .text = "Columns: kind (holiday, blackout, stop, crew_away), start, end (not included),\n"
                "crew, area, note, rrule (comes again: FREQ=YEARLY). Times without an offset are\n"
                "the site's."};
    return run_records(&c, &usage, argc, argv);
}

static int run_orders(int argc, char **argv)
{
    struct import_command c = {.import = import_orders, .is_site_zone = true};
    const struct cli_flag flags[] = {
        {"--mapping", CLI_STRING, &c.o.mapping, "FILE.json",
         "{\"columns\":{\"asset\":\"EQUNR\"},\"kinds\":{\"ZM01\":\"corrective\"},\"statuses\":{}}"},
        {"--events", CLI_BOOL, &c.o.makes_events, NULL,
         "closed repairs become failures, closed replacements replacements"},
        {"--tz", CLI_STRING, &c.zone, "ZONE", "zone of times without offset; else the site's"},
        {"--delimiter", CLI_STRING, &c.delimiter, "D", ", ; | or tab; else guessed"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "say what would happen, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples = "fettle import work-orders history.csv --dry-run\n"
                    "fettle import work-orders history.csv --mapping map.json --events",
        .synopsis = "fettle import work-orders FILE [--mapping FILE.json] [--events] [--dry-run] "
                    "[--json]",
        .text =
            "History from a CMMS export. Columns (number, asset, title, kind, status, created,\n"
            "started, ended, due, component, labour_h, downtime_h, cost, codes) are guessed\n"
            "from the header, words for kind and status from what exports use; every guess is\n"
            "shown with its number of rows, and the mapping file corrects it. A number that\n"
            "is there already is left as it is.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return parse_and_run(&c, &usage, argc, argv, 1);
}

static int run_codes(int argc, char **argv)
{
    struct import_command c = {.import = import_codes};
    static const struct cli_usage usage = {
        .examples = "fettle import codes codes.csv",
        .synopsis = "fettle import codes FILE [--dry-run] [--json]",
        .text = "Columns: kind (failure, cause, remedy), code, name. A known code gets the new\n"
                "name."};
    return run_records(&c, &usage, argc, argv);
}

int cmd_import(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(int argc, char **argv);
        const char *summary;
    } verbs[] = {{"readings", run_readings, "measurements, wide or long CSV"},
                 {"assets", run_assets, "the list of machines"},
                 {"events", run_events, "failures, replacements, repairs, inspections, alarms"},
                 {"sensors", run_sensors, "unit, role, limits and roll-over of sensors"},
                 {"plans", run_plans, "preventive rules"},
                 {"crews", run_crews, "crews with skills and hours"},
                 {"calendar", run_calendar, "holidays, blackouts, production stops, crews away"},
                 {"work-orders", run_orders, "work-order history of a CMMS"},
                 {"codes", run_codes, "words for failure, cause and remedy"},
                 {"waveform", cmd_import_waveform, "raw vibration, reduced to what models use"},
                 {"cmapss", run_cmapss, "NASA C-MAPSS turbofan text files"},
                 {"model", cmd_import_model, "trees of XGBoost or LightGBM"}};
    enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };
    const bool is_help =
        argc >= 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
    for (size_t i = 0; argc >= 2 && i < N_VERBS; i++)
        if (strcmp(argv[1], verbs[i].word) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    if (!is_help)
        return cli_usage_error(
            "import what? readings, assets, events, sensors, plans, crews, calendar, work-orders, "
            "codes, waveform, cmapss or model");
    printf("Examples:\n  fettle import assets machines.csv --class pump\n"
           "  fettle import readings history.csv.gz --class pump\n"
           "  fettle import events breakdowns.csv --kind failure\n\n"
           "Usage: fettle import WHAT [flags]      fettle import WHAT -h says more\n\n");
    for (size_t i = 0; i < N_VERBS; i++)
        printf("  %-12s %s\n", verbs[i].word, verbs[i].summary);
    return 0;
}
