/* Work-order history from a CMMS export, as messy as it comes: words for kind and status are
 * guessed unless a mapping file says them, parts are looked for in the title, and what was guessed
 * is told. With o->makes_events a closed repair becomes a failure and a closed replacement a
 * replacement, so that the lives of parts follow from the history. */
#include "app/ingest/import_records.h"

#include "app/base/buf.h"
#include "app/base/clock.h"
#include "app/base/file.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/ingest/when.h"
#include "app/work_order_json.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 200, WORD_SIZE = 60, MAX_MAPPING = 1 << 20 };

struct word {
    const char *what; /* "kind", "status" */
    char text[WORD_SIZE];
    const char *meaning;
    bool is_guess;
    size_t n;
};

struct orders {
    const struct import_options *o;
    const cJSON *kinds, *statuses; /* of the mapping file; NULL = none */
    struct when when[4];           /* formats of created, started, ended, due */
    struct word words[MAX_WORDS];
    size_t n_words;
    size_t n_parts_guessed, n_kinds_from_title, n_events;
    char currency[4];
};

/* Beginnings of words as they stand in exports, lower case. The first that occurs decides. */
struct guess {
    const char *part, *meaning;
};
static const struct guess kind_guesses[] = {
    {"emerg", "emergency"},    {"breakdown", "emergency"},  {"brk", "emergency"},
    {"urgent", "emergency"},   {"predict", "predictive"},   {"pdm", "predictive"},
    {"cbm", "predictive"},     {"condition", "predictive"}, {"prev", "preventive"},
    {"pm", "preventive"},      {"routine", "preventive"},   {"planned", "preventive"},
    {"inspect", "inspection"}, {"check", "inspection"},     {"round", "inspection"},
    {"corr", "corrective"},    {"cm", "corrective"},        {"repair", "corrective"},
    {"react", "corrective"},   {"fault", "corrective"},     {"unplanned", "corrective"}};
static const struct guess status_guesses[] = {
    {"cancel", "cancelled"},     {"can", "cancelled"},     {"void", "cancelled"},
    {"reject", "rejected"},      {"clos", "closed"},       {"comp", "closed"},
    {"done", "closed"},          {"finish", "closed"},     {"teco", "closed"},
    {"progress", "in_progress"}, {"inprg", "in_progress"}, {"wip", "in_progress"},
    {"start", "in_progress"},    {"hold", "on_hold"},      {"wait", "on_hold"},
    {"wmatl", "on_hold"},        {"sched", "scheduled"},   {"wappr", "draft"},
    {"appr", "approved"},        {"releas", "approved"},   {"plan", "approved"},
    {"open", "draft"},           {"new", "draft"},         {"request", "draft"},
    {"draft", "draft"}};

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

static const char *guess_word(const struct guess *g, size_t n, const char *text)
{
    char word[WORD_SIZE];
    lower(text, word, sizeof(word));
    for (size_t i = 0; i < n; i++)
        if (strstr(word, g[i].part) != NULL)
            return g[i].meaning;
    return NULL;
}

static void note_word(struct orders *x, const char *what, const char *text, const char *meaning,
                      bool is_guess)
{
    for (size_t i = 0; i < x->n_words; i++)
        if (x->words[i].what == what && strncmp(x->words[i].text, text, WORD_SIZE - 1) == 0) {
            x->words[i].n++;
            return;
        }
    if (x->n_words == MAX_WORDS)
        return;
    struct word *w = &x->words[x->n_words++];
    *w = (struct word){.what = what, .meaning = meaning, .is_guess = is_guess, .n = 1};
    snprintf(w->text, sizeof(w->text), "%s", text);
}

/* What a word of the file means: the mapping's, else the guess, else NULL. */
static const char *read_word(struct orders *x, const char *what, const cJSON *mapping,
                             const struct guess *g, size_t n, const char *text)
{
    const cJSON *said = mapping != NULL ? json_get(mapping, text) : NULL;
    const bool is_said = said != NULL && cJSON_IsString(said);
    const char *meaning = is_said ? said->valuestring : guess_word(g, n, text);
    note_word(x, what, text, meaning != NULL ? meaning : "?", !is_said);
    return meaning;
}

