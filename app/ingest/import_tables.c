/* Imports of assets and events: row by row in one transaction, for these files are small beside
 * readings. */
#include "app/ingest/import.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/ingest/columns.h"
#include "app/ingest/csv.h"
#include "app/ingest/ingest.h"
#include "app/ingest/names.h"
#include "app/ingest/number.h"
#include "app/ingest/quarantine.h"
#include "app/ingest/when.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/import_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_PER_COMMIT = 20000, RAW_TEXT = 4000 };

/* One run of a table import. */
struct table {
    struct db *db; /* NULL: a dry run without a database */
    const struct import_options *o;
    struct import_summary *s;
    struct csv_reader *reader;
    struct columns columns;
    int column_of[COLUMN_ROLE_COUNT];
    struct when *when;
    int64_t import_id;
    struct names assets;
    char *text[COLUMN_ROLE_COUNT]; /* owned: the fields of the row as NUL-terminated texts */
    size_t text_cap[COLUMN_ROLE_COUNT];
    char currency[8];
};

static void table_close(struct table *t)
{
    for (size_t i = 0; i < COLUMN_ROLE_COUNT; i++)
        free(t->text[i]);
    names_free(&t->assets);
    columns_free(&t->columns);
    csv_reader_close(t->reader);
    free(t->when);
}

/* Text of a role's field in this row, trimmed; "" when the file has no such column. NULL: no
 * memory. A NUL byte ends the text early, which the name check of the caller cannot see, so it is
 * replaced. */
static const char *field(struct table *t, const struct csv_record *rec, enum column_role role)
{
    const int column = t->column_of[role];
    if (column == COLUMN_NONE)
        return "";
    const struct csv_field f = csv_text(rec->fields[column]);
    if (f.len + 1 > t->text_cap[role]) {
        char *grown = realloc(t->text[role], f.len + 64);
        if (grown == NULL)
            return NULL;
        t->text[role] = grown;
        t->text_cap[role] = f.len + 64;
    }
    for (size_t i = 0; i < f.len; i++)
        t->text[role][i] = f.p[i] != '\0' ? f.p[i] : '\x01';
    t->text[role][f.len] = '\0';
    return t->text[role];
}

/* Opens the file and reads its header. */
static enum ft_status table_open(struct table *t, const char *file, struct ft_err *err)
{
    struct csv_record *header = NULL;
    names_init(&t->assets);
    for (size_t i = 0; i < COLUMN_ROLE_COUNT; i++)
        t->column_of[i] = COLUMN_NONE;
    t->when = calloc(1, sizeof(*t->when));
    if (t->when == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to read %s", file);
    t->when->cycle_ms = t->o->cycle_ms;
    enum ft_status st = csv_reader_open(file, t->o->delimiter, t->o->is_stopped, &t->reader, err);
    if (st == FT_OK)
        st = csv_reader_next(t->reader, &header, err);
    if (st == FT_OK && header == NULL)
        st = ft_fail(err, FT_INVALID, "%s: line 1: expected a header, the file has none", file);
    if (st == FT_OK)
        st = columns_from_header(header, file, &t->columns, err);
    return st;
}

/* Picks one role's column and marks it as taken. */
static enum ft_status pick(struct table *t, enum column_role role, const char *wanted, bool *taken,
                           struct ft_err *err)
{
    const enum ft_status st =
        columns_pick(&t->columns, role, wanted, t->s->file, taken, &t->column_of[role], err);
    if (st == FT_OK && t->column_of[role] != COLUMN_NONE)
        taken[t->column_of[role]] = true;
    return st;
}

static void say_role(char *line, size_t size, const struct table *t, enum column_role role,
                     const char *word)
{
    const size_t at = strlen(line);
    if (t->column_of[role] != COLUMN_NONE)
        snprintf(line + at, size - at, "%s%s from %s", at > 0 ? ", " : "", word,
                 t->columns.names[t->column_of[role]]);
}

/* {"asset":"machineID",...} and the line for the user. */
static void show_mapping(struct table *t, const enum column_role *roles, const char *const *words,
                         size_t n, const char *more)
{
    char line[800] = "";
    t->s->mapping = cJSON_CreateObject();
    for (size_t i = 0; i < n; i++) {
        say_role(line, sizeof(line), t, roles[i], words[i]);
        if (t->column_of[roles[i]] != COLUMN_NONE)
            json_add_string(t->s->mapping, words[i], t->columns.names[t->column_of[roles[i]]]);
    }
    import_say(t->o, "%s: reading %s%s", t->s->file, line, more);
}

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "no memory for a row");
}

