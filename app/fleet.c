#define _GNU_SOURCE /* qsort_r */
#include "app/fleet.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/fleet_rows.h"
#include "app/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW_MS (30 * MS_PER_DAY)
/* The lead sentence names the fewest assets that hold this share of the money at risk. */
#define LEAD_SHARE 0.6
enum { DEFAULT_LIMIT = 100 };

/* --- filter and order ------------------------------------------------------------------------- */

static bool contains_fold(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; text != NULL && *text != '\0'; text++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return n == 0;
}

static bool in_list(const char *list, const char *word)
{
    const size_t len = strlen(word);
    for (const char *p = list; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static bool is_wanted(const struct fleet_query *q, const struct fleet_row *r)
{
    const struct asset *a = r->asset;
    if (q->class_name != NULL && strcmp(q->class_name, r->class_name) != 0)
        return false;
    if (q->area != NULL && !days_area_within(a->area, q->area))
        return false;
    if (q->state != NULL && !in_list(q->state, fleet_state_name(r->state)))
        return false;
    return q->q == NULL || contains_fold(a->key, q->q) || contains_fold(a->name, q->q) ||
           contains_fold(a->area, q->q) || contains_fold(r->class_name, q->q);
}

enum sort_key { SORT_RISK, SORT_P, SORT_WAITING, SORT_RUL, SORT_STATE, SORT_KEY, SORT_DATA };

struct sort {
    enum sort_key key;
    bool falling;
};

static enum ft_status parse_sort(const char *text, struct sort *out, struct ft_err *err)
{
    static const char *const names[] = {"money_at_risk", "p",   "waiting_per_day", "rul", "state",
                                        "key",           "data"};
    out->key = SORT_RISK;
    out->falling = true;
    if (text == NULL || text[0] == '\0')
        return FT_OK;
    out->falling = text[0] == '-';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text + out->falling) == 0) {
            out->key = (enum sort_key)i;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID,
                   "sort: \"%.40s\" is unknown, expected money_at_risk, p, waiting_per_day, rul, "
                   "state, key or data, with - in front for falling",
                   text);
}

static double sort_value(const struct fleet_row *r, enum sort_key key)
{
    switch (key) {
    case SORT_RISK:
        return r->risk;
    case SORT_P:
        return r->p;
    case SORT_WAITING:
        return r->waiting_per_day;
    case SORT_RUL:
        return r->rul_median_ms;
    case SORT_STATE:
        return -(double)r->state; /* most urgent is greatest */
    case SORT_DATA:
        return r->data_frac;
    default:
        return 0;
    }
}

/* Unknown values come last in both directions; equal ones by key. */
static int compare_rows(const void *x, const void *y, void *context)
{
    const struct fleet_row *a = *(const struct fleet_row *const *)x;
    const struct fleet_row *b = *(const struct fleet_row *const *)y;
    const struct sort *s = context;
    if (s->key != SORT_KEY) {
        const double va = sort_value(a, s->key);
        const double vb = sort_value(b, s->key);
        if (isnan(va) != isnan(vb))
            return isnan(va) ? 1 : -1;
        if (va != vb && !isnan(va))
            return (va < vb) == s->falling ? 1 : -1;
    } else if (s->falling) {
        return strcmp(b->asset->key, a->asset->key);
    }
    return strcmp(a->asset->key, b->asset->key);
}

static enum ft_status parse_cursor(const char *cursor, size_t *offset, struct ft_err *err)
{
    char *end = NULL;
    *offset = 0;
    if (cursor == NULL || cursor[0] == '\0')
        return FT_OK;
    const unsigned long v =
        cursor[0] == 'o' && isdigit((unsigned char)cursor[1]) ? strtoul(cursor + 1, &end, 10) : 0;
    if (end == NULL || *end != '\0' || v > 100000000)
        return ft_fail(err, FT_INVALID, "cursor: expected the next_cursor of an earlier answer");
    *offset = v;
    return FT_OK;
}

/* --- one asset -------------------------------------------------------------------------------- */

static void add_money_number(cJSON *o, const char *key, double minor, const char *currency)
{
    json_add_number(o, key, isnan(minor) ? NAN : money_to_major(llround(minor), currency));
}

