#include "db/codebook_store.h"

#include "db/connection.h"
#include "db/segment.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Fewer sensors or values than that do not pay for a codebook of a few hundred bytes. */
enum { MIN_SENSORS = 8, MIN_VALUES = 1024, MAX_VALUES = 1 << 19 };

struct codebook_shelf {
    struct codebook **books; /* [n], each owned */
    size_t n, cap;
};

void codebook_shelf_free(struct codebook_shelf *s)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        free(s->books[i]);
    if (s != NULL)
        free(s->books);
    free(s);
}

void codebook_forget(struct db *db)
{
    codebook_shelf_free(db->codebooks);
    db->codebooks = NULL;
}

static enum ft_status shelve(struct db *db, struct codebook *b, struct ft_err *err)
{
    if (db->codebooks == NULL)
        db->codebooks = calloc(1, sizeof(*db->codebooks));
    struct codebook_shelf *s = db->codebooks;
    if (s != NULL && s->n == s->cap) {
        const size_t cap = s->cap + 32;
        struct codebook **books = reallocarray(s->books, cap, sizeof(struct codebook *));
        if (books != NULL) {
            s->books = books;
            s->cap = cap;
        }
    }
    if (s == NULL || s->n == s->cap) {
        free(b);
        return ft_fail(err, FT_NOMEM, "no memory for a codebook");
    }
    s->books[s->n++] = b;
    return FT_OK;
}

/* Reads the row that the statement stands on. */
static enum ft_status read_book(struct statement *s, struct codebook **out, struct ft_err *err)
{
    const unsigned char *p = sqlite3_column_blob(s->stmt, 2); /* read only, not kept */
    const size_t len = p != NULL ? (size_t)sqlite3_column_bytes(s->stmt, 2) : 0;
    const int64_t id = column_int(s, 0);
    *out = NULL;
    if ((uint32_t)column_int(s, 1) != (uint32_t)crc32(0, p, (unsigned)len))
        return ft_fail(err, FT_INVALID, "codebook %lld: the checksum does not fit", (long long)id);
    const enum ft_status st = codebook_load(p, len, out, err);
    if (st == FT_OK)
        (*out)->id = id;
    return st;
}

static const struct codebook *find_book(const struct db *db, int64_t id)
{
    for (size_t i = 0; db->codebooks != NULL && i < db->codebooks->n; i++)
        if (db->codebooks->books[i]->id == id)
            return db->codebooks->books[i];
    return NULL;
}

enum ft_status codebook_get(struct db *db, int64_t id, const struct codebook **out,
                            struct ft_err *err)
{
    struct codebook *b = NULL;
    *out = find_book(db, id);
    if (*out != NULL)
        return FT_OK;
    struct statement s = statement_begin(db, QUERY_codebook_get, err);
    bind_int(&s, ":id", id);
    if (statement_row(&s))
        statement_fail(&s, read_book(&s, &b, err));
    enum ft_status st = statement_end(&s);
    if (st == FT_OK && b == NULL)
        return ft_fail(err, FT_INVALID, "codebook %lld is missing", (long long)id);
    if (st == FT_OK)
        st = shelve(db, b, err);
    *out = st == FT_OK ? b : NULL;
    return st;
}

/* Class and name of a sensor, and the id of their codebook (0 = none). */
struct group {
    int64_t class_id;
    char *name; /* owned */
    int64_t book_id;
};

static enum ft_status find_group(struct db *db, int64_t sensor_id, struct group *out,
                                 struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_codebook_group, err);
    *out = (struct group){0};
    bind_int(&s, ":sensor_id", sensor_id);
    if (statement_row(&s)) {
        out->class_id = column_int(&s, 0);
        out->book_id = column_int_or(&s, 2, 0);
        out->name = column_text(&s, 1);
    }
    const enum ft_status st = statement_end(&s);
    if (st != FT_OK)
        free(out->name);
    return st;
}