/* Sends the last row to quarantine. */
static enum ft_status refuse_row(struct table *t, int column, const char *reason,
                                 struct ft_err *err)
{
    char raw[RAW_TEXT + 1];
    const struct csv_field f = csv_reader_raw(t->reader);
    snprintf(raw, sizeof(raw), "%.*s", (int)(f.len < RAW_TEXT ? f.len : RAW_TEXT), f.p);
    return quarantine_add(t->db, t->o, t->import_id, t->s, csv_reader_line(t->reader),
                          column != COLUMN_NONE ? t->columns.names[column] : NULL, reason, raw,
                          err);
}

static bool is_row_fault(enum ft_status st)
{
    return st == FT_INVALID || st == FT_CONFLICT || st == FT_NOT_FOUND;
}

/* Reads rows until the end, until n rows are done, or until one of them fails for good. take
 * answers FT_INVALID or FT_CONFLICT for a row that it cannot take. */
static enum ft_status read_rows(struct table *t, size_t n,
                                enum ft_status (*take)(struct table *t,
                                                       const struct csv_record *rec, int *column,
                                                       struct ft_err *why),
                                bool *is_end, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct csv_record *rec = NULL;
        struct ft_err why = {0};
        int column = COLUMN_NONE;
        st = csv_reader_next(t->reader, &rec, &why);
        *is_end = st == FT_OK && rec == NULL;
        if (*is_end)
            return FT_OK;
        if (st == FT_OK && rec->n != t->columns.n &&
            !(rec->n == t->columns.n + 1 && rec->fields[rec->n - 1].len == 0))
            st = ft_fail(&why, FT_INVALID, "the row has %zu fields, the header has %zu", rec->n,
                         t->columns.n);
        if (st == FT_OK)
            st = take(t, rec, &column, &why);
        t->s->n_rows++;
        if (is_row_fault(st))
            st = refuse_row(t, column, why.msg, err);
        else if (st != FT_OK)
            ft_fail(err, st, "%s", why.msg);
        if (st == FT_OK && t->o->is_stopped != NULL && t->o->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
    return st;
}

/* All rows, some thousand to a transaction; a stop keeps the finished ones. */
static enum ft_status read_table(struct table *t,
                                 enum ft_status (*take)(struct table *t,
                                                        const struct csv_record *rec, int *column,
                                                        struct ft_err *why),
                                 struct ft_err *err)
{
    const struct input *in = csv_reader_input(t->reader);
    const bool is_dry_run = t->o->is_dry_run;
    bool is_end = false;
    enum ft_status st = FT_OK;
    if (!is_dry_run)
        st = import_start(t->db, t->s->file, t->s->kind, &t->import_id, err);
    while (st == FT_OK && !is_end) {
        if (!is_dry_run)
            st = db_begin(t->db, err);
        if (st != FT_OK)
            return st;
        st = read_rows(t, ROWS_PER_COMMIT, take, &is_end, err);
        if (is_dry_run)
            continue;
        if (st == FT_OK) {
            const struct import_row row = {.id = t->import_id,
                                           .file = (char *)t->s->file,
                                           .kind = (char *)t->s->kind,
                                           .ended_ms = is_end ? clock_now_ms() : DB_NO_TIME,
                                           .n_rows = t->s->n_rows,
                                           .n_new = t->s->n_new + t->s->n_changed,
                                           .n_unchanged = t->s->n_unchanged,
                                           .n_bad = t->s->n_bad};
            st = import_finish(t->db, &row, err);
        }
        if (st == FT_OK)
            st = db_commit(t->db, err);
        if (st != FT_OK)
            db_rollback(t->db);
        if (t->o->progress != NULL)
            t->o->progress(t->o->ctx, input_position(in), input_size(in));
    }
    t->s->n_assets = (int64_t)t->assets.n;
    return st;
}

static const char *class_of(const struct import_options *o)
{
    return o->class_name != NULL ? o->class_name : IMPORT_DEFAULT_CLASS;
}

/* --- assets --- */

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Value of a money column in minor units, or FT_INVALID. */
static enum ft_status read_money(const struct table *t, const char *text, int64_t *minor,
                                 struct ft_err *err)
{
    double v;
    const char decimal =
        csv_reader_delimiter(t->reader) == ';' && strchr(text, '.') == NULL ? ',' : '.';
    if (!number_parse(text, strlen(text), decimal, &v) || v < 0)
        return ft_fail(err, FT_INVALID,
                       "'%.40s' is not an amount of money: expected a number from 0 up", text);
    *minor = money_from_major(v, t->currency);
    return FT_OK;
}

/* What a row says about an asset; NULL and DB_NO_... where the cell is empty. */
struct asset_row {
    const char *key, *class_name, *name, *area;
    int64_t commissioned_ms, retired_ms, cost_minor, true_rul_ms;
    int held_out; /* 0, 1, or -1 = not said */
};

/* An instant in an optional cell. */
static enum ft_status read_instant(struct table *t, const struct csv_record *rec,
                                   enum column_role role, int64_t *ts_ms, int *column,
                                   struct ft_err *why)
{
    const char *text = field(t, rec, role);
    if (text == NULL)
        return no_memory(why);
    if (number_is_missing(text, strlen(text)))
        return FT_OK;
    *column = t->column_of[role];
    return when_parse(t->when, text, strlen(text), ts_ms, why);
}

/* The columns that only fettle export writes: which engines are held out, and what is left of them.
 */
static enum ft_status read_held_out(struct table *t, const struct csv_record *rec,
                                    struct asset_row *out, int *column, struct ft_err *why)
{
    const char *held = field(t, rec, COLUMN_HELD_OUT);
    const char *rul = field(t, rec, COLUMN_TRUE_RUL_MS);
    double v;
    if (held == NULL || rul == NULL)
        return no_memory(why);
    if (held[0] != '\0') {
        *column = t->column_of[COLUMN_HELD_OUT];
        if (strcmp(held, "0") != 0 && strcmp(held, "1") != 0)
            return ft_fail(why, FT_INVALID, "'%.20s': expected 0 or 1", held);
        out->held_out = held[0] == '1';
    }
    if (rul[0] != '\0') {
        *column = t->column_of[COLUMN_TRUE_RUL_MS];
        if (!number_parse(rul, strlen(rul), '.', &v) || v != floor(v) || v < 0 || v > 0x1p53)
            return ft_fail(why, FT_INVALID, "'%.40s': expected milliseconds from 0 up", rul);
        out->true_rul_ms = (int64_t)v;
    }
    return FT_OK;
}

static enum ft_status parse_asset(struct table *t, const struct csv_record *rec,
                                  struct asset_row *out, int *column, struct ft_err *why)
{
    const char *cost = field(t, rec, COLUMN_COST_PER_H);
    *out = (struct asset_row){.key = field(t, rec, COLUMN_ASSET),
                              .class_name = field(t, rec, COLUMN_CLASS),
                              .name = field(t, rec, COLUMN_NAME),
                              .area = field(t, rec, COLUMN_AREA),
                              .commissioned_ms = DB_NO_TIME,
                              .retired_ms = DB_NO_TIME,
                              .cost_minor = DB_NO_MONEY,
                              .true_rul_ms = DB_NO_TIME,
                              .held_out = -1};
    if (cost == NULL || out->key == NULL || out->class_name == NULL || out->name == NULL ||
        out->area == NULL)
        return no_memory(why);
    if (out->class_name[0] == '\0')
        out->class_name = NULL;
    *column = t->column_of[COLUMN_ASSET];
    enum ft_status st = ingest_check_name("asset", out->key, strlen(out->key), why);
    if (st == FT_OK && out->class_name != NULL) {
        *column = t->column_of[COLUMN_CLASS];
        st = ingest_check_name("class", out->class_name, strlen(out->class_name), why);
    }
    if (st == FT_OK)
        st = read_instant(t, rec, COLUMN_COMMISSIONED, &out->commissioned_ms, column, why);
    if (st == FT_OK)
        st = read_instant(t, rec, COLUMN_RETIRED, &out->retired_ms, column, why);
    if (st == FT_OK)
        st = read_held_out(t, rec, out, column, why);
    if (st == FT_OK && !number_is_missing(cost, strlen(cost))) {
        *column = t->column_of[COLUMN_COST_PER_H];
        st = read_money(t, cost, &out->cost_minor, why);
    }
    return st;
}

/* Writes the further columns as attributes; *is_changed when one differs. */
static enum ft_status put_attributes(struct table *t, const struct csv_record *rec,
                                     int64_t asset_id, bool *is_changed, struct ft_err *err)
{
    struct attribute_list old = {0};
    char value[1024];
    enum ft_status st = FT_OK;
    if (asset_id != 0)
        st = asset_attribute_list(t->db, asset_id, &old, err);
    for (size_t i = 0; i < t->columns.n && st == FT_OK; i++) {
        const char *name = t->columns.names[i];
        const struct csv_field f = csv_text(rec->fields[i]);
        bool is_taken = name[0] == '\0' || f.len == 0;
        for (size_t r = 0; r < COLUMN_ROLE_COUNT; r++)
            is_taken |= t->column_of[r] == (int)i;
        if (is_taken)
            continue;
        if (f.len >= sizeof(value) || ingest_check_name(name, f.p, f.len, NULL) != FT_OK) {
            st = ft_fail(err, FT_INVALID, "column %.60s: expected text of at most %d characters",
                         name, INGEST_NAME_MAX);
            break;
        }
        memcpy(value, f.p, f.len);
        value[f.len] = '\0';
        const char *have = NULL;
        for (size_t k = 0; k < old.n; k++)
            if (strcmp(old.items[k].name, name) == 0)
                have = old.items[k].value;
        if (is_same_text(have, value))
            continue;
        *is_changed = true;
        if (!t->o->is_dry_run)
            st = asset_attribute_set(t->db, asset_id, name, value, err);
    }
    attribute_list_free(&old);
    return st;
}

/* Puts the row's cells over the stored asset; an empty cell changes nothing. */
static enum ft_status put_asset(struct table *t, const struct asset_row *row, struct asset *a,
                                bool *is_changed, struct ft_err *err)
{
    struct asset changed = *a;
    struct ft_err ignored;
    int64_t class_id = 0;
    enum ft_status st = FT_OK;
    if (row->name[0] != '\0')
        changed.name = (char *)row->name;
    if (row->area[0] != '\0')
        changed.area = (char *)row->area;
    if (row->commissioned_ms != DB_NO_TIME)
        changed.commissioned_ms = row->commissioned_ms;
    if (row->retired_ms != DB_NO_TIME)
        changed.retired_ms = row->retired_ms;
    if (row->true_rul_ms != DB_NO_TIME)
        changed.true_rul_ms = row->true_rul_ms;
    if (row->held_out >= 0)
        changed.is_held_out = row->held_out == 1;
    if (row->cost_minor != DB_NO_MONEY)
        changed.downtime_minor_per_h = row->cost_minor;
    const char *class_name = row->class_name != NULL ? row->class_name : t->o->class_name;
    if (class_name != NULL) {
        struct asset_class found = {0};
        st = class_find(t->db, class_name, &found, &ignored);
        class_id = st == FT_OK ? found.id : 0;
        asset_class_clear(&found);
        if (st == FT_NOT_FOUND)
            st = t->o->is_dry_run ? FT_OK : class_ensure(t->db, class_name, &class_id, err);
        if (st != FT_OK)
            return st;
        changed.class_id = class_id;
    }
    *is_changed |=
        !is_same_text(changed.name, a->name) || !is_same_text(changed.area, a->area) ||
        changed.commissioned_ms != a->commissioned_ms || changed.retired_ms != a->retired_ms ||
        changed.is_held_out != a->is_held_out || changed.true_rul_ms != a->true_rul_ms ||
        changed.downtime_minor_per_h != a->downtime_minor_per_h || changed.class_id != a->class_id;
    /* With the class go the components that the asset's events and work orders name. */
    if (changed.class_id != a->class_id && !t->o->is_dry_run)
        st = asset_move(t->db, a->id, changed.class_id, err);
    if (st == FT_OK && *is_changed && !t->o->is_dry_run)
        st = asset_update(t->db, &changed, err);
    return st;
}

static enum ft_status take_asset(struct table *t, const struct csv_record *rec, int *column,
                                 struct ft_err *why)
{
    struct asset_row row;
    struct asset a = {0};
    uint32_t number = 0;
    bool is_changed = false;
    const size_t n_before = t->assets.n;
    enum ft_status st = parse_asset(t, rec, &row, column, why);
    if (st != FT_OK)
        return st;
    *column = COLUMN_NONE;
    if (!names_intern(&t->assets, row.key, strlen(row.key), &number))
        return no_memory(why);
    st = t->db != NULL ? asset_find(t->db, row.key, &a, why) : FT_NOT_FOUND;
    const bool is_new = st == FT_NOT_FOUND && t->assets.n > n_before;
    if (st == FT_NOT_FOUND && !t->o->is_dry_run) {
        int64_t id = 0;
        const char *class_name = row.class_name != NULL ? row.class_name : class_of(t->o);
        st = asset_ensure(t->db, row.key, class_name, &id, why);
        if (st == FT_OK)
            st = asset_get(t->db, id, &a, why);
    }
    if (st == FT_OK)
        st = put_asset(t, &row, &a, &is_changed, why);
    else if (st == FT_NOT_FOUND)
        st = FT_OK; /* dry run */
    if (st == FT_OK && a.id != 0)
        st = put_attributes(t, rec, a.id, &is_changed, why);
    asset_clear(&a);
    if (st == FT_OK) {
        t->s->n_new += is_new;
        t->s->n_assets_new += is_new;
        t->s->n_changed += !is_new && is_changed;
        t->s->n_unchanged += !is_new && !is_changed;
    }
    return st;
}

enum ft_status import_assets(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err)
{
    static const enum column_role roles[] = {
        COLUMN_ASSET,   COLUMN_CLASS,      COLUMN_NAME,     COLUMN_AREA,       COLUMN_COMMISSIONED,
        COLUMN_RETIRED, COLUMN_COST_PER_H, COLUMN_HELD_OUT, COLUMN_TRUE_RUL_MS};
    static const char *const words[] = {
        "asset",    "class",      "name", "area", "commissioned", "retired", "downtime_cost_per_h",
        "held_out", "true_rul_ms"};
    enum { N_ROLES = sizeof(roles) / sizeof(roles[0]) };
    const double start_s = clock_mono_s();
    struct table t = {.db = db, .o = o, .s = out, .currency = "EUR"};
    char list[200];
    *out = (struct import_summary){.file = file,
                                   .kind = "assets",
                                   .first_ms = DB_NO_TIME,
                                   .last_ms = DB_NO_TIME,
                                   .is_dry_run = o->is_dry_run};
    if (db != NULL)
        db_setting_get(db, "currency", "EUR", t.currency, sizeof(t.currency));
    enum ft_status st = table_open(&t, file, err);
    bool *taken = calloc(t.columns.n + 1, sizeof(*taken));
    if (st == FT_OK && taken == NULL)
        st = no_memory(err);
    for (size_t i = 0; i < N_ROLES && st == FT_OK; i++)
        st = pick(&t, roles[i], roles[i] == COLUMN_ASSET ? o->asset_col : NULL, taken, err);
    if (st == FT_OK && t.column_of[COLUMN_ASSET] == COLUMN_NONE)
        st = ft_fail(err, FT_INVALID,
                     "%s: line 1: no asset column among: %s. Expected a name such as asset or "
                     "machine_id; --asset-col names another",
                     file, columns_list(&t.columns, list, sizeof(list)));
    if (st == FT_OK) {
        size_t n_attributes = 0;
        char more[80] = "";
        for (size_t i = 0; i < t.columns.n; i++)
            n_attributes += !taken[i];
        if (n_attributes > 0)
            snprintf(more, sizeof(more), ", %zu attribute%s", n_attributes,
                     n_attributes == 1 ? "" : "s");
        show_mapping(&t, roles, words, N_ROLES, more);
        st = read_table(&t, take_asset, err);
    }
    free(taken);
    table_close(&t);
    out->seconds = clock_mono_s() - start_s;
    return st == FT_OK ? import_outcome(out, err) : st;
}

/* --- events --- */

static enum ft_status parse_event(struct table *t, const struct csv_record *rec,
                                  struct ingest_event *e, int *column, struct ft_err *why)
{
    const char *time = field(t, rec, COLUMN_TIME);
    const char *down = field(t, rec, COLUMN_DOWNTIME_H);
    const char *cost = field(t, rec, COLUMN_COST);
    enum event_kind kind;
    *e = (struct ingest_event){.asset = t->column_of[COLUMN_ASSET] != COLUMN_NONE
                                            ? field(t, rec, COLUMN_ASSET)
                                            : t->o->asset,
                               .kind = t->o->kind != NULL ? t->o->kind : field(t, rec, COLUMN_KIND),
                               .component = field(t, rec, COLUMN_COMPONENT),
                               .code = field(t, rec, COLUMN_CODE),
                               .note = field(t, rec, COLUMN_NOTE),
                               .external_key = field(t, rec, COLUMN_EXTERNAL_KEY),
                               .part = field(t, rec, COLUMN_PART),
                               .downtime_h = NAN,
                               .cost_minor = DB_NO_MONEY};
    if (time == NULL || down == NULL || cost == NULL || e->kind == NULL || e->asset == NULL ||
        e->component == NULL || e->code == NULL || e->note == NULL || e->external_key == NULL ||
        e->part == NULL)
        return no_memory(why);
    *column = t->column_of[COLUMN_TIME];
    enum ft_status st = when_parse(t->when, time, strlen(time), &e->ts_ms, why);
    if (st != FT_OK)
        return st;
    *column = t->column_of[COLUMN_ASSET];
    st = ingest_check_name("asset", e->asset, strlen(e->asset), why);
    *column = st == FT_OK ? t->column_of[COLUMN_DOWNTIME_H] : *column;
    if (st == FT_OK && !number_is_missing(down, strlen(down)) &&
        !number_parse(down, strlen(down),
                      csv_reader_delimiter(t->reader) == ';' && strchr(down, '.') == NULL ? ','
                                                                                          : '.',
                      &e->downtime_h))
        st = ft_fail(why, FT_INVALID, "'%.40s' is not a number of hours", down);
    if (st == FT_OK && !number_is_missing(cost, strlen(cost))) {
        *column = t->column_of[COLUMN_COST];
        st = read_money(t, cost, &e->cost_minor, why);
    }
    if (st == FT_OK) {
        *column = t->column_of[COLUMN_KIND];
        st = event_kind_parse(e->kind, &kind, why);
    }
    return st;
}

/* Dry run: is the event there? Asset, component and kind are looked up, nothing is made. */
static enum ft_status find_event(struct table *t, const struct ingest_event *e,
                                 struct ingest_result *r, struct ft_err *err)
{
    struct asset a = {0};
    struct event_list events = {0};
    struct component_list components = {0};
    enum event_kind kind;
    r->is_new = true;
    enum ft_status st = event_kind_parse(e->kind, &kind, err);
    if (st == FT_OK)
        st = t->db != NULL ? asset_find(t->db, e->asset, &a, err) : FT_NOT_FOUND;
    if (st != FT_OK)
        return st == FT_NOT_FOUND ? FT_OK : st;
    const struct event_filter filter = {
        .asset_id = a.id, .from_ms = e->ts_ms, .to_ms = e->ts_ms + 1, .kinds = 1u << kind};
    st = event_list(t->db, &filter, &events, err);
    if (st == FT_OK)
        st = component_list(t->db, a.class_id, &components, err);
    for (size_t i = 0; i < events.n && st == FT_OK; i++) {
        const char *component = "";
        for (size_t k = 0; k < components.n; k++)
            if (components.items[k].id == events.items[i].component_id)
                component = components.items[k].name;
        if (strcmp(component, e->component) == 0 && strcmp(events.items[i].code, e->code) == 0)
            r->is_new = false;
    }
    asset_clear(&a);
    event_list_free(&events);
    component_list_free(&components);
    return st;
}

static enum ft_status take_event(struct table *t, const struct csv_record *rec, int *column,
                                 struct ft_err *why)
{
    struct ingest_event e;
    struct ingest_result r = {0};
    uint32_t number = 0;
    const struct ingest_policy policy = {.class_name = class_of(t->o), .source = t->s->file};
    enum ft_status st = parse_event(t, rec, &e, column, why);
    if (st != FT_OK)
        return st;
    *column = COLUMN_NONE;
    const size_t n_before = t->assets.n;
    if (!names_intern(&t->assets, e.asset, strlen(e.asset), &number))
        return no_memory(why);
    if (t->assets.n > n_before) {
        struct asset a = {0};
        st = t->db != NULL ? asset_find(t->db, e.asset, &a, why) : FT_NOT_FOUND;
        t->s->n_assets_new += st == FT_NOT_FOUND;
        asset_clear(&a);
        if (st != FT_OK && st != FT_NOT_FOUND)
            return st;
    }
    st = t->o->is_dry_run ? find_event(t, &e, &r, why)
                          : ingest_events(t->db, &policy, &e, 1, &r, why);
    if (st == FT_PARTIAL)
        return ft_fail(why, r.status, "%s", r.reason);
    if (st != FT_OK)
        return st;
    t->s->n_new += r.is_new;
    t->s->n_unchanged += !r.is_new;
    if (t->s->first_ms == DB_NO_TIME || e.ts_ms < t->s->first_ms)
        t->s->first_ms = e.ts_ms;
    if (t->s->last_ms == DB_NO_TIME || e.ts_ms > t->s->last_ms)
        t->s->last_ms = e.ts_ms;
    return FT_OK;
}

/* Columns of an event file. In a file of failures the column "failure" names the component; in one
 * of alarms there is a code and no component unless one is named. */
static enum ft_status pick_event_columns(struct table *t, bool *taken, struct ft_err *err)
{
    const struct import_options *o = t->o;
    const struct {
        enum column_role role;
        const char *wanted;
    } roles[] = {{COLUMN_ASSET, o->asset_col},
                 {COLUMN_TIME, o->time_col},
                 {COLUMN_COMPONENT, o->component_col},
                 {COLUMN_CODE, o->code_col},
                 {COLUMN_NOTE, NULL},
                 {COLUMN_EXTERNAL_KEY, NULL},
                 {COLUMN_PART, NULL},
                 {COLUMN_DOWNTIME_H, NULL},
                 {COLUMN_COST, NULL}};
    const bool is_failure = o->kind != NULL && strcmp(o->kind, "failure") == 0;
    char list[200];
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]) && st == FT_OK; i++) {
        if (roles[i].role == COLUMN_ASSET && o->asset != NULL && o->asset_col == NULL)
            continue;
        st = pick(t, roles[i].role, roles[i].wanted, taken, err);
        if (st == FT_OK && roles[i].role == COLUMN_TIME && roles[i].wanted == NULL &&
            o->cycle_ms > 0 && t->column_of[COLUMN_TIME] == COLUMN_NONE) {
            st = pick(t, COLUMN_CYCLE, NULL, taken, err);
            t->column_of[COLUMN_TIME] = t->column_of[COLUMN_CYCLE];
        }
        if (st == FT_OK && roles[i].role == COLUMN_COMPONENT &&
            t->column_of[COLUMN_COMPONENT] == COLUMN_NONE && is_failure) {
            const int failure = columns_find(&t->columns, "failure");
            if (failure != COLUMN_NONE && !taken[failure]) {
                t->column_of[COLUMN_COMPONENT] = failure;
                taken[failure] = true;
            }
        }
    }
    if (st == FT_OK && o->kind == NULL)
        st = pick(t, COLUMN_KIND, NULL, taken, err);
    if (st != FT_OK)
        return st;
    columns_list(&t->columns, list, sizeof(list));
    if (o->kind == NULL && t->column_of[COLUMN_KIND] == COLUMN_NONE)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no column kind among: %s. --kind says what the events are: "
                       "failure, replacement, repair, inspection or alarm",
                       t->s->file, list);
    if (t->column_of[COLUMN_TIME] == COLUMN_NONE)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no time column among: %s. Expected a name such as time or "
                       "datetime; --time-col names another",
                       t->s->file, list);
    if (t->column_of[COLUMN_ASSET] == COLUMN_NONE && o->asset == NULL)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: no asset column among: %s. Expected a name such as asset or "
                       "machine_id; --asset-col names another, --asset NAME says that all rows "
                       "belong to one asset",
                       t->s->file, list);
    return FT_OK;
}