static void add_interval(cJSON *o, const char *key, double value, double low, double high)
{
    cJSON *i = json_add_object(o, key);
    json_add_number(i, "value", value);
    json_add_number(i, "low", low);
    json_add_number(i, "high", high);
}

static void add_next(cJSON *o, const struct fleet_row *r)
{
    char date[CLOCK_TEXT_SIZE];
    const struct work_order *w = r->next;
    if (w == NULL) {
        json_add_null(o, "next_work");
        return;
    }
    cJSON *n = json_add_object(o, "next_work");
    const int64_t day_ms = w->scheduled_ms != DB_NO_TIME ? w->scheduled_ms : w->due_ms;
    json_add_string(n, "key", w->key);
    json_add_string(n, "title", w->title);
    json_add_string(n, "status", w->status);
    json_add_string(n, "kind", w->kind);
    if (day_ms != DB_NO_TIME)
        clock_format_local_date(day_ms, date);
    json_add_string(n, "date", day_ms != DB_NO_TIME ? date : NULL);
}

static void add_forecast_fields(const struct snapshot *s, cJSON *o, const struct fleet_row *r)
{
    const char *currency = s->site.currency;
    const struct asset_class *c = catalog_class(&s->catalog, r->asset->class_id);
    const bool has = !isnan(r->risk);
    json_add_string(o, "state", fleet_state_name(r->state));
    json_add_string(o, "state_rule", r->state_rule);
    cJSON *risk = json_add_object(o, "money_at_risk");
    add_money_number(risk, "value", r->risk, currency);
    add_money_number(risk, "low", r->risk_low, currency);
    add_money_number(risk, "high", r->risk_high, currency);
    add_interval(o, "p", r->p, r->p_low, r->p_high);
    cJSON *rul = json_add_object(o, "rul");
    json_add_number(rul, "median_s", r->rul_median_ms / 1000);
    json_add_number(rul, "low_s", r->rul_low_ms / 1000);
    json_add_number(rul, "high_s", r->rul_high_ms / 1000); /* infinity, an open end, is null */
    json_add_number(rul, "coverage", r->rul_coverage);
    json_add_number(rul, "cycle_s",
                    c != NULL && c->cycle_ms > 0 ? (double)c->cycle_ms / 1000 : NAN);
    json_add_string(o, "why", r->why);
    add_money_number(o, "waiting_per_day", has ? r->waiting_per_day : NAN, currency);
    json_add_string(o, "component",
                    r->component_id != 0 ? catalog_component_name(&s->catalog, r->component_id)
                                         : NULL);
    add_next(o, r);
    json_add_number(o, "data_frac", r->data_frac);
    json_add_int(o, "sensors", (int64_t)r->n_sensors);
    json_add_int(o, "sensors_stale", (int64_t)r->n_stale);
}

static void add_row(const struct snapshot *s, cJSON *items, const struct fleet_row *r,
                    bool is_plain)
{
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "key", r->asset->key);
    json_add_string(o, "name", r->asset->name);
    json_add_string(o, "class", r->class_name);
    json_add_string(o, "area", r->asset->area);
    if (!is_plain) {
        add_forecast_fields(s, o, r);
        return;
    }
    if (r->asset->commissioned_ms != DB_NO_TIME)
        json_add_instant(o, "commissioned", r->asset->commissioned_ms);
    else
        json_add_null(o, "commissioned");
    json_add_bool(o, "held_out", r->asset->is_held_out);
}

/* --- sentences -------------------------------------------------------------------------------- */

static int compare_falling(const void *x, const void *y)
{
    const double a = *(const double *)x;
    const double b = *(const double *)y;
    return (a < b) - (a > b);
}

/* The fewest of n sums that hold LEAD_SHARE of their total; share is what they hold. */
static size_t fewest_holders(double *risk, size_t n, double total, double *share)
{
    double sum = 0;
    size_t k = 0;
    qsort(risk, n, sizeof(*risk), compare_falling);
    while (k < n && sum < LEAD_SHARE * total)
        sum += risk[k++];
    *share = total > 0 ? sum / total : 0;
    return k;
}

