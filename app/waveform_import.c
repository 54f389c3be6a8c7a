#include "app/waveform_import.h"

#include "app/base/buf.h"
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/ingest/ingest.h"
#include "app/ingest/input.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_VALUES = 4 + 2 * WAVEFORM_MAX_BANDS, NAME_SIZE = 256, READ_SIZE = 1 << 16 };

struct work {
    struct db *db;
    const struct waveform_import_options *o;
    char names[MAX_VALUES][NAME_SIZE];
    size_t n_names;
    double last[MAX_VALUES]; /* of the last block */
    int64_t n_samples, n_left, n_blocks, n_new, n_known;
    int64_t first_ms, last_ms;
};

/* "10-1000" at the beginning of p; NULL = it is none, else what follows. */
static const char *parse_band(const char *p, struct waveform_band *out)
{
    char *end = NULL;
    out->low_hz = strtod(p, &end);
    if (end == p || *end != '-')
        return NULL;
    p = end + 1;
    out->high_hz = strtod(p, &end);
    const bool is_band = out->low_hz >= 0 && out->low_hz < out->high_hz && isfinite(out->high_hz);
    return end != p && is_band && (*end == ',' || *end == '\0') ? end : NULL;
}

enum ft_status waveform_bands_parse(const char *text, struct waveform_band *out, size_t *n,
                                    struct ft_err *err)
{
    const char *p = text;
    *n = 0;
    while (*p != '\0') {
        if (*n == WAVEFORM_MAX_BANDS)
            return ft_fail(err, FT_INVALID, "more than %d bands", WAVEFORM_MAX_BANDS);
        const char *end = parse_band(p, &out[*n]);
        if (end == NULL)
            return ft_fail(err, FT_INVALID,
                           "'%.60s': expected bands in Hz such as 10-1000,1000-5000", p);
        (*n)++;
        p = *end == ',' ? end + 1 : end;
    }
    return *n > 0 ? FT_OK : ft_fail(err, FT_INVALID, "expected bands in Hz such as 10-1000");
}

/* --- what a block becomes --------------------------------------------------------------------- */

static void add_band_names(struct work *w, const char *infix, const struct waveform_band *b,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(w->names[w->n_names++], NAME_SIZE, "%.150s%s_%.6g_%.6ghz", w->o->sensor, infix,
                 b[i].low_hz, b[i].high_hz);
}

static void make_names(struct work *w)
{
    static const char *const sizes[] = {"rms", "peak", "crest", "kurtosis"};
    const struct waveform_plan *p = &w->o->plan;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        snprintf(w->names[w->n_names++], NAME_SIZE, "%.150s_%s", w->o->sensor, sizes[i]);
    add_band_names(w, "", p->bands, p->n_bands);
    add_band_names(w, "_env", p->envelope, p->n_envelope);
}

static void take_values(struct work *w, const struct waveform_summary *s)
{
    const struct waveform_plan *p = &w->o->plan;
    size_t k = 0;
    w->last[k++] = s->rms;
    w->last[k++] = s->peak;
    w->last[k++] = s->crest;
    w->last[k++] = s->kurtosis;
    for (size_t i = 0; i < p->n_bands; i++)
        w->last[k++] = s->band_rms[i];
    for (size_t i = 0; i < p->n_envelope; i++)
        w->last[k++] = s->envelope_rms[i];
}

/* A value that is not known (the crest of a block that stands still) makes no reading. */
static size_t add_readings(const struct work *w, int64_t at_ms, struct ingest_reading *out)
{
    size_t n = 0;
    for (size_t k = 0; k < w->n_names; k++)
        if (isfinite(w->last[k]))
            out[n++] = (struct ingest_reading){w->o->asset, w->names[k], at_ms, w->last[k]};
    return n;
}

