#include "app/ingest/readings_layout.h"

#include "app/base/buf.h"
#include "app/base/json.h"
#include "app/ingest/limits.h"
#include "app/ingest/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A column is taken for text, not for a sensor, when at least MIN_TEXT of the sampled cells hold
 * something and none of it is a number. */
enum { SAMPLE_ROWS = 200, MIN_TEXT = 3 };

/* What a sample of rows tells about one column. */
struct column_sample {
    int n_number, n_text; /* with the likelier decimal mark */
    int n_comma, n_point; /* numbers that need the decimal comma, the decimal point */
    char example[24];     /* of a text */
};

void readings_layout_free(struct readings_layout *l)
{
    columns_free(&l->columns);
    free(l->asset);
    free(l->value_cols);
    *l = (struct readings_layout){0};
}

static void sample_cell(struct column_sample *s, struct csv_field f)
{
    double v;
    if (number_is_missing(f.p, f.len))
        return;
    const bool has_comma = memchr(f.p, ',', f.len) != NULL;
    const bool has_point = memchr(f.p, '.', f.len) != NULL;
    if (number_parse(f.p, f.len, '.', &v)) {
        s->n_number++;
        s->n_point += has_point;
    } else if (number_parse(f.p, f.len, ',', &v)) {
        s->n_number++;
        s->n_comma += has_comma;
    } else {
        s->n_text++;
        snprintf(s->example, sizeof(s->example), "%.*s", (int)(f.len < 20 ? f.len : 20), f.p);
    }
}

/* Looks at the rows that are in the reader's buffer. */
static enum ft_status sample_rows(struct csv_reader *reader, size_t n_columns,
                                  struct column_sample *samples, struct ft_err *err)
{
    struct csv_field bytes;
    struct csv_record rec;
    bool is_last = false;
    enum ft_status st = csv_reader_peek(reader, &bytes, &is_last, err);
    const char *p = bytes.p;
    const char *end = bytes.p + bytes.len;
    csv_record_init(&rec);
    for (int row = 0; row < SAMPLE_ROWS && st == FT_OK; row++) {
        size_t used = 0;
        if (csv_split(p, end, is_last, csv_reader_delimiter(reader), &rec, &used, NULL) == FT_NOMEM)
            st = ft_fail(err, FT_NOMEM, "no memory for a row");
        if (used == 0)
            break;
        p += used;
        for (size_t i = 0; i < rec.n && i < n_columns; i++)
            sample_cell(&samples[i], rec.fields[i]);
    }
    csv_record_free(&rec);
    return st;
}

/* The decimal comma is looked for in files with ';' (or when fields are quoted): one number that
 * needs it and none that needs the point. */
static char guess_decimal(const struct column_sample *samples, size_t n, const bool *taken,
                          char delimiter)
{
    int n_comma = 0;
    int n_point = 0;
    for (size_t i = 0; i < n; i++) {
        n_comma += taken[i] ? 0 : samples[i].n_comma;
        n_point += taken[i] ? 0 : samples[i].n_point;
    }
    if (n_comma == 0 && n_point == 0)
        return delimiter == ';' ? ',' : '.';
    return n_comma > n_point ? ',' : '.';
}

static void take(bool *taken, int column)
{
    if (column != COLUMN_NONE)
        taken[column] = true;
}

/* Refuses a first line that is data. */
static enum ft_status check_header(const struct columns *c, const char *file, struct ft_err *err)
{
    size_t n_numbers = 0;
    double v;
    for (size_t i = 0; i < c->n; i++)
        n_numbers += number_parse(c->names[i], strlen(c->names[i]), '.', &v);
    if (n_numbers * 2 > c->n)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1 holds numbers, expected a header with the names of the columns, "
                       "such as time,asset,vibration",
                       file);
    return FT_OK;
}

