/* Header, kinds of columns (settled on the first rows, which are looked at without being taken),
 * then the rows (table_rows.c), whose texts get their rank by frequency at the end. */
#include "app/table_csv.h"

#include "app/dictionary.h"
#include "app/ingest/csv.h"
#include "app/ingest/number.h"
#include "app/table_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_ROWS = 1000, MIN_ROWS_FOR_IDENTIFIER = 20 };

struct loading {
    const char *path;
    const struct table_request *request;
    struct csv_reader *reader;
    struct table_layout layout;
    struct table_rows rows;
};

static enum ft_status no_memory(const struct loading *l, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", l->path, l->rows.n_rows);
}

/* Is name one of those in list, separated by commas? list may be NULL. */
static bool in_list(const char *list, const char *name)
{
    if (name == NULL)
        return false;
    const size_t len = strlen(name);
    for (const char *p = list; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n == len && memcmp(p, name, len) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static const struct table_field *field_by_name(const struct loading *l, const char *name,
                                               size_t len)
{
    for (size_t i = 0; i < l->layout.n_fields; i++)
        if (l->layout.fields[i].name != NULL && strlen(l->layout.fields[i].name) == len &&
            memcmp(l->layout.fields[i].name, name, len) == 0)
            return &l->layout.fields[i];
    return NULL;
}

/* --- header and roles ------------------------------------------------------------------------- */

static enum ft_status read_header(struct loading *l, struct ft_err *err)
{
    struct csv_record *r = NULL;
    enum ft_status st = csv_reader_next(l->reader, &r, err);
    if (st != FT_OK || r == NULL) {
        if (r == NULL && st == FT_OK)
            st = ft_fail(err, FT_TOO_FEW, "no header");
        ft_err_prefix(err, "%s", l->path);
        return st;
    }
    l->layout.fields = calloc(r->n + 1, sizeof(*l->layout.fields));
    if (l->layout.fields == NULL)
        return no_memory(l, err);
    for (size_t i = 0; i < r->n; i++) {
        const struct csv_field name = csv_trim(r->fields[i]);
        char *copy = name.len > 0 ? strndup(name.p, name.len) : malloc(32);
        if (copy == NULL)
            return no_memory(l, err);
        if (name.len == 0)
            snprintf(copy, 32, "column%zu", i + 1);
        if (field_by_name(l, copy, strlen(copy)) != NULL) {
            ft_fail(err, FT_INVALID, "%s, line %lld: column '%.80s' occurs twice", l->path,
                    (long long)csv_reader_line(l->reader), copy);
            free(copy);
            return FT_INVALID;
        }
        l->layout.fields[i].name = copy;
        l->layout.n_fields = i + 1;
    }
    return FT_OK;
}

/* Every name of a list must be a column. */
static enum ft_status check_list(const struct loading *l, const char *flag, const char *list,
                                 struct ft_err *err)
{
    for (const char *p = list; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n > 0 && field_by_name(l, p, n) == NULL)
            return ft_fail(err, FT_INVALID, "%s: %s names no column: '%.*s'", l->path, flag, (int)n,
                           p);
        p += n + (p[n] == ',');
    }
    return FT_OK;
}

/* Gives the column called name its role; NULL name = none wanted. */
static enum ft_status set_role(struct loading *l, const char *name, enum table_role role,
                               bool is_optional, struct ft_err *err)
{
    if (name == NULL)
        return FT_OK;
    const struct table_field *found = field_by_name(l, name, strlen(name));
    if (found == NULL && is_optional)
        return FT_OK;
    if (found == NULL)
        return ft_fail(err, FT_INVALID, "%s: no column '%.100s'", l->path, name);
    struct table_field *f = &l->layout.fields[found - l->layout.fields];
    if (f->role != ROLE_FEATURE && f->role != ROLE_SKIP)
        return ft_fail(err, FT_INVALID, "%s: column '%.100s' has two roles", l->path, name);
    f->role = role;
    return FT_OK;
}

static enum ft_status know_texts(const struct loading *l, struct table_field *f,
                                 const struct table_column *c, struct ft_err *err)
{
    for (size_t k = 0; c->levels != NULL && k < c->n_levels; k++)
        if (dictionary_add(f->texts, c->levels[k], strlen(c->levels[k])) == DICTIONARY_NONE)
            return no_memory(l, err);
    return FT_OK;
}

/* Columns of a model: role, place and known texts. */
static enum ft_status match_schema(struct loading *l, const struct table_schema *s,
                                   struct ft_err *err)
{
    for (size_t i = 0; i < l->layout.n_fields; i++)
        l->layout.fields[i].role = ROLE_SKIP;
    l->layout.n_places = s->n_features;
    for (size_t j = 0; j < s->n_features; j++) {
        const struct table_column *c = &s->features[j];
        const struct table_field *found = field_by_name(l, c->name, strlen(c->name));
        if (found == NULL)
            return ft_fail(err, FT_INVALID, "%s: no column '%.100s', which the model needs",
                           l->path, c->name);
        struct table_field *f = &l->layout.fields[found - l->layout.fields];
        f->role = ROLE_FEATURE;
        f->place = j;
        f->is_text = c->levels != NULL;
        const enum ft_status st = know_texts(l, f, c, err);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

static enum ft_status settle_roles(struct loading *l, struct ft_err *err)
{
    const struct table_request *q = l->request;
    enum ft_status st = check_list(l, "--drop", q->drop, err);
    if (st == FT_OK)
        st = check_list(l, "--category", q->category, err);
    for (size_t i = 0; i < l->layout.n_fields && st == FT_OK; i++) {
        struct table_field *f = &l->layout.fields[i];
        f->role = in_list(q->drop, f->name) ? ROLE_SKIP : ROLE_FEATURE;
        f->texts = dictionary_new();
        if (f->texts == NULL)
            st = no_memory(l, err);
    }
    if (st == FT_OK && q->schema != NULL)
        st = match_schema(l, q->schema, err);
    const bool is_implied = q->schema != NULL && q->label == NULL;
    if (st == FT_OK)
        st =
            set_role(l, is_implied ? q->schema->label.name : q->label, ROLE_LABEL, is_implied, err);
    if (st == FT_OK)
        st = set_role(l, q->group, ROLE_GROUP, false, err);
    if (st == FT_OK)
        st = set_role(l, q->time, ROLE_TIME, false, err);
    const bool is_event_implied = q->schema != NULL && q->event == NULL;
    if (st == FT_OK)
        st = set_role(l, is_event_implied ? q->schema->event : q->event, ROLE_EVENT,
                      is_event_implied, err);
    for (size_t i = 0; i < l->layout.n_fields && st == FT_OK && q->schema != NULL; i++)
        if (l->layout.fields[i].role == ROLE_LABEL)
            st = know_texts(l, &l->layout.fields[i], &q->schema->label, err);
    if (st != FT_OK || q->schema != NULL)
        return st;
    for (size_t i = 0; i < l->layout.n_fields; i++)
        if (l->layout.fields[i].role == ROLE_FEATURE)
            l->layout.fields[i].place = l->layout.n_places++;
    return l->layout.n_places > 0
               ? FT_OK
               : ft_fail(err, FT_INVALID, "%s: no column is left to learn from", l->path);
}

/* --- kinds ------------------------------------------------------------------------------------ */

struct tally {
    size_t n_values, n_point, n_comma; /* values that are there; numbers with that decimal mark */
};

static void count_record(const struct csv_record *r, size_t n_fields, struct tally *tally)
{
    for (size_t i = 0; i < r->n && i < n_fields; i++) {
        const struct csv_field f = csv_trim(r->fields[i]);
        double v;
        if (number_is_missing(f.p, f.len))
            continue;
        tally[i].n_values++;
        tally[i].n_point += number_parse(f.p, f.len, '.', &v);
        tally[i].n_comma += number_parse(f.p, f.len, ',', &v);
    }
}

static void settle_kinds(struct loading *l, const struct tally *tally)
{
    size_t n_point = 0, n_comma = 0;
    for (size_t i = 0; i < l->layout.n_fields; i++) {
        n_point += tally[i].n_point;
        n_comma += tally[i].n_comma;
    }
    l->layout.decimal = csv_reader_delimiter(l->reader) != ',' && n_comma > n_point ? ',' : '.';
    const struct table_schema *s = l->request->schema;
    for (size_t i = 0; i < l->layout.n_fields; i++) {
        struct table_field *f = &l->layout.fields[i];
        const size_t n_numbers = l->layout.decimal == ',' ? tally[i].n_comma : tally[i].n_point;
        const bool is_mostly_text = 2 * n_numbers < tally[i].n_values;
        if (f->role == ROLE_GROUP)
            f->is_text = true;
        else if (f->role == ROLE_TIME)
            f->is_text = is_mostly_text;
        else if (s == NULL)
            f->is_text = is_mostly_text || in_list(l->request->category, f->name);
        else if (f->role == ROLE_LABEL)
            f->is_text = s->label.levels != NULL;
    }
}

/* Looks at the first rows without taking them. */
static enum ft_status sample_rows(struct loading *l, struct ft_err *err)
{
    struct csv_field bytes;
    struct csv_record r;
    bool is_last;
    struct tally *tally = calloc(l->layout.n_fields + 1, sizeof(*tally));
    if (tally == NULL)
        return no_memory(l, err);
    csv_record_init(&r);
    enum ft_status st = csv_reader_peek(l->reader, &bytes, &is_last, err);
    const char *p = bytes.p, *end = bytes.p + bytes.len;
    for (size_t i = 0; st == FT_OK && i < SAMPLE_ROWS && p < end; i++) {
        size_t used = 0;
        struct ft_err ignored; /* a bad record is reported when it is read for good */
        const enum ft_status split =
            csv_split(p, end, is_last, csv_reader_delimiter(l->reader), &r, &used, &ignored);
        if (split == FT_NOMEM)
            st = no_memory(l, err);
        if (used == 0)
            break;
        if (split == FT_OK && !r.is_blank)
            count_record(&r, l->layout.n_fields, tally);
        p += used;
    }
    if (st == FT_OK)
        settle_kinds(l, tally);
    else
        ft_err_prefix(err, "%s", l->path);
    csv_record_free(&r);
    free(tally);
    return st;
}

static const struct table_field *field_of_role(const struct loading *l, enum table_role role)
{
    for (size_t i = 0; i < l->layout.n_fields; i++)
        if (l->layout.fields[i].role == role)
            return &l->layout.fields[i];
    return NULL;
}

/* --- texts to ranks ----------------------------------------------------------------------------
 */

struct level {
    const char *text;
    size_t number, count;
};

static int by_frequency(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->text, y->text);
}

/* Replaces numbers by ranks in values[i * stride] and writes the texts in their new order. */
static bool rank_levels(const struct dictionary *texts, double *values, size_t n_rows,
                        size_t stride, struct table_column *column)
{
    const size_t n = dictionary_count(texts);
    struct level *levels = calloc(n + 1, sizeof(*levels));
    size_t *rank = calloc(n + 1, sizeof(*rank));
    column->levels = calloc(n + 1, sizeof(*column->levels));
    bool is_well = levels != NULL && rank != NULL && column->levels != NULL;
    for (size_t k = 0; is_well && k < n; k++)
        levels[k] = (struct level){dictionary_text(texts, k), k, 0};
    for (size_t i = 0; is_well && i < n_rows; i++)
        if (!isnan(values[i * stride]))
            levels[(size_t)values[i * stride]].count++;
    if (is_well)
        qsort(levels, n, sizeof(*levels), by_frequency);
    for (size_t k = 0; is_well && k < n; k++) {
        rank[levels[k].number] = k;
        column->levels[k] = strdup(levels[k].text);
        is_well = column->levels[k] != NULL;
        column->n_levels = is_well ? k + 1 : k;
    }
    for (size_t i = 0; is_well && i < n_rows; i++)
        if (!isnan(values[i * stride]))
            values[i * stride] = (double)rank[(size_t)values[i * stride]];
    free(levels);
    free(rank);
    return is_well;
}

/* --- finishing ---------------------------------------------------------------------------------
 */

static bool is_identifier(const struct loading *l, const struct table_field *f)
{
    return f->is_overfull || (l->rows.n_rows >= MIN_ROWS_FOR_IDENTIFIER &&
                              2 * dictionary_count(f->texts) > l->rows.n_rows);
}

/* Builds the schema of the features that stay; keep[place] is set for those. */
static enum ft_status learn_features(struct loading *l, struct table *out, bool *keep,
                                     struct ft_err *err)
{
    struct table_schema *s = &out->schema;
    s->features = calloc(l->layout.n_places + 1, sizeof(*s->features));
    if (s->features == NULL)
        return no_memory(l, err);
    for (size_t i = 0; i < l->layout.n_fields; i++) {
        struct table_field *f = &l->layout.fields[i];
        if (f->role != ROLE_FEATURE)
            continue;
        if (f->is_text && is_identifier(l, f) && !in_list(l->request->category, f->name)) {
            buf_printf(&out->notes, "column '%s' was left out: its texts are nearly all distinct\n",
                       f->name);
            continue;
        }
        struct table_column *c = &s->features[s->n_features++];
        keep[f->place] = true;
        c->name = strdup(f->name);
        if (c->name == NULL || (f->is_text && !rank_levels(f->texts, l->rows.x + f->place,
                                                           l->rows.n_rows, l->layout.n_places, c)))
            return no_memory(l, err);
    }
    return s->n_features > 0
               ? FT_OK
               : ft_fail(err, FT_INVALID, "%s: no column is left to learn from", l->path);
}

static enum ft_status learn_label(struct loading *l, struct table *out, struct ft_err *err)
{
    struct table_schema *s = &out->schema;
    const struct table_field *label = field_of_role(l, ROLE_LABEL);
    const struct table_field *group = field_of_role(l, ROLE_GROUP);
    const struct table_field *event = field_of_role(l, ROLE_EVENT);
    s->group = group != NULL ? strdup(group->name) : NULL;
    s->event = event != NULL ? strdup(event->name) : NULL;
    s->label.name = label != NULL ? strdup(label->name) : NULL;
    if ((group != NULL && s->group == NULL) || (event != NULL && s->event == NULL) ||
        (label != NULL && s->label.name == NULL) ||
        (label != NULL && label->is_text &&
         !rank_levels(label->texts, l->rows.y, l->rows.n_rows, 1, &s->label)))
        return no_memory(l, err);
    return FT_OK;
}

/* Moves the kept columns together, row by row. */
static void compact(struct loading *l, const bool *keep, size_t n_kept)
{
    if (n_kept == l->layout.n_places)
        return;
    for (size_t i = 0; i < l->rows.n_rows; i++) {
        double *to = l->rows.x + i * n_kept;
        const double *from = l->rows.x + i * l->layout.n_places;
        for (size_t j = 0; j < l->layout.n_places; j++)
            if (keep[j])
                *to++ = from[j];
    }
    l->layout.n_places = n_kept;
}

/* Hands the arrays over. */
static void hand_over(struct loading *l, struct table *out)
{
    struct table_rows *r = &l->rows;
    const struct table_field *group = field_of_role(l, ROLE_GROUP);
    double *shrunk = realloc(r->x, r->n_rows * l->layout.n_places * sizeof(*shrunk));
    if (shrunk != NULL)
        r->x = shrunk;
    out->values = r->x;
    out->x = (struct matrix){out->values, r->n_rows, l->layout.n_places, l->layout.n_places, NULL};
    out->y = r->y;
    out->failed = r->failed;
    out->group = r->group;
    out->time = r->time;
    const struct table_field *time = field_of_role(l, ROLE_TIME);
    out->is_time_instant = time != NULL && time->is_text;
    out->n_groups = group != NULL ? dictionary_count(group->texts) : 0;
    *r = (struct table_rows){0};
}

static enum ft_status finish(struct loading *l, struct table *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (l->request->schema == NULL) {
        bool *keep = calloc(l->layout.n_places, sizeof(*keep));
        st = keep != NULL ? learn_features(l, out, keep, err) : no_memory(l, err);
        if (st == FT_OK)
            st = learn_label(l, out, err);
        if (st == FT_OK)
            compact(l, keep, out->schema.n_features);
        free(keep);
    }
    if (l->rows.n_unlabelled > 0)
        buf_printf(&out->notes, "%zu rows without a label were left out\n", l->rows.n_unlabelled);
    if (st == FT_OK)
        hand_over(l, out);
    return st;
}

/* Texts of a model stay as they are; groups are always counted anew. */
static enum ft_status read_rows(struct loading *l, struct ft_err *err)
{
    const bool is_model = l->request->schema != NULL;
    struct pool *pool = l->request->pool;
    struct pool *own = NULL;
    enum ft_status st = pool == NULL ? pool_new(1, &own, err) : FT_OK;
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < l->layout.n_fields; i++)
        l->layout.fields[i].is_frozen = is_model && l->layout.fields[i].role != ROLE_GROUP;
    l->layout.path = l->path;
    l->layout.is_label_needed = !is_model && field_of_role(l, ROLE_LABEL) != NULL;
    l->layout.is_stopped = l->request->is_stopped;
    l->layout.max_bytes = l->request->max_bytes;
    st = table_rows_read(l->reader, &l->layout, pool != NULL ? pool : own, &l->rows, err);
    pool_free(own);
    return st;
}

enum ft_status table_read_csv(const char *path, const struct table_request *request,
                              struct table *out, struct ft_err *err)
{
    struct loading l = {.path = path, .request = request};
    enum ft_status st = csv_reader_open(path, 0, request->is_stopped, &l.reader, err);
    if (st == FT_OK)
        st = read_header(&l, err);
    if (st == FT_OK)
        st = settle_roles(&l, err);
    if (st == FT_OK)
        st = sample_rows(&l, err);
    if (st == FT_OK)
        st = read_rows(&l, err);
    out->n_expected_rows = l.rows.n_expected;
    out->x.n_cols = l.layout.n_places;
    if (st == FT_OK)
        st = finish(&l, out, err);
    csv_reader_close(l.reader);
    for (size_t i = 0; i < l.layout.n_fields; i++) {
        free(l.layout.fields[i].name);
        dictionary_free(l.layout.fields[i].texts);
    }
    free(l.layout.fields);
    table_rows_free(&l.rows);
    return st;
}