static int window_days(int64_t window_ms)
{
    return (int)((window_ms + MS_PER_DAY / 2) / MS_PER_DAY);
}

static void add_answer(const struct snapshot *s, cJSON *o, const struct fleet_row *rows, size_t n,
                       int64_t window_ms, int64_t scored_ms, double *scratch)
{
    char lead[200];
    char rest[400];
    char count[WORDS_SIZE];
    char money[WORDS_SIZE];
    double total = 0;
    double share;
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(rows[i].risk)) {
            scratch[m++] = rows[i].risk;
            total += rows[i].risk;
        }
    if (n == 0) {
        snprintf(lead, sizeof(lead), "There are no assets yet.");
        snprintf(rest, sizeof(rest), "Import an asset list or readings, or make the demo plant.");
    } else if (m == 0) {
        snprintf(lead, sizeof(lead), "There are no forecasts yet.");
        snprintf(rest, sizeof(rest), "Import failure history and train.");
    } else if (total < 1) {
        snprintf(lead, sizeof(lead), "No money is at risk in the next %d days.",
                 window_days(window_ms));
        snprintf(rest, sizeof(rest), "%zu of %zu assets have a forecast.", m, n);
    } else {
        const size_t k = fewest_holders(scratch, m, total, &share);
        snprintf(lead, sizeof(lead), "%s %s %.0f %% of the money at risk, %s in all.",
                 words_count(k, count), k == 1 ? "asset holds" : "assets hold", 100 * share,
                 words_money(llround(total), s->site.currency, money));
        snprintf(rest, sizeof(rest),
                 "Ranked by what a failure in the next %d days would cost beyond a planned repair.",
                 window_days(window_ms));
    }
    const size_t len = strlen(rest);
    if (s->site.is_past_data)
        snprintf(rest + len, sizeof(rest) - len, " The data ends on %s; now is taken to be then.",
                 words_date(s->site.now_ms, clock_now_ms(), count));
    else if (scored_ms != 0 && s->site.now_ms - scored_ms > 36 * MS_PER_HOUR)
        snprintf(rest + len, sizeof(rest) - len, " Forecasts are %lld days old.",
                 (long long)((s->site.now_ms - scored_ms + MS_PER_DAY / 2) / MS_PER_DAY));
    cJSON *answer = json_add_object(o, "answer");
    json_add_string(answer, "lead", lead);
    json_add_string(answer, "rest", rest);
}

static void add_scored(const struct snapshot *s, cJSON *o, int64_t *scored_ms)
{
    char by[WORDS_SIZE];
    int64_t as_of_ms = 0;
    size_t n_models = 0;
    *scored_ms = 0;
    for (size_t i = 0; i < s->n_forecasts; i++) {
        const struct snapshot_forecast *f = &s->forecasts[i];
        bool is_new = f->f.model_id != 0;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = s->forecasts[k].f.model_id != f->f.model_id;
        n_models += is_new;
        if (f->scored_ms > *scored_ms)
            *scored_ms = f->scored_ms;
        if (f->f.as_of_ms > as_of_ms)
            as_of_ms = f->f.as_of_ms;
    }
    snprintf(by, sizeof(by), "%zu model%s", n_models, n_models == 1 ? "" : "s");
    if (s->n_forecasts > 0) {
        json_add_instant(o, "as_of", as_of_ms);
        json_add_instant(o, "scored_at", *scored_ms);
    } else {
        json_add_null(o, "as_of");
        json_add_null(o, "scored_at");
    }
    json_add_string(o, "scored_by", by);
}

/* --- the page --------------------------------------------------------------------------------- */

struct page {
    struct snapshot s;
    struct fleet_row *rows;
    const struct fleet_row **shown;
    double *scratch;
    size_t n_rows, n_shown;
};

static void page_free(struct page *p)
{
    free(p->rows);
    free(p->shown);
    free(p->scratch);
    snapshot_free(&p->s);
}

