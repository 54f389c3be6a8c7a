#include "web/api/bulk.h"

#include "app/base/json.h"
#include "app/base/utf8.h"
#include "app/ingest/csv.h"
#include "app/ingest/ingest.h"
#include "db/import_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUARANTINE_MAX 1000 /* rows of one call; the answer names every refused item anyway */
enum { CSV_COLUMNS = 32 };

struct bulk_answer {
    enum ft_status status; /* FT_OK, else why it was not taken */
    bool is_new;
    int64_t id;       /* 0 = none to show */
    char reason[160]; /* when status is not FT_OK */
    char *raw;        /* text of a refused item for the quarantine; owned, may be NULL */
};

struct bulk {
    const struct bulk_ops *ops;
    const void *ctx;
    struct bulk_answer *answers; /* [n], in the order of the body */
    size_t n, cap;
    char *items;   /* [n_good] of ops->item_size */
    size_t *index; /* [n_good]: place in answers */
    size_t n_good, good_cap;
    struct ingest_result *results; /* [n_good] */
};

static enum ft_status add_answer(struct bulk *b, struct ft_err *err)
{
    if (b->n == BULK_MAX_ITEMS)
        return ft_fail(err, FT_INVALID, "/items: more than %d items in one call", BULK_MAX_ITEMS);
    if (b->n == b->cap) {
        const size_t cap = b->cap == 0 ? 256 : b->cap * 2;
        struct bulk_answer *more = realloc(b->answers, cap * sizeof(*more));
        if (more == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu items", cap);
        b->answers = more;
        b->cap = cap;
    }
    memset(&b->answers[b->n++], 0, sizeof(b->answers[0]));
    return FT_OK;
}

static enum ft_status grow_items(struct bulk *b, struct ft_err *err)
{
    if (b->n_good < b->good_cap)
        return FT_OK;
    const size_t cap = b->good_cap == 0 ? 256 : b->good_cap * 2;
    char *items = realloc(b->items, cap * b->ops->item_size);
    if (items != NULL)
        b->items = items;
    size_t *index = realloc(b->index, cap * sizeof(*index));
    if (index != NULL)
        b->index = index;
    if (items == NULL || index == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu items", cap);
    b->good_cap = cap;
    return FT_OK;
}

static void *item_at(const struct bulk *b, size_t i)
{
    return b->items + i * b->ops->item_size;
}

static void refuse(struct bulk_answer *a, const struct ft_err *why, const char *raw, size_t raw_len)
{
    a->status = why->code;
    snprintf(a->reason, sizeof(a->reason), "%.159s", why->msg);
    utf8_clean(a->reason); /* it may quote what was sent, and be cut inside a character */
    a->raw = strndup(raw, raw_len < 4000 ? raw_len : 4000);
}

static enum ft_status take(struct bulk *b, const cJSON *item, struct ft_err *err)
{
    enum ft_status st = grow_items(b, err);
    if (st != FT_OK)
        return st;
    memset(item_at(b, b->n_good), 0, b->ops->item_size);
    st = b->ops->take(b->ctx, item, item_at(b, b->n_good), err);
    if (st != FT_OK) {
        b->ops->clear(item_at(b, b->n_good));
        return st;
    }
    b->index[b->n_good++] = b->n - 1;
    return FT_OK;
}

/* One item; item NULL: it could not be read, for the reason why. */
static enum ft_status give(struct bulk *b, const cJSON *item, const struct ft_err *why,
                           const char *raw, size_t raw_len, struct ft_err *err)
{
    const enum ft_status st = add_answer(b, err);
    if (st != FT_OK)
        return st;
    struct bulk_answer *a = &b->answers[b->n - 1];
    struct ft_err item_err = {FT_INVALID, "an item must be an object"};
    if (item == NULL && why != NULL) {
        refuse(a, why, raw, raw_len);
    } else if (!cJSON_IsObject(item) || take(b, item, &item_err) != FT_OK) {
        if (item_err.code == FT_NOMEM)
            return ft_fail(err, FT_NOMEM, "%s", item_err.msg);
        char *text = raw == NULL ? json_print(item, false) : NULL;
        const char *shown = raw != NULL ? raw : text != NULL ? text : "";
        refuse(a, &item_err, shown, raw != NULL ? raw_len : strlen(shown));
        free(text);
    }
    return FT_OK;
}

static enum ft_status read_json(struct api_call *c, struct bulk *b, struct ft_err *err)
{
    enum ft_status st = json_parse(c->body, c->body_len, &c->json, err);
    if (st != FT_OK)
        return st;
    const cJSON *items = c->json;
    if (cJSON_IsObject(items)) {
        static const char *const known[] = {"items", NULL};
        st = json_only_keys(items, known, err);
        if (st == FT_OK)
            st = json_array(c->json, "items", true, &items, err);
    } else if (!cJSON_IsArray(items)) {
        st = ft_fail(err, FT_INVALID, "expected a JSON array or {\"items\":[...]}");
    }
    const cJSON *item = NULL;
    if (st == FT_OK) {
        cJSON_ArrayForEach (item, items) {
            if (st == FT_OK)
                st = give(b, item, NULL, NULL, 0, err);
        }
    }
    return st;
}

static enum ft_status read_ndjson(const struct api_call *c, struct bulk *b, struct ft_err *err)
{
    const char *p = c->body, *end = p + c->body_len;
    enum ft_status st = FT_OK;
    while (p < end && st == FT_OK) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const size_t len = (size_t)((eol != NULL ? eol : end) - p);
        size_t used = len;
        while (used > 0 && strchr(" \t\r", p[used - 1]) != NULL)
            used--;
        if (used > 0) {
            cJSON *item = NULL;
            struct ft_err why;
            json_parse(p, used, &item, &why);
            st = give(b, item, &why, p, used, err);
            cJSON_Delete(item);
        }
        p += len + 1;
    }
    return st;
}

static bool is_in(const char *const words[], const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* Adds one field of a CSV row; an empty one is absent. */
static void add_field(cJSON *item, const char *name, struct csv_field f,
                      const char *const numbers[])
{
    char text[4096], *end = NULL;
    f = csv_trim(f);
    if (f.len == 0)
        return;
    snprintf(text, sizeof(text), "%.*s", (int)(f.len < sizeof(text) ? f.len : sizeof(text) - 1),
             f.p);
    const double v = strtod(text, &end);
    if (is_in(numbers, name) && *end == '\0' && isfinite(v))
        json_add_number(item, name, v);
    else
        json_add_string(item, name, text);
}

struct csv_header {
    size_t n;
    char names[CSV_COLUMNS][64];
};

static enum ft_status read_header(const struct csv_record *rec, struct csv_header *h,
                                  struct ft_err *err)
{
    if (rec->n == 0 || rec->n > CSV_COLUMNS)
        return ft_fail(err, FT_INVALID, "CSV: expected a first line with 1 to %d column names",
                       CSV_COLUMNS);
    for (h->n = 0; h->n < rec->n; h->n++) {
        const struct csv_field f = csv_trim(rec->fields[h->n]);
        snprintf(h->names[h->n], sizeof(h->names[0]), "%.*s", (int)(f.len < 63 ? f.len : 63), f.p);
        for (size_t k = 0; k < h->n; k++)
            if (strcmp(h->names[k], h->names[h->n]) == 0)
                return ft_fail(err, FT_INVALID, "CSV: column %s occurs twice", h->names[k]);
    }
    return FT_OK;
}

static enum ft_status read_csv(const struct api_call *c, struct bulk *b, struct ft_err *err)
{
    const char *p = c->body, *end = p + c->body_len;
    const char *eol = memchr(p, '\n', c->body_len);
    const char delimiter = csv_guess_delimiter(p, (size_t)((eol != NULL ? eol : end) - p));
    struct csv_header *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the CSV header");
    struct csv_record rec;
    csv_record_init(&rec);
    enum ft_status st = FT_OK;
    while (p < end && st == FT_OK) {
        size_t used = 0;
        struct ft_err why;
        const enum ft_status split = csv_split(p, end, true, delimiter, &rec, &used, &why);
        if (split == FT_NOMEM || used == 0) {
            st = ft_fail(err, split == FT_NOMEM ? FT_NOMEM : FT_INVALID, "CSV: cannot be read");
        } else if (split != FT_OK) {
            st = give(b, NULL, &why, p, used, err);
        } else if (!rec.is_blank && h->n == 0) {
            st = read_header(&rec, h, err);
        } else if (!rec.is_blank) {
            cJSON *item = cJSON_CreateObject();
            for (size_t i = 0; i < rec.n && i < h->n; i++)
                add_field(item, h->names[i], rec.fields[i], b->ops->numbers);
            ft_fail(&why, FT_INVALID, "expected %zu fields, found %zu", h->n, rec.n);
            st = give(b, rec.n == h->n ? item : NULL, &why, p, used, err);
            cJSON_Delete(item);
        }
        p += used;
    }
    csv_record_free(&rec);
    free(h);
    return st;
}

static enum ft_status read_body(struct api_call *c, struct bulk *b, struct ft_err *err)
{
    const char *type = http_header(c->rq, "Content-Type");
    if (type == NULL || strncmp(type, "application/json", 16) == 0)
        return read_json(c, b, err);
    if (strncmp(type, "application/x-ndjson", 20) == 0 ||
        strncmp(type, "application/ndjson", 18) == 0 || strncmp(type, "application/jsonl", 17) == 0)
        return read_ndjson(c, b, err);
    if (strncmp(type, "text/csv", 8) == 0)
        return read_csv(c, b, err);
    return api_fail(c, 415, "media-type", err, FT_INVALID,
                    "Content-Type: expected application/json, application/x-ndjson or text/csv");
}

static enum ft_status quarantine(struct api_call *c, const struct bulk *b, struct ft_err *err)
{
    size_t n = 0;
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < b->n && n < QUARANTINE_MAX && st == FT_OK; i++) {
        struct bulk_answer *a = &b->answers[i];
        if (a->status == FT_OK)
            continue;
        const struct quarantine_row row = {.file = (char *)(uintptr_t)c->route->key.pattern,
                                           .line = (int64_t)i + 1,
                                           .reason = a->reason,
                                           .raw = a->raw != NULL ? a->raw : (char[]){""},
                                           .created_ms = c->now_ms};
        st = quarantine_put(c->db, &row, err);
        n++;
    }
    return st;
}

static enum ft_status reply(struct api_call *c, const struct bulk *b, struct ft_err *err)
{
    int64_t n_new = 0, n_bad = 0;
    cJSON *body = cJSON_CreateObject();
    json_add_int(body, "received", (int64_t)b->n);
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < b->n; i++) {
        const struct bulk_answer *a = &b->answers[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_int(o, "index", (int64_t)i);
        json_add_string(o, "status",
                        a->status != FT_OK ? "rejected"
                        : a->is_new        ? "created"
                                           : "unchanged");
        if (a->id != 0)
            json_add_int(o, "id", a->id);
        if (a->status != FT_OK)
            json_add_string(o, "detail", a->reason);
        n_new += a->status == FT_OK && a->is_new;
        n_bad += a->status != FT_OK;
    }
    json_add_int(body, "created", n_new);
    json_add_int(body, "unchanged", (int64_t)b->n - n_new - n_bad);
    json_add_int(body, "rejected", n_bad);
    if (body == NULL || !cJSON_AddItemToObject(body, "items", items))
        cJSON_Delete(items);
    const enum ft_status st = reply_json(c->reply, n_bad > 0 ? 207 : 200, body, err);
    cJSON_Delete(body);
    return st;
}

/* The answers of the items that were good so far. */
static void merge(struct bulk *b)
{
    for (size_t i = 0; i < b->n_good; i++) {
        const struct ingest_result *r = &b->results[i];
        struct bulk_answer *a = &b->answers[b->index[i]];
        a->status = r->status;
        a->is_new = r->is_new;
        a->id = b->ops->has_id && r->status == FT_OK ? r->id : 0;
        snprintf(a->reason, sizeof(a->reason), "%s", r->reason);
        utf8_clean(a->reason);
        if (a->status != FT_OK && a->raw == NULL)
            a->raw = b->ops->text(item_at(b, i));
    }
}

static enum ft_status write_items(struct api_call *c, void *state, struct ft_err *err)
{
    struct bulk *b = state;
    const struct ingest_policy policy = {.class_name = api_text(c, "class"),
                                         .source = c->actor,
                                         .limits = &c->api->limits,
                                         .now_ms = c->now_ms,
                                         .arrivals = c->api->arrivals};
    enum ft_status st = FT_OK;
    if (b->n_good > 0)
        st = b->ops->ingest(c->db, &policy, b->items, b->n_good, b->results, err);
    if (st != FT_OK && st != FT_PARTIAL)
        return st;
    merge(b);
    st = quarantine(c, b, err);
    return st == FT_OK ? reply(c, b, err) : st;
}

static void bulk_free(struct bulk *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->answers[i].raw);
    for (size_t i = 0; i < b->n_good; i++)
        b->ops->clear(item_at(b, i));
    free(b->answers);
    free(b->items);
    free(b->index);
    free(b->results);
}

enum ft_status bulk_post(struct api_call *c, const struct bulk_ops *ops, const void *ctx,
                         int64_t *n_taken, int64_t *n_new, struct ft_err *err)
{
    struct bulk b = {.ops = ops, .ctx = ctx};
    enum ft_status st = read_body(c, &b, err);
    if (st == FT_OK) {
        b.results = calloc(b.n_good + 1, sizeof(*b.results));
        if (b.results == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu items", b.n_good);
    }
    if (st == FT_OK)
        st = api_group(c, b.n, write_items, &b, err);
    /* A kept answer leaves the results as they are: nothing new was taken. */
    for (size_t i = 0; i < b.n_good && st == FT_OK && !c->reply->is_replayed; i++) {
        *n_taken += b.results[i].status == FT_OK;
        *n_new += b.results[i].status == FT_OK && b.results[i].is_new;
    }
    bulk_free(&b);
    return st;
}