enum ft_status codebook_of_sensor(struct db *db, int64_t sensor_id, const struct codebook **out,
                                  struct ft_err *err)
{
    struct group g;
    *out = NULL;
    enum ft_status st = find_group(db, sensor_id, &g, err);
    if (st == FT_OK && g.book_id != 0)
        st = codebook_get(db, g.book_id, out, err);
    if (st == FT_OK)
        free(g.name);
    return st;
}

/* --- learning ------------------------------------------------------------------------------- */

/* A sample and what it belongs to. */
struct member {
    struct group group;
    const struct codebook_sample *sample;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->group.class_id != y->group.class_id)
        return x->group.class_id < y->group.class_id ? -1 : 1;
    const int by_name = strcmp(x->group.name, y->group.name);
    if (by_name != 0)
        return by_name;
    return (x->sample->sensor_id > y->sample->sensor_id) -
           (x->sample->sensor_id < y->sample->sensor_id);
}

static enum ft_status store_book(struct db *db, const struct group *g, const struct codebook *b,
                                 struct ft_err *err)
{
    unsigned char *payload = NULL;
    size_t len = 0;
    enum ft_status st = codebook_save(b, &payload, &len, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_codebook_insert, err);
    bind_int(&s, ":class_id", g->class_id);
    bind_text(&s, ":sensor_name", g->name);
    bind_int(&s, ":crc", (int64_t)crc32(0, payload, (unsigned)len));
    bind_blob(&s, ":payload", payload, len);
    st = statement_run(&s);
    free(payload);
    return st;
}

/* Learns from n members of one group. */
static enum ft_status learn_group(struct db *db, const struct member *m, size_t n,
                                  struct ft_err *err)
{
    size_t n_values = 0;
    int digits = 0;
    for (size_t i = 0; i < n; i++) {
        n_values += m[i].sample->n;
        const int d = segment_digits(m[i].sample->value, m[i].sample->n);
        digits = d < 0 || digits < 0 ? -1 : d > digits ? d : digits;
    }
    if (m->group.book_id != 0 || n < MIN_SENSORS || n_values < MIN_VALUES || digits < 0)
        return FT_OK;
    n_values = n_values < MAX_VALUES ? n_values : MAX_VALUES;
    struct codebook *b = NULL;
    int64_t *numbers = calloc(n_values, sizeof(*numbers));
    if (numbers == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to learn from %zu values", n_values);
    size_t k = 0;
    for (size_t i = 0; i < n && k < n_values; i++)
        k += segment_scale(m[i].sample->value,
                           m[i].sample->n < n_values - k ? m[i].sample->n : n_values - k, digits,
                           numbers + k);
    enum ft_status st = codebook_build(numbers, k, (unsigned)digits, &b, err);
    if (st == FT_OK)
        st = store_book(db, &m->group, b, err);
    free(b);
    free(numbers);
    return st == FT_TOO_FEW ? FT_OK : st;
}

enum ft_status codebook_learn(struct db *db, const struct codebook_sample *samples, size_t n,
                              struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t n_members = 0;
    if (n < MIN_SENSORS)
        return FT_OK;
    struct member *m = calloc(n, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to learn from %zu sensors", n);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        st = find_group(db, samples[i].sensor_id, &m[n_members].group, err);
        m[n_members].sample = &samples[i];
        n_members += st == FT_OK && m[n_members].group.name != NULL;
    }
    qsort(m, n_members, sizeof(*m), compare_members);
    for (size_t begin = 0; begin < n_members && st == FT_OK;) {
        size_t end = begin + 1;
        while (end < n_members && m[end].group.class_id == m[begin].group.class_id &&
               strcmp(m[end].group.name, m[begin].group.name) == 0)
            end++;
        st = learn_group(db, m + begin, end - begin, err);
        begin = end;
    }
    for (size_t i = 0; i < n_members; i++)
        free(m[i].group.name);
    free(m);
    return st;
}