static enum ft_status page_load(struct db *db, int64_t window_ms, struct page *p,
                                struct ft_err *err)
{
    enum ft_status st = snapshot_load(db, 0, &p->s, err);
    if (st == FT_OK)
        st = fleet_rows_build(&p->s, window_ms, &p->rows, &p->n_rows, err);
    if (st != FT_OK)
        return st;
    p->shown = calloc(p->n_rows + 1, sizeof(struct fleet_row *));
    p->scratch = calloc(p->n_rows + 1, sizeof(*p->scratch));
    if (p->shown == NULL || p->scratch == NULL)
        return ft_fail(err, FT_NOMEM, "fleet: no memory for %zu assets", p->n_rows);
    return FT_OK;
}

static enum ft_status check_states(const char *list, struct ft_err *err)
{
    char word[16];
    for (const char *p = list; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, ",");
        bool known = false;
        snprintf(word, sizeof(word), "%.*s", n < sizeof(word) ? (int)n : 0, p);
        for (int i = 0; i < FLEET_STATES; i++)
            known |= strcmp(word, fleet_state_name((enum fleet_state)i)) == 0;
        if (!known)
            return ft_fail(err, FT_INVALID,
                           "state: expected act, soon, watch, normal or no_data, comma-separated");
        p += n + (p[n] == ',');
    }
    return FT_OK;
}

static void build_page(struct page *p, const struct fleet_query *q, int64_t window_ms,
                       size_t offset, cJSON *o)
{
    const char *currency = p->s.site.currency;
    char next[32];
    int64_t scored_ms;
    double tail = 0;
    size_t n_tail = 0;
    const size_t limit = q->limit == 0 ? DEFAULT_LIMIT : q->limit;
    cJSON *head = cJSON_CreateObject();
    add_scored(&p->s, head, &scored_ms);
    add_answer(&p->s, o, p->rows, p->n_rows, window_ms, scored_ms, p->scratch);
    json_add_number(o, "window_s", (double)window_ms / 1000);
    json_add_string(o, "currency", currency);
    while (head != NULL && head->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(head, head->child);
        cJSON_AddItemToObject(o, item->string, item);
    }
    cJSON_Delete(head);
    json_add_null(o, "coverage_note");
    json_add_int(o, "total", (int64_t)p->n_shown);
    cJSON *items = json_add_array(o, "items");
    for (size_t i = 0; i < p->n_shown; i++) {
        const struct fleet_row *r = p->shown[i];
        if (i >= offset && i < offset + limit) {
            add_row(&p->s, items, r, q->is_plain);
        } else {
            n_tail++;
            tail += isnan(r->risk) ? 0 : r->risk;
        }
    }
    cJSON *t = json_add_object(o, "tail");
    json_add_int(t, "count", (int64_t)n_tail);
    json_add_number(t, "money_at_risk", money_to_major(llround(tail), currency));
    snprintf(next, sizeof(next), "o%zu", offset + limit);
    json_add_string(o, "next_cursor", offset + limit < p->n_shown ? next : NULL);
}

enum ft_status fleet_json(struct db *db, const struct fleet_query *q, cJSON **out,
                          struct ft_err *err)
{
    struct page p = {0};
    struct sort sort;
    size_t offset;
    const int64_t window_ms = q->window_ms > 0 ? q->window_ms : DEFAULT_WINDOW_MS;
    *out = NULL;
    if (q->limit > FLEET_MAX_LIMIT)
        return ft_fail(err, FT_INVALID, "limit: expected 1 to %d", FLEET_MAX_LIMIT);
    enum ft_status st = parse_sort(q->sort, &sort, err);
    if (st == FT_OK)
        st = parse_cursor(q->cursor, &offset, err);
    if (st == FT_OK)
        st = check_states(q->state, err);
    if (st == FT_OK)
        st = page_load(db, window_ms, &p, err);
    if (st == FT_OK) {
        for (size_t i = 0; i < p.n_rows; i++)
            if (is_wanted(q, &p.rows[i]))
                p.shown[p.n_shown++] = &p.rows[i];
        qsort_r(p.shown, p.n_shown, sizeof(struct fleet_row *), compare_rows, &sort);
        *out = cJSON_CreateObject();
        if (*out == NULL)
            st = ft_fail(err, FT_NOMEM, "fleet: no memory");
        else
            build_page(&p, q, window_ms, offset, *out);
    }
    page_free(&p);
    return st;
}