static const char *text_of(const cJSON *row, const char *key)
{
    const cJSON *item = json_get(row, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* The part that the row names, or the one whose name stands in the title. */
static enum ft_status find_part(struct db *db, struct orders *x, const cJSON *row,
                                const struct asset *a, int64_t *id, struct ft_err *err)
{
    struct component_list l = {0};
    char wanted[200] = "";
    char title[400] = "";
    const char *name = text_of(row, "component");
    const char *text = text_of(row, "title");
    *id = 0;
    const enum ft_status st = component_list(db, a->class_id, &l, err);
    lower(name != NULL ? name : "", wanted, sizeof(wanted));
    lower(text != NULL ? text : "", title, sizeof(title));
    for (size_t i = 0; i < l.n && *id == 0; i++) {
        char have[200];
        lower(l.items[i].name, have, sizeof(have));
        if (wanted[0] != '\0' ? strcmp(wanted, have) == 0 : strstr(title, have) != NULL) {
            *id = l.items[i].id;
            x->n_parts_guessed += wanted[0] == '\0';
        }
    }
    component_list_free(&l);
    if (st == FT_OK && *id == 0 && name != NULL && !x->o->is_dry_run)
        return component_ensure(db, a->class_id, name, id, err);
    return st;
}

static enum ft_status read_date(struct orders *x, int which, const cJSON *row, const char *key,
                                int64_t *ts_ms, struct ft_err *err)
{
    const char *text = text_of(row, key);
    *ts_ms = DB_NO_TIME;
    if (text == NULL)
        return FT_OK;
    const enum ft_status st = when_parse(&x->when[which], text, strlen(text), ts_ms, err);
    if (st != FT_OK)
        ft_err_prefix(err, "%s", key);
    return st;
}

static enum ft_status read_dates(struct orders *x, const cJSON *row, struct work_order *w,
                                 struct ft_err *err)
{
    int64_t created_ms;
    enum ft_status st = read_date(x, 0, row, "created", &created_ms, err);
    if (st == FT_OK)
        st = read_date(x, 1, row, "started", &w->started_ms, err);
    if (st == FT_OK)
        st = read_date(x, 2, row, "ended", &w->ended_ms, err);
    if (st == FT_OK)
        st = read_date(x, 3, row, "due", &w->due_ms, err);
    if (st != FT_OK)
        return st;
    if (w->started_ms != DB_NO_TIME && w->ended_ms != DB_NO_TIME && w->started_ms > w->ended_ms)
        return ft_fail(err, FT_INVALID, "ended: lies before started");
    const int64_t any = created_ms != DB_NO_TIME      ? created_ms
                        : w->started_ms != DB_NO_TIME ? w->started_ms
                        : w->ended_ms != DB_NO_TIME   ? w->ended_ms
                                                      : w->due_ms;
    if (any == DB_NO_TIME)
        return ft_fail(err, FT_INVALID, "no date: expected created, started, ended or due");
    w->created_ms = any;
    w->updated_ms = w->ended_ms != DB_NO_TIME ? w->ended_ms : any;
    return FT_OK;
}

static enum ft_status set_text(char **to, const char *text, struct ft_err *err)
{
    free(*to);
    *to = text != NULL ? strdup(text) : NULL;
    return text == NULL || *to != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "no memory for a row");
}

static enum ft_status read_words(struct orders *x, const cJSON *row, struct work_order *w,
                                 struct ft_err *err)
{
    const char *title = text_of(row, "title");
    const char *type = text_of(row, "kind");
    const char *state = text_of(row, "status");
    const char *kind = NULL;
    const char *status = NULL;
    if (type != NULL)
        kind = read_word(x, "kind", x->kinds, kind_guesses,
                         sizeof(kind_guesses) / sizeof(kind_guesses[0]), type);
    if (kind == NULL && title != NULL) {
        kind = guess_word(kind_guesses, sizeof(kind_guesses) / sizeof(kind_guesses[0]), title);
        x->n_kinds_from_title++;
    }
    if (kind == NULL)
        kind = "corrective";
    if (state != NULL)
        status = read_word(x, "status", x->statuses, status_guesses,
                           sizeof(status_guesses) / sizeof(status_guesses[0]), state);
    if (status == NULL)
        status = w->ended_ms != DB_NO_TIME ? "closed" : "draft";
    if (!work_order_is_kind(kind) || !work_order_is_status(status))
        return ft_fail(err, FT_INVALID, "the mapping names '%.40s' or '%.40s', which is unknown",
                       kind, status);
    enum ft_status st = set_text(&w->title, title != NULL ? title : kind, err);
    if (st == FT_OK)
        st = set_text(&w->kind, kind, err);
    if (st == FT_OK)
        st = set_text(&w->status, status, err);
    if (st == FT_OK)
        st = set_text(&w->note, text_of(row, "note"), err);
    if (st == FT_OK)
        st = set_text(&w->assignee, text_of(row, "assignee"), err);
    if (st == FT_OK)
        st = set_text(&w->failure_code, text_of(row, "failure_code"), err);
    if (st == FT_OK)
        st = set_text(&w->cause_code, text_of(row, "cause_code"), err);
    return st == FT_OK ? set_text(&w->remedy_code, text_of(row, "remedy_code"), err) : st;
}

static double number_of(const cJSON *row, const char *key)
{
    const cJSON *item = json_get(row, key);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 ? item->valuedouble : NAN;
}

/* A closed repair is a failure, a closed replacement ends a life without one. */
static enum ft_status make_event(struct db *db, struct orders *x, const struct work_order *w,
                                 struct ft_err *err)
{
    char key[240];
    char title[400];
    char no_code[1] = "";
    int64_t id;
    bool is_new;
    const bool is_closed = strcmp(w->status, "closed") == 0;
    const bool failed = strcmp(w->kind, "corrective") == 0 || strcmp(w->kind, "emergency") == 0;
    lower(w->title, title, sizeof(title));
    const bool renewed = strstr(title, "replac") != NULL || strstr(title, "exchang") != NULL ||
                         strstr(title, "overhaul") != NULL;
    if (!is_closed || !(failed || renewed))
        return FT_OK;
    snprintf(key, sizeof(key), "history:%.200s", w->external_key);
    const int64_t at = failed ? w->created_ms : w->updated_ms;
    const struct event e = {.asset_id = w->asset_id,
                            .component_id = w->component_id,
                            .kind = failed ? EVENT_FAILURE : EVENT_REPLACEMENT,
                            .ts_ms = at,
                            .code = w->failure_code != NULL ? w->failure_code : no_code,
                            .downtime_ms = isnan(w->downtime_h)
                                               ? DB_NO_TIME
                                               : (int64_t)(w->downtime_h * (double)MS_PER_HOUR),
                            .cost_minor = w->actual_cost_minor,
                            .source = (char *)(uintptr_t) "work order history",
                            .external_key = key};
    const enum ft_status st = event_put(db, &e, &id, &is_new, err);
    x->n_events += st == FT_OK && is_new;
    return st;
}

static enum ft_status take_order(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                 enum record_outcome *outcome, struct ft_err *err)
{
    struct orders *x = ctx;
    struct asset a = {0};
    struct work_order w;
    struct work_order there = {0};
    char key[240];
    int64_t id;
    const char *number = text_of(row, "number");
    const char *asset_key = text_of(row, "asset");
    if (number == NULL || asset_key == NULL)
        return ft_fail(err, FT_INVALID, "%s: missing", number == NULL ? "number" : "asset");
    snprintf(key, sizeof(key), "ext:%.200s", number);
    if (work_order_find(db, key, &there, NULL) == FT_OK) {
        work_order_clear(&there);
        *outcome = RECORD_UNCHANGED;
        return FT_OK;
    }
    enum ft_status st = asset_find(db, asset_key, &a, err);
    if (st != FT_OK)
        return st;
    work_order_init(&w);
    w.asset_id = a.id;
    st = find_part(db, x, row, &a, &w.component_id, err);
    if (st == FT_OK)
        st = read_dates(x, row, &w, err);
    if (st == FT_OK)
        st = read_words(x, row, &w, err);
    if (st == FT_OK)
        st = set_text(&w.external_key, number, err);
    w.labour_h = number_of(row, "labour_h");
    w.downtime_h = number_of(row, "downtime_h");
    if (!isnan(w.labour_h))
        w.duration_h = w.labour_h;
    if (!isnan(number_of(row, "cost")))
        w.actual_cost_minor = money_from_major(number_of(row, "cost"), x->currency);
    *outcome = RECORD_NEW;
    if (st == FT_OK && !is_dry_run)
        st = work_order_insert(db, &w, &id, err);
    if (st == FT_OK && !is_dry_run && x->o->makes_events)
        st = make_event(db, x, &w, err);
    work_order_clear(&w);
    asset_clear(&a);
    return st;
}

/* What was guessed, to the user and into the mapping of the answer. */
static void report(const struct orders *x, struct import_summary *out)
{
    if (out->mapping == NULL)
        return;
    cJSON *list = json_add_array(out->mapping, "guesses");
    for (size_t i = 0; i < x->n_words; i++) {
        const struct word *w = &x->words[i];
        import_say(x->o, "%s: %s '%s' read as %s, %zu row%s%s", out->file, w->what, w->text,
                   w->meaning, w->n, w->n == 1 ? "" : "s", w->is_guess ? " (guessed)" : "");
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "what", w->what);
        json_add_string(o, "word", w->text);
        json_add_string(o, "meaning", w->meaning);
        json_add_bool(o, "guessed", w->is_guess);
        json_add_int(o, "rows", (int64_t)w->n);
    }
    json_add_int(out->mapping, "kinds_from_title", (int64_t)x->n_kinds_from_title);
    json_add_int(out->mapping, "parts_from_title", (int64_t)x->n_parts_guessed);
    json_add_int(out->mapping, "events", (int64_t)x->n_events);
    if (x->n_kinds_from_title + x->n_parts_guessed > 0)
        import_say(x->o, "%s: kind taken from the title in %zu rows, part in %zu (guessed)",
                   out->file, x->n_kinds_from_title, x->n_parts_guessed);
    if (x->n_events > 0)
        import_say(x->o, "%s: %zu events made for the lives of parts", out->file, x->n_events);
}