static enum ft_status pick_roles(struct readings_layout *l, const char *file,
                                 const struct import_options *o, bool *taken, struct ft_err *err)
{
    const struct columns *c = &l->columns;
    enum ft_status st = columns_pick(c, COLUMN_ASSET, o->asset_col, file, NULL, &l->asset_col, err);
    if (st == FT_OK && o->asset != NULL && o->asset_col == NULL)
        l->asset_col = COLUMN_NONE;
    take(taken, l->asset_col);
    if (st == FT_OK)
        st = columns_pick(c, o->cycle_ms > 0 ? COLUMN_CYCLE : COLUMN_TIME, o->time_col, file, taken,
                          &l->time_col, err);
    if (st == FT_OK && l->time_col == COLUMN_NONE && o->cycle_ms > 0)
        l->time_col = columns_guess(c, COLUMN_TIME, taken);
    take(taken, l->time_col);
    if (st == FT_OK)
        st = columns_pick(c, COLUMN_SENSOR, o->sensor_col, file, taken, &l->sensor_col, err);
    if (st == FT_OK)
        st = columns_pick(c, COLUMN_VALUE, o->value_col, file, taken, &l->value_col, err);
    if (st != FT_OK)
        return st;
    /* Guessed names make a long file only together; one asked for by flag needs the other. */
    l->is_long = l->sensor_col != COLUMN_NONE && l->value_col != COLUMN_NONE;
    if (!l->is_long && (o->sensor_col != NULL || o->value_col != NULL))
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: a long file needs a column with the sensor's name "
                       "(--sensor-col) and one with the value (--value-col)",
                       file);
    if (l->is_long) {
        take(taken, l->sensor_col);
        take(taken, l->value_col);
    }
    return FT_OK;
}

static enum ft_status check_roles(const struct readings_layout *l, const char *file,
                                  const struct import_options *o, struct ft_err *err)
{
    char list[160];
    columns_list(&l->columns, list, sizeof(list));
    if (l->time_col == COLUMN_NONE)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no time column among: %s. Expected a name such as time, "
                       "timestamp or datetime; --time-col names another%s",
                       file, list,
                       columns_guess(&l->columns, COLUMN_CYCLE, NULL) != COLUMN_NONE
                           ? ", --cycle 1d reads cycle numbers"
                           : "");
    if (l->asset_col == COLUMN_NONE && o->asset == NULL)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no asset column among: %s. Expected a name such as asset or "
                       "machine_id; --asset-col names another, --asset NAME says that all rows "
                       "belong to one asset",
                       file, list);
    if (l->n_values == 0)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no sensor column among: %s. Expected a column of numbers for "
                       "each sensor, or --sensor-col and --value-col for a long file",
                       file, list);
    return FT_OK;
}