static enum ft_status write_readings(struct work *w, const struct ingest_reading *items, size_t n,
                                     struct ft_err *err)
{
    const struct ingest_policy policy = {.class_name = w->o->class_name, .source = "waveform"};
    if (w->o->is_dry_run || n == 0)
        return FT_OK;
    struct ingest_result *results = calloc(n, sizeof(*results));
    if (results == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
    enum ft_status st = ingest_readings(w->db, &policy, items, n, results, err);
    for (size_t i = 0; i < n; i++) {
        if (st == FT_PARTIAL && results[i].status != FT_OK)
            st = ft_fail(err, results[i].status, "%s", results[i].reason);
        w->n_new += st == FT_OK && results[i].is_new;
        w->n_known += st == FT_OK && !results[i].is_new;
    }
    free(results);
    return st;
}

/* --- files ------------------------------------------------------------------------------------ */

static enum ft_status read_all(const char *file, bool (*is_stopped)(void), struct buf *out,
                               struct ft_err *err)
{
    struct input *in = NULL;
    char *chunk = malloc(READ_SIZE);
    size_t n = 1;
    enum ft_status st = chunk == NULL ? ft_fail(err, FT_NOMEM, "no memory to read %s", file)
                                      : input_open(file, is_stopped, &in, err);
    while (st == FT_OK && n > 0) {
        st = input_read(in, chunk, READ_SIZE, &n, err);
        if (st == FT_OK)
            buf_put(out, chunk, n);
        if (st == FT_OK && buf_status(out, NULL) != FT_OK)
            st = ft_fail(err, FT_INVALID, "%s: more than %zu bytes", file, WAVEFORM_FILE_MAX);
    }
    input_close(in);
    free(chunk);
    return st;
}

static enum ft_status describe_blocks(struct work *w, const char *file, const double *x, size_t n,
                                      int64_t at_ms, struct ft_err *err)
{
    const size_t block_n = w->o->block_n > 0 ? w->o->block_n : n;
    const size_t n_blocks = block_n > 0 ? n / block_n : 0;
    struct ingest_reading *items = calloc(n_blocks * w->n_names + 1, sizeof(*items));
    size_t n_items = 0;
    enum ft_status st = FT_OK;
    struct ft_err why;
    if (items == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu blocks", n_blocks);
    if (n_blocks == 0)
        st = ft_fail(err, FT_TOO_FEW, "%s: %zu samples, less than one block", file, n);
    for (size_t b = 0; b < n_blocks && st == FT_OK; b++) {
        struct waveform_summary s;
        const double since_s = (double)(b * block_n) / w->o->plan.rate_hz;
        const int64_t ts_ms = at_ms + (int64_t)llround(since_s * 1000);
        st = waveform_describe(&w->o->plan, x + b * block_n, block_n, &s, &why);
        if (st != FT_OK) {
            ft_fail(err, st, "%s: %s", file, why.msg);
            break;
        }
        take_values(w, &s);
        n_items += add_readings(w, ts_ms, items + n_items);
        w->first_ms = w->n_blocks == 0 || ts_ms < w->first_ms ? ts_ms : w->first_ms;
        w->last_ms = w->n_blocks == 0 || ts_ms > w->last_ms ? ts_ms : w->last_ms;
        w->n_blocks++;
    }
    if (st == FT_OK)
        st = write_readings(w, items, n_items, err);
    w->n_samples += (int64_t)n;
    w->n_left += (int64_t)(n - n_blocks * block_n);
    free(items);
    return st;
}

/* Instant of the first sample of file k. */
static enum ft_status instant_of(const struct work *w, const char *file, size_t k, int64_t *at_ms,
                                 struct ft_err *err)
{
    struct stat s;
    if (w->o->at_ms != DB_NO_TIME) {
        const double seen_s = (double)w->n_samples / w->o->plan.rate_hz;
        *at_ms = w->o->at_ms + (w->o->every_ms > 0 ? (int64_t)k * w->o->every_ms
                                                   : (int64_t)llround(seen_s * 1000));
        return FT_OK;
    }
    if (strcmp(file, "-") == 0)
        return ft_fail(err, FT_INVALID, "-: --at says when the samples were taken");
    if (stat(file, &s) != 0)
        return ft_fail(err, FT_NOT_FOUND, "%s: cannot be opened", file);
    *at_ms = (int64_t)s.st_mtim.tv_sec * 1000 + s.st_mtim.tv_nsec / 1000000;
    return FT_OK;
}

static enum ft_status take_file(struct work *w, const char *file, size_t k, struct ft_err *err)
{
    struct buf bytes;
    double *x = NULL;
    size_t n = 0;
    int64_t at_ms = 0;
    buf_init(&bytes, WAVEFORM_FILE_MAX);
    enum ft_status st = instant_of(w, file, k, &at_ms, err);
    if (st == FT_OK)
        st = read_all(file, w->o->is_stopped, &bytes, err);
    if (st == FT_OK)
        st = waveform_file_parse(file, bytes.data != NULL ? bytes.data : "", bytes.len, &w->o->file,
                                 &x, &n, err);
    buf_free(&bytes);
    if (st == FT_OK)
        st = describe_blocks(w, file, x, n, at_ms, err);
    free(x);
    return st;
}

static cJSON *summary_of(const struct work *w, size_t n_files)
{
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "files", (int64_t)n_files);
    json_add_int(o, "samples", w->n_samples);
    json_add_int(o, "left_over", w->n_left);
    json_add_int(o, "blocks", w->n_blocks);
    json_add_number(o, "rate_hz", w->o->plan.rate_hz);
    json_add_instant(o, "first", w->first_ms);
    json_add_instant(o, "last", w->last_ms);
    cJSON *sensors = json_add_array(o, "sensors");
    cJSON *values = json_add_object(o, "last_values");
    for (size_t k = 0; k < w->n_names; k++) {
        json_add_string(sensors, NULL, w->names[k]);
        json_add_number(values, w->names[k], w->last[k]);
    }
    json_add_int(o, "new", w->n_new);
    json_add_int(o, "known", w->n_known);
    json_add_bool(o, "dry_run", w->o->is_dry_run);
    return o;
}

enum ft_status waveform_import(struct db *db, const char *const *files, size_t n_files,
                               const struct waveform_import_options *options, cJSON **out,
                               struct ft_err *err)
{
    struct work *w = calloc(1, sizeof(*w));
    *out = NULL;
    if (w == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a waveform");
    w->db = db;
    w->o = options;
    make_names(w);
    enum ft_status st = waveform_plan_check(&options->plan, err);
    for (size_t k = 0; k < n_files && st == FT_OK; k++) {
        st = take_file(w, files[k], k, err);
        if (st == FT_OK && options->is_stopped != NULL && options->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted after %zu of %zu files", k + 1, n_files);
    }
    if (st == FT_OK && (*out = summary_of(w, n_files)) == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for the summary");
    free(w);
    return st;
}
