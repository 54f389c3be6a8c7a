/* One pass over the file. Kinds of columns are settled beforehand on the first rows, which are
 * looked at without being taken; texts get numbers in the order they are seen and their rank by
 * frequency at the end. */
#include "app/table_csv.h"

#include "app/dictionary.h"
#include "app/ingest/csv.h"
#include "app/ingest/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SAMPLE_ROWS = 1000, MIN_ROWS_FOR_IDENTIFIER = 20 };

enum role { ROLE_SKIP, ROLE_FEATURE, ROLE_LABEL, ROLE_GROUP, ROLE_EVENT };

struct field {
    char *name;
    enum role role;
    bool is_text;
    bool is_overfull; /* more than TABLE_MAX_LEVELS texts: identifiers */
    size_t place;     /* of a feature in the stored row */
    struct dictionary *texts;
};

struct loading {
    const char *path;
    const struct table_request *request;
    struct csv_reader *reader;
    char decimal;
    struct field *fields; /* [n_fields] */
    size_t n_fields;
    size_t n_places; /* features in a stored row */
    double *x;       /* [cap_rows][n_places] */
    double *y;       /* [cap_rows] */
    bool *failed;    /* [cap_rows] */
    size_t *group;   /* [cap_rows] */
    size_t n_rows, cap_rows, n_unlabelled;
};

static enum ft_status no_memory(const struct loading *l, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "%s: no memory for row %zu", l->path, l->n_rows + 1);
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