/* Chooses the columns that hold values; says which are left out. */
static enum ft_status pick_values(struct readings_layout *l, const struct import_options *o,
                                  const struct column_sample *samples, const bool *taken,
                                  struct ft_err *err)
{
    l->value_cols = calloc(l->columns.n + 1, sizeof(*l->value_cols));
    if (l->value_cols == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", l->columns.n);
    if (l->is_long) {
        l->n_values = 1;
        l->value_cols[0] = l->value_col;
        return FT_OK;
    }
    for (size_t i = 0; i < l->columns.n; i++) {
        const bool is_text = samples[i].n_text >= MIN_TEXT && samples[i].n_number == 0;
        if (taken[i])
            continue;
        if (l->columns.names[i][0] == '\0')
            import_say(o, "column %zu has no name and is left out", i + 1);
        else if (is_text)
            import_say(o, "column %s holds text (%s) and is left out", l->columns.names[i],
                       samples[i].example);
        else
            l->value_cols[l->n_values++] = (int)i;
    }
    return FT_OK;
}

static void say_mapping(const struct readings_layout *l, const char *file,
                        const struct import_options *o)
{
    struct buf line;
    buf_init(&line, 900);
    const struct columns *c = &l->columns;
    buf_printf(&line, "%s: reading ", file);
    if (l->asset_col != COLUMN_NONE)
        buf_printf(&line, "asset from column %s, ", c->names[l->asset_col]);
    else
        buf_printf(&line, "asset %s, ", l->asset);
    buf_printf(&line, "%s from %s", l->cycle_ms > 0 ? "cycle" : "time", c->names[l->time_col]);
    if (l->is_long) {
        buf_printf(&line, ", sensor from %s, value from %s", c->names[l->sensor_col],
                   c->names[l->value_col]);
    } else {
        buf_printf(&line, ", %zu sensor%s: ", l->n_values, l->n_values == 1 ? "" : "s");
        for (size_t k = 0; k < l->n_values && line.len < 600; k++)
            buf_printf(&line, "%s%s", k > 0 ? ", " : "", c->names[l->value_cols[k]]);
        if (line.len >= 600)
            buf_puts(&line, ", ...");
    }
    if (l->delimiter != ',')
        buf_printf(&line, "; fields end with %s",
                   l->delimiter == '\t' ? "a tab" : (const char[]){l->delimiter, '\0'});
    if (l->decimal == ',')
        buf_puts(&line, "; decimal comma");
    if (line.data != NULL)
        import_say(o, "%s", line.data);
    buf_free(&line);
}

static enum ft_status read_layout(struct csv_reader *reader, const struct import_options *o,
                                  struct readings_layout *l, struct ft_err *err)
{
    const char *file = input_name(csv_reader_input(reader));
    struct csv_record *header = NULL;
    enum ft_status st = csv_reader_next(reader, &header, err);
    if (st == FT_OK && header == NULL)
        st = ft_fail(err, FT_INVALID, "%s: line 1: expected a header, the file has none", file);
    if (st == FT_OK)
        st = columns_from_header(header, file, &l->columns, err);
    if (st == FT_OK)
        st = check_header(&l->columns, file, err);
    if (st != FT_OK)
        return st;
    bool *taken = calloc(l->columns.n + 1, sizeof(*taken));
    struct column_sample *samples = calloc(l->columns.n + 1, sizeof(*samples));
    if (taken == NULL || samples == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", l->columns.n);
    if (st == FT_OK)
        st = pick_roles(l, file, o, taken, err);
    if (st == FT_OK)
        st = sample_rows(reader, l->columns.n, samples, err);
    if (st == FT_OK)
        st = pick_values(l, o, samples, taken, err);
    if (st == FT_OK)
        st = check_roles(l, file, o, err);
    if (st == FT_OK) {
        if (l->is_long)
            taken[l->value_col] = false;
        l->decimal = o->decimal != 0 ? o->decimal
                                     : guess_decimal(samples, l->columns.n, taken, l->delimiter);
        say_mapping(l, file, o);
    }
    free(taken);
    free(samples);
    return st;
}

enum ft_status readings_layout_read(struct csv_reader *reader, const struct import_options *o,
                                    struct readings_layout *out, struct ft_err *err)
{
    *out = (struct readings_layout){.delimiter = csv_reader_delimiter(reader),
                                    .cycle_ms = o->cycle_ms};
    enum ft_status st = FT_OK;
    if (o->asset != NULL) {
        st = ingest_check_name("--asset", o->asset, strlen(o->asset), err);
        out->asset = strdup(o->asset);
        if (st == FT_OK && out->asset == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for a name");
    }
    if (st == FT_OK)
        st = read_layout(reader, o, out, err);
    if (st != FT_OK)
        readings_layout_free(out);
    return st;
}

/* Is name one of the comma-separated words of list? */
static bool is_listed(const char *list, const char *name)
{
    const size_t len = strlen(name);
    for (const char *p = list; p != NULL && *p != '\0';) {
        const struct csv_field word = csv_trim((struct csv_field){p, strcspn(p, ",")});
        if (word.len == len && memcmp(word.p, name, len) == 0)
            return true;
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return false;
}

enum sensor_role readings_sensor_role(const struct import_options *o, const char *name)
{
    if (is_listed(o->settings, name))
        return SENSOR_ROLE_SETTING;
    return is_listed(o->meters, name) ? SENSOR_ROLE_METER : SENSOR_ROLE_SENSOR;
}

cJSON *readings_layout_to_json(const struct readings_layout *l)
{
    const struct columns *c = &l->columns;
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "form", l->is_long ? "long" : "wide");
    json_add_string(out, "asset", l->asset_col != COLUMN_NONE ? c->names[l->asset_col] : NULL);
    json_add_string(out, "time", c->names[l->time_col]);
    if (l->is_long) {
        json_add_string(out, "sensor", c->names[l->sensor_col]);
        json_add_string(out, "value", c->names[l->value_col]);
    } else {
        cJSON *sensors = json_add_array(out, "sensors");
        for (size_t k = 0; k < l->n_values; k++)
            json_add_string(sensors, NULL, c->names[l->value_cols[k]]);
    }
    const char delimiter[] = {l->delimiter, '\0'};
    const char decimal[] = {l->decimal, '\0'};
    json_add_string(out, "delimiter", delimiter);
    json_add_string(out, "decimal", decimal);
    if (l->cycle_ms > 0)
        json_add_int(out, "cycle_ms", l->cycle_ms);
    return out;
}