enum ft_status import_events(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err)
{
    static const enum column_role roles[] = {COLUMN_ASSET,      COLUMN_TIME, COLUMN_COMPONENT,
                                             COLUMN_CODE,       COLUMN_NOTE, COLUMN_EXTERNAL_KEY,
                                             COLUMN_DOWNTIME_H, COLUMN_PART};
    static const char *const words[] = {"asset", "time",         "component",  "code",
                                        "note",  "external_key", "downtime_h", "part_serial"};
    enum { N_ROLES = sizeof(roles) / sizeof(roles[0]) };
    const double start_s = clock_mono_s();
    struct table t = {.db = db, .o = o, .s = out, .currency = "EUR"};
    if (db != NULL)
        db_setting_get(db, "currency", "EUR", t.currency, sizeof(t.currency));
    *out = (struct import_summary){.file = file,
                                   .kind = "events",
                                   .first_ms = DB_NO_TIME,
                                   .last_ms = DB_NO_TIME,
                                   .is_dry_run = o->is_dry_run};
    enum ft_status st = table_open(&t, file, err);
    bool *taken = calloc(t.columns.n + 1, sizeof(*taken));
    if (st == FT_OK && taken == NULL)
        st = no_memory(err);
    if (st == FT_OK)
        st = pick_event_columns(&t, taken, err);
    if (st == FT_OK) {
        show_mapping(&t, roles, words, N_ROLES, "");
        st = read_table(&t, take_event, err);
    }
    free(taken);
    table_close(&t);
    out->seconds = clock_mono_s() - start_s;
    return st == FT_OK ? import_outcome(out, err) : st;
}