static const struct field *field_by_name(const struct loading *l, const char *name, size_t len)
{
    for (size_t i = 0; i < l->n_fields; i++)
        if (l->fields[i].name != NULL && strlen(l->fields[i].name) == len &&
            memcmp(l->fields[i].name, name, len) == 0)
            return &l->fields[i];
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
    l->fields = calloc(r->n + 1, sizeof(*l->fields));
    if (l->fields == NULL)
        return no_memory(l, err);
    for (size_t i = 0; i < r->n; i++) {
        const struct csv_field name = csv_trim(r->fields[i]);
        if (name.len > 0 && field_by_name(l, name.p, name.len) != NULL)
            return ft_fail(err, FT_INVALID, "%s, line %lld: column '%.*s' occurs twice", l->path,
                           (long long)csv_reader_line(l->reader), (int)name.len, name.p);
        char *copy = name.len > 0 ? strndup(name.p, name.len) : malloc(32);
        if (copy == NULL)
            return no_memory(l, err);
        if (name.len == 0)
            snprintf(copy, 32, "column%zu", i + 1);
        l->fields[i].name = copy;
        l->n_fields = i + 1;
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
static enum ft_status set_role(struct loading *l, const char *name, enum role role,
                               bool is_optional, struct ft_err *err)
{
    if (name == NULL)
        return FT_OK;
    const struct field *found = field_by_name(l, name, strlen(name));
    if (found == NULL && is_optional)
        return FT_OK;
    if (found == NULL)
        return ft_fail(err, FT_INVALID, "%s: no column '%.100s'", l->path, name);
    struct field *f = &l->fields[found - l->fields];
    if (f->role != ROLE_FEATURE && f->role != ROLE_SKIP)
        return ft_fail(err, FT_INVALID, "%s: column '%.100s' has two roles", l->path, name);
    f->role = role;
    return FT_OK;
}

static enum ft_status know_texts(const struct loading *l, struct field *f,
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
    for (size_t i = 0; i < l->n_fields; i++)
        l->fields[i].role = ROLE_SKIP;
    l->n_places = s->n_features;
    for (size_t j = 0; j < s->n_features; j++) {
        const struct table_column *c = &s->features[j];
        const struct field *found = field_by_name(l, c->name, strlen(c->name));
        if (found == NULL)
            return ft_fail(err, FT_INVALID, "%s: no column '%.100s', which the model needs",
                           l->path, c->name);
        struct field *f = &l->fields[found - l->fields];
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
    for (size_t i = 0; i < l->n_fields && st == FT_OK; i++) {
        struct field *f = &l->fields[i];
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
    const bool is_event_implied = q->schema != NULL && q->event == NULL;
    if (st == FT_OK)
        st = set_role(l, is_event_implied ? q->schema->event : q->event, ROLE_EVENT,
                      is_event_implied, err);
    for (size_t i = 0; i < l->n_fields && st == FT_OK && q->schema != NULL; i++)
        if (l->fields[i].role == ROLE_LABEL)
            st = know_texts(l, &l->fields[i], &q->schema->label, err);
    if (st != FT_OK || q->schema != NULL)
        return st;
    for (size_t i = 0; i < l->n_fields; i++)
        if (l->fields[i].role == ROLE_FEATURE)
            l->fields[i].place = l->n_places++;
    return l->n_places > 0
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
    for (size_t i = 0; i < l->n_fields; i++) {
        n_point += tally[i].n_point;
        n_comma += tally[i].n_comma;
    }
    l->decimal = csv_reader_delimiter(l->reader) != ',' && n_comma > n_point ? ',' : '.';
    const struct table_schema *s = l->request->schema;
    for (size_t i = 0; i < l->n_fields; i++) {
        struct field *f = &l->fields[i];
        const size_t n_numbers = l->decimal == ',' ? tally[i].n_comma : tally[i].n_point;
        const bool is_mostly_text = 2 * n_numbers < tally[i].n_values;
        if (f->role == ROLE_GROUP)
            f->is_text = true;
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
    struct tally *tally = calloc(l->n_fields + 1, sizeof(*tally));
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
            count_record(&r, l->n_fields, tally);
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

/* --- rows ------------------------------------------------------------------------------------- */

static bool grow_rows(struct loading *l)
{
    if (l->n_rows < l->cap_rows)
        return true;
    const size_t cap = l->cap_rows < 512 ? 1024 : 2 * l->cap_rows;
    double *x = reallocarray(l->x, cap, l->n_places * sizeof(*x));
    if (x == NULL)
        return false;
    l->x = x;
    double *y = reallocarray(l->y, cap, sizeof(*y));
    if (y == NULL)
        return false;
    l->y = y;
    bool *failed = reallocarray(l->failed, cap, sizeof(*failed));
    if (failed == NULL)
        return false;
    l->failed = failed;
    size_t *group = reallocarray(l->group, cap, sizeof(*group));
    if (group == NULL)
        return false;
    l->group = group;
    l->cap_rows = cap;
    return true;
}

static enum ft_status bad_value(const struct loading *l, size_t i, struct csv_field v,
                                const char *expected, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "%s, line %lld, column '%.80s' (%zu): '%.*s' is not %s",
                   l->path, (long long)csv_reader_line(l->reader), l->fields[i].name, i + 1,
                   (int)(v.len < 60 ? v.len : 60), v.p, expected);
}

/* Code of a text; NaN when it is missing, unknown to the model or one of too many. */
static enum ft_status text_code(struct loading *l, struct field *f, struct csv_field v, double *out,
                                struct ft_err *err)
{
    const bool is_frozen = l->request->schema != NULL && f->role != ROLE_GROUP;
    size_t code = DICTIONARY_NONE;
    *out = NAN;
    if (v.len == 0 || (f->role != ROLE_GROUP && number_is_missing(v.p, v.len)))
        return FT_OK;
    if (is_frozen) {
        code = dictionary_find(f->texts, v.p, v.len);
    } else if (f->role != ROLE_GROUP && dictionary_count(f->texts) >= TABLE_MAX_LEVELS) {
        code = dictionary_find(f->texts, v.p, v.len);
        f->is_overfull |= code == DICTIONARY_NONE;
    } else {
        code = dictionary_add(f->texts, v.p, v.len);
        if (code == DICTIONARY_NONE)
            return no_memory(l, err);
    }
    if (code != DICTIONARY_NONE)
        *out = (double)code;
    return FT_OK;
}

static enum ft_status take_event(struct loading *l, size_t i, struct csv_field v,
                                 struct ft_err *err)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes"};
    double number;
    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
        if (v.len == strlen(words[w]) && strncasecmp(v.p, words[w], v.len) == 0) {
            l->failed[l->n_rows] = w % 2 == 1;
            return FT_OK;
        }
    if (number_parse(v.p, v.len, l->decimal, &number) && (number == 0 || number == 1)) {
        l->failed[l->n_rows] = number == 1;
        return FT_OK;
    }
    return bad_value(l, i, v, "an event flag (0 or 1)", err);
}

static enum ft_status take_field(struct loading *l, size_t i, struct csv_field raw,
                                 struct ft_err *err)
{
    struct field *f = &l->fields[i];
    const struct csv_field v = csv_trim(raw);
    double value = NAN;
    if (f->role == ROLE_EVENT)
        return take_event(l, i, v, err);
    if (f->is_text) {
        const enum ft_status st = text_code(l, f, v, &value, err);
        if (st != FT_OK)
            return st;
    } else if (!number_parse(v.p, v.len, l->decimal, &value)) {
        value = NAN;
        if (!number_is_missing(v.p, v.len))
            return bad_value(l, i, v, "a number (--category takes the column as texts)", err);
    }
    if (f->role == ROLE_FEATURE)
        l->x[l->n_rows * l->n_places + f->place] = value;
    else if (f->role == ROLE_LABEL)
        l->y[l->n_rows] = value;
    else if (isnan(value))
        return bad_value(l, i, v, "a group", err);
    else
        l->group[l->n_rows] = (size_t)value;
    return FT_OK;
}

static enum ft_status take_record(struct loading *l, const struct csv_record *r, bool has_label,
                                  struct ft_err *err)
{
    if (r->n != l->n_fields)
        return ft_fail(err, FT_INVALID, "%s, line %lld: %zu fields, the header has %zu", l->path,
                       (long long)csv_reader_line(l->reader), r->n, l->n_fields);
    if (!grow_rows(l))
        return no_memory(l, err);
    for (size_t i = 0; i < r->n; i++) {
        if (l->fields[i].role == ROLE_SKIP)
            continue;
        const enum ft_status st = take_field(l, i, r->fields[i], err);
        if (st != FT_OK)
            return st;
    }
    if (has_label && l->request->schema == NULL && isnan(l->y[l->n_rows]))
        l->n_unlabelled++; /* the next row takes its place */
    else
        l->n_rows++;
    return FT_OK;
}

static const struct field *field_of_role(const struct loading *l, enum role role)
{
    for (size_t i = 0; i < l->n_fields; i++)
        if (l->fields[i].role == role)
            return &l->fields[i];
    return NULL;
}

static enum ft_status read_rows(struct loading *l, struct ft_err *err)
{
    const bool has_label = field_of_role(l, ROLE_LABEL) != NULL;
    for (;;) {
        struct csv_record *r = NULL;
        enum ft_status st = csv_reader_next(l->reader, &r, err);
        if (st != FT_OK) {
            ft_err_prefix(err, "%s, line %lld", l->path, (long long)csv_reader_line(l->reader));
            return st;
        }
        if (r == NULL)
            break;
        st = take_record(l, r, has_label, err);
        if (st != FT_OK)
            return st;
        if (l->request->is_stopped != NULL && l->n_rows % 4096 == 0 && l->request->is_stopped())
            return ft_fail(err, FT_INTERRUPTED, "stopped while reading %s", l->path);
    }
    if (l->n_rows == 0)
        return ft_fail(err, FT_TOO_FEW, "%s: no rows%s", l->path,
                       l->n_unlabelled > 0 ? " with a label" : "");
    return FT_OK;
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

static bool is_identifier(const struct loading *l, const struct field *f)
{
    return f->is_overfull ||
           (l->n_rows >= MIN_ROWS_FOR_IDENTIFIER && 2 * dictionary_count(f->texts) > l->n_rows);
}

/* Builds the schema of the features that stay; keep[place] is set for those. */
static enum ft_status learn_features(struct loading *l, struct table *out, bool *keep,
                                     struct ft_err *err)
{
    struct table_schema *s = &out->schema;
    s->features = calloc(l->n_places + 1, sizeof(*s->features));
    if (s->features == NULL)
        return no_memory(l, err);
    for (size_t i = 0; i < l->n_fields; i++) {
        struct field *f = &l->fields[i];
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
        if (c->name == NULL ||
            (f->is_text && !rank_levels(f->texts, l->x + f->place, l->n_rows, l->n_places, c)))
            return no_memory(l, err);
    }
    return s->n_features > 0
               ? FT_OK
               : ft_fail(err, FT_INVALID, "%s: no column is left to learn from", l->path);
}

static enum ft_status learn_label(struct loading *l, struct table *out, struct ft_err *err)
{
    struct table_schema *s = &out->schema;
    const struct field *label = field_of_role(l, ROLE_LABEL);
    const struct field *group = field_of_role(l, ROLE_GROUP);
    const struct field *event = field_of_role(l, ROLE_EVENT);
    s->group = group != NULL ? strdup(group->name) : NULL;
    s->event = event != NULL ? strdup(event->name) : NULL;
    s->label.name = label != NULL ? strdup(label->name) : NULL;
    if ((group != NULL && s->group == NULL) || (event != NULL && s->event == NULL) ||
        (label != NULL && s->label.name == NULL) ||
        (label != NULL && label->is_text &&
         !rank_levels(label->texts, l->y, l->n_rows, 1, &s->label)))
        return no_memory(l, err);
    return FT_OK;
}

/* Moves the kept columns together, row by row. */
static void compact(struct loading *l, const bool *keep, size_t n_kept)
{
    if (n_kept == l->n_places)
        return;
    for (size_t i = 0; i < l->n_rows; i++) {
        double *to = l->x + i * n_kept;
        const double *from = l->x + i * l->n_places;
        for (size_t j = 0; j < l->n_places; j++)
            if (keep[j])
                *to++ = from[j];
    }
    l->n_places = n_kept;
}

/* Hands the arrays over, those without a column of theirs are freed. */
static void hand_over(struct loading *l, struct table *out)
{
    const struct field *group = field_of_role(l, ROLE_GROUP);
    double *shrunk = realloc(l->x, l->n_rows * l->n_places * sizeof(*shrunk));
    if (shrunk != NULL)
        l->x = shrunk;
    out->values = l->x;
    l->x = NULL;
    out->x = (struct matrix){out->values, l->n_rows, l->n_places, l->n_places};
    if (field_of_role(l, ROLE_LABEL) != NULL) {
        out->y = l->y;
        l->y = NULL;
    }
    if (field_of_role(l, ROLE_EVENT) != NULL) {
        out->failed = l->failed;
        l->failed = NULL;
    }
    if (group != NULL) {
        out->group = l->group;
        out->n_groups = dictionary_count(group->texts);
        l->group = NULL;
    }
}

static enum ft_status finish(struct loading *l, struct table *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (l->request->schema == NULL) {
        bool *keep = calloc(l->n_places, sizeof(*keep));
        st = keep != NULL ? learn_features(l, out, keep, err) : no_memory(l, err);
        if (st == FT_OK)
            st = learn_label(l, out, err);
        if (st == FT_OK)
            compact(l, keep, out->schema.n_features);
        free(keep);
    }
    if (l->n_unlabelled > 0)
        buf_printf(&out->notes, "%zu rows without a label were left out\n", l->n_unlabelled);
    if (st == FT_OK)
        hand_over(l, out);
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
    if (st == FT_OK)
        st = finish(&l, out, err);
    csv_reader_close(l.reader);
    for (size_t i = 0; i < l.n_fields; i++) {
        free(l.fields[i].name);
        dictionary_free(l.fields[i].texts);
    }
    free(l.fields);
    free(l.x);
    free(l.y);
    free(l.failed);
    free(l.group);
    return st;
}