static enum ft_status read_mapping(const char *path, cJSON **out, struct ft_err *err)
{
    static const char *const known[] = {"columns", "kinds", "statuses", NULL};
    struct buf text;
    *out = NULL;
    if (path == NULL)
        return FT_OK;
    buf_init(&text, MAX_MAPPING);
    enum ft_status st = file_read(path, &text, err);
    if (st == FT_OK)
        st = json_parse(text.len > 0 ? text.data : "", text.len, out, err);
    if (st == FT_OK)
        st = json_only_keys(*out, known, err);
    buf_free(&text);
    if (st != FT_OK)
        ft_err_prefix(err, "%s", path);
    return st;
}

enum ft_status import_orders(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {
        {"number|wonum|work_order|work_order_id|order|id|wo|aufnr", "number", RECORD_TEXT},
        {"asset|assetnum|machine|machine_id|equipment|equipment_id|tag|equnr", "asset",
         RECORD_TEXT},
        {"title|description|short_text|summary|task", "title", RECORD_TEXT},
        {"kind|type|work_type|worktype|order_type|category", "kind", RECORD_TEXT},
        {"status|state", "status", RECORD_TEXT},
        {"created|reported|report_date|reportdate|created_at|date|open_date", "created",
         RECORD_TEXT},
        {"started|start|actual_start|actstart", "started", RECORD_TEXT},
        {"ended|finished|completed|actual_finish|actfinish|close_date|end", "ended", RECORD_TEXT},
        {"due|target|due_date|targcompdate", "due", RECORD_TEXT},
        {"component|part|comp|object_part", "component", RECORD_TEXT},
        {"labour_h|labor_h|hours|actual_hours|actlabhrs", "labour_h", RECORD_NUMBER},
        {"downtime_h|downtime|down_hours", "downtime_h", RECORD_NUMBER},
        {"cost|total_cost|actual_cost", "cost", RECORD_NUMBER},
        {"failure_code|problem_code|problem|damage_code", "failure_code", RECORD_TEXT},
        {"cause_code|cause", "cause_code", RECORD_TEXT},
        {"remedy_code|remedy|action", "remedy_code", RECORD_TEXT},
        {"assignee|technician|lead|owner", "assignee", RECORD_TEXT},
        {"note|long_text|comment|remarks|long_description", "note", RECORD_TEXT}};
    cJSON *mapping = NULL;
    struct orders *x = calloc(1, sizeof(*x));
    if (x == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory", file);
    x->o = o;
    snprintf(x->currency, sizeof(x->currency), "EUR");
    if (db != NULL)
        db_setting_get(db, "currency", "EUR", x->currency, sizeof(x->currency));
    enum ft_status st = read_mapping(o->mapping, &mapping, err);
    if (st == FT_OK) {
        x->kinds = json_get(mapping, "kinds");
        x->statuses = json_get(mapping, "statuses");
        const struct record_kind kind = {
            "work orders", columns, sizeof(columns) / sizeof(columns[0]),
            take_order,    x,       json_get(mapping, "columns")};
        st = import_records(db, file, o, &kind, out, err);
        report(x, out);
    }
    cJSON_Delete(mapping);
    free(x);
    return st;
}

/* --- codes ------------------------------------------------------------------------------------ */

static enum ft_status take_code(struct db *db, void *ctx, const cJSON *row, bool is_dry_run,
                                enum record_outcome *outcome, struct ft_err *err)
{
    struct code_list l = {0};
    const char *kind = NULL;
    const char *code = NULL;
    const char *name = NULL;
    enum ft_status st = json_string(row, "kind", true, &kind, err);
    if (st == FT_OK)
        st = json_string(row, "code", true, &code, err);
    if (st == FT_OK)
        st = json_string(row, "name", true, &name, err);
    if (st == FT_OK && strcmp(kind, "failure") != 0 && strcmp(kind, "cause") != 0 &&
        strcmp(kind, "remedy") != 0)
        st = ft_fail(err, FT_INVALID, "/kind: expected failure, cause or remedy");
    if (st == FT_OK)
        st = code_list(db, kind, &l, err);
    *outcome = RECORD_NEW;
    for (size_t i = 0; i < l.n && st == FT_OK; i++)
        if (strcmp(l.items[i].code, code) == 0)
            *outcome = strcmp(l.items[i].name, name) == 0 ? RECORD_UNCHANGED : RECORD_CHANGED;
    const struct code c = {(char *)(uintptr_t)kind, (char *)(uintptr_t)code,
                           (char *)(uintptr_t)name};
    if (st == FT_OK && !is_dry_run && *outcome != RECORD_UNCHANGED)
        st = code_put(db, &c, err);
    code_list_free(&l);
    return st;
}

enum ft_status import_codes(struct db *db, const char *file, const struct import_options *o,
                            struct import_summary *out, struct ft_err *err)
{
    static const struct record_column columns[] = {{"kind|type", "kind", RECORD_TEXT},
                                                   {"code|id", "code", RECORD_TEXT},
                                                   {"name|text|description", "name", RECORD_TEXT}};
    static const struct record_kind kind = {
        "codes", columns, sizeof(columns) / sizeof(columns[0]), take_code, NULL, NULL};
    return import_records(db, file, o, &kind, out, err);
}
