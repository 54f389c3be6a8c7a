/* fettle import waveform: raw vibration becomes readings that models use. */
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/import_waveform.h"
#include "app/waveform_import.h"
#include "db/asset_store.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>

enum { MAX_FILES = 4096 };

/* What the flags say. */
struct command {
    struct waveform_import_options o;
    const char *format, *bands, *envelope, *carrier;
    double rate_hz;
    int64_t block_n;
    bool as_json;
};

/* The plan: the machine's own bands where named, else parts of the rate. -1 = fine. */
static int make_plan(struct command *c)
{
    struct waveform_plan *p = &c->o.plan;
    struct ft_err err;
    size_t n = 0;
    if (!(c->rate_hz > 0))
        return cli_usage_error("--rate: expected samples a second");
    waveform_plan_default(c->rate_hz, p);
    if (c->bands != NULL && waveform_bands_parse(c->bands, p->bands, &p->n_bands, &err) != FT_OK)
        return cli_usage_error("--bands: %s", err.msg);
    if (c->envelope != NULL &&
        waveform_bands_parse(c->envelope, p->envelope, &p->n_envelope, &err) != FT_OK)
        return cli_usage_error("--envelope: %s", err.msg);
    if (c->carrier != NULL) {
        struct waveform_band one[WAVEFORM_MAX_BANDS];
        if (waveform_bands_parse(c->carrier, one, &n, &err) != FT_OK || n != 1)
            return cli_usage_error("--carrier: expected one band in Hz such as 2000-8000");
        p->carrier = one[0];
    }
    if (waveform_plan_check(p, &err) != FT_OK)
        return cli_usage_error("%s", err.msg);
    return -1;
}

static int check(struct command *c, size_t n_files)
{
    struct ft_err err;
    if (n_files == 0)
        return cli_usage_error("expected a file of samples, or - for standard input");
    if (c->o.asset == NULL || c->o.sensor == NULL)
        return cli_usage_error("--asset and --sensor are needed");
    if (c->format != NULL && waveform_format_parse(c->format, &c->o.file.format, &err) != FT_OK)
        return cli_usage_error("--format: %s", err.msg);
    if (c->block_n < 0 || (c->block_n > 0 && c->block_n < WAVEFORM_MIN_N))
        return cli_usage_error("--block: expected at least %d samples", WAVEFORM_MIN_N);
    c->o.block_n = (size_t)c->block_n;
    return make_plan(c);
}

static void print_summary(const cJSON *s)
{
    const cJSON *v;
    printf("%.0f samples in %.0f block(s) from %s to %s; the samples themselves are not kept\n",
           json_get(s, "samples")->valuedouble, json_get(s, "blocks")->valuedouble,
           json_get(s, "first")->valuestring, json_get(s, "last")->valuestring);
    if (json_get(s, "left_over")->valuedouble > 0)
        printf("%.0f samples at the ends make no whole block and are left out\n",
               json_get(s, "left_over")->valuedouble);
    printf("readings: %.0f new, %.0f were there already; the last block:\n",
           json_get(s, "new")->valuedouble, json_get(s, "known")->valuedouble);
    cJSON_ArrayForEach (v, json_get(s, "last_values")) {
        if (cJSON_IsNumber(v))
            printf("  %-40s %.6g\n", v->string, v->valuedouble);
        else
            printf("  %-40s -\n", v->string);
    }
}

static int run(struct command *c, const char *const *files, size_t n_files)
{
    struct db *db = NULL;
    struct ft_err err;
    cJSON *summary = NULL;
    c->o.is_stopped = cli_is_interrupted;
    enum ft_status st = c->o.is_dry_run ? FT_OK : db_open_writer(cli_db_path(), true, &db, &err);
    if (st == FT_OK)
        st = waveform_import(db, files, n_files, &c->o, &summary, &err);
    db_close(db);
    if (st != FT_OK)
        return cli_fail(&err);
    int code = 0;
    if (c->as_json)
        code = cli_print_json(summary);
    else
        print_summary(summary);
    cJSON_Delete(summary);
    return code;
}

int cmd_import_waveform(int argc, char **argv)
{
    static const char *files[MAX_FILES];
    struct command c = {.o = {.at_ms = DB_NO_TIME, .class_name = "default"}, .rate_hz = NAN};
    const struct cli_flag flags[] = {
        {"--asset", CLI_STRING, &c.o.asset, "KEY", "whose machine it is"},
        {"--sensor", CLI_STRING, &c.o.sensor, "NAME", "name that the readings' names begin with"},
        {"--rate", CLI_NUMBER, &c.rate_hz, "HZ", "samples a second"},
        {"--at", CLI_INSTANT, &c.o.at_ms, "TIME",
         "when the first sample was taken (the file's last change)"},
        {"--every", CLI_DURATION, &c.o.every_ms, "DUR",
         "from file to file, with --at (they follow each other)"},
        {"--block", CLI_INT, &c.block_n, "N", "samples of a block (the whole file)"},
        {"--format", CLI_STRING, &c.format, "F",
         "csv, npy, f32le, f64le, i16le, i32le (guessed for csv and npy)"},
        {"--column", CLI_STRING, &c.o.file.column, "C", "column by name, or by number from 1"},
        {"--scale", CLI_NUMBER, &c.o.file.scale, "X", "multiply samples by this (1)"},
        {"--bands", CLI_STRING, &c.bands, "LIST", "bands of the spectrum in Hz: 10-1000,1000-5000"},
        {"--carrier", CLI_STRING, &c.carrier, "BAND",
         "band of which the envelope is taken (0.1 to 0.4 of the rate)"},
        {"--envelope", CLI_STRING, &c.envelope, "LIST", "bands of the envelope's spectrum in Hz"},
        {"--class", CLI_STRING, &c.o.class_name, "K", "class of an asset that is new (default)"},
        {"--dry-run", CLI_BOOL, &c.o.is_dry_run, NULL, "compute and show, write nothing"},
        {"--json", CLI_BOOL, &c.as_json, NULL, "print JSON"}};
    const struct cli_usage usage = {
        .examples =
            "fettle import waveform p101.npy --asset P-101 --sensor vib --rate 20480 "
            "--at 2026-03-01T06:00:00Z\n"
            "fettle import waveform day/*.csv --asset P-101 --sensor vib --rate 12800 --column 2 "
            "--at 2026-03-01 --every 10m\n"
            "fettle import waveform adc.bin --format i16le --scale 0.00061 --block 20480 ... \\\n"
            "    --carrier 2000-8000 --envelope 80-120,160-240",
        .synopsis = "fettle import waveform FILE... --asset KEY --sensor NAME --rate HZ [flags]",
        .text =
            "Raw samples (plain, .gz, .zst or -) become readings, one a block: RMS, peak, crest\n"
            "factor, kurtosis, RMS in bands of the spectrum and in bands of the envelope's\n"
            "spectrum, where knocks of a bearing show. The mean is taken off first. The samples\n"
            "themselves are not kept. The same file at the same time twice changes nothing.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    size_t n_files = 0;
    int code = cli_parse(&usage, argc, argv, files, MAX_FILES, &n_files);
    if (code < 0)
        code = check(&c, n_files);
    return code < 0 ? run(&c, files, n_files) : code;
}
