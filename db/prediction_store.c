#include "db/prediction_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_store.h"
#include "db/statement.h"

#include <stdlib.h>

/* --- forecasts ------------------------------------------------------------------------------ */

static void read_forecast(struct statement *s, void *row)
{
    struct forecast_row *f = row;
    f->asset_id = column_int(s, 0);
    f->component_id = column_int(s, 1);
    f->as_of_ms = column_int(s, 2);
    f->scored_ms = column_int(s, 3);
    f->model_id = column_int(s, 4);
    f->body = column_text(s, 5);
}

static void clear_forecast(void *row)
{
    free(((struct forecast_row *)row)->body);
}

/* Keeps the forecasts of an earlier day as the previous ones, then makes room. */
static enum ft_status retire_forecasts(struct db *db, int64_t class_id, int64_t midnight_ms,
                                       struct ft_err *err)
{
    static const enum query_id steps[] = {QUERY_forecast_previous_clear,
                                          QUERY_forecast_previous_fill, QUERY_forecast_clear};
    enum ft_status st = FT_OK;
    for (int i = 0; st == FT_OK && i < 3; i++) {
        struct statement s = statement_begin(db, steps[i], err);
        bind_int(&s, ":class_id", class_id);
        if (steps[i] != QUERY_forecast_clear)
            bind_int(&s, ":midnight_ms", midnight_ms);
        st = statement_run(&s);
    }
    return st;
}

static enum ft_status insert_forecast(struct db *db, const struct forecast_row *f,
                                      struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_forecast_insert, err);
    bind_int(&s, ":asset_id", f->asset_id);
    bind_int_or_null(&s, ":component_id", f->component_id, 0);
    bind_int(&s, ":as_of_ms", f->as_of_ms);
    bind_int(&s, ":scored_ms", f->scored_ms);
    bind_int_or_null(&s, ":model_id", f->model_id, 0);
    bind_text(&s, ":body", f->body);
    const enum ft_status st = statement_run(&s);
    if (st == FT_CONFLICT || st == FT_INVALID)
        ft_err_prefix(err, "forecast of asset %lld, component %lld", (long long)f->asset_id,
                      (long long)f->component_id);
    return st;
}

enum ft_status forecast_replace(struct db *db, int64_t class_id, const struct forecast_row *rows,
                                size_t n, int64_t now_ms, struct ft_err *err)
{
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = retire_forecasts(db, class_id, clock_local_midnight(now_ms), err);
    for (size_t i = 0; st == FT_OK && i < n; i++)
        st = insert_forecast(db, &rows[i], err);
    return unit_end(db, st, err);
}

enum ft_status forecast_list(struct db *db, int64_t class_id, int64_t asset_id,
                             struct forecast_row_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_forecast_list, err);
    bind_int(&s, ":class_id", class_id);
    bind_int(&s, ":asset_id", asset_id);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_forecast, clear_forecast, &a);
    *out = (struct forecast_row_list){a.items, a.n};
    return st;
}

enum ft_status forecast_previous_list(struct db *db, struct forecast_row_list *out,
                                      struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_forecast_previous_list, err);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_forecast, clear_forecast, &a);
    *out = (struct forecast_row_list){a.items, a.n};
    return st;
}

void forecast_row_list_free(struct forecast_row_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_forecast);
    *l = (struct forecast_row_list){0};
}

/* --- ledger --------------------------------------------------------------------------------- */

static void read_ledger(struct statement *s, void *row)
{
    struct ledger_row *r = row;
    r->id = column_int(s, 0);
    r->asset_id = column_int(s, 1);
    r->component_id = column_int(s, 2);
    r->model_id = column_int(s, 3);
    r->as_of_ms = column_int(s, 4);
    r->horizon_ms = column_int(s, 5);
    r->p = column_real(s, 6);
    r->outcome = column_text(s, 7);
    r->event_id = column_int(s, 8);
    r->decided_ms = column_int_or(s, 9, DB_NO_TIME);
}

static void clear_ledger(void *row)
{
    free(((struct ledger_row *)row)->outcome);
}

enum ft_status ledger_put(struct db *db, const struct ledger_row *row, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_ledger_put, err);
    bind_int(&s, ":asset_id", row->asset_id);
    bind_int_or_null(&s, ":component_id", row->component_id, 0);
    bind_int_or_null(&s, ":model_id", row->model_id, 0);
    bind_int(&s, ":as_of_ms", row->as_of_ms);
    bind_int(&s, ":horizon_ms", row->horizon_ms);
    bind_real(&s, ":p", row->p);
    return statement_run(&s);
}

enum ft_status ledger_list(struct db *db, int64_t asset_id, size_t limit, struct ledger_list *out,
                           struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_ledger_list, err);
    bind_int(&s, ":first_id", asset_id);
    bind_int(&s, ":last_id", asset_id == 0 ? INT64_MAX : asset_id);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_ledger, clear_ledger, &a);
    *out = (struct ledger_list){a.items, a.n};
    return st;
}

void ledger_list_free(struct ledger_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_ledger);
    *l = (struct ledger_list){0};
}

/* --- outcomes ------------------------------------------------------------------------------- */

struct due_row {
    int64_t id, asset_id, component_id, as_of_ms, horizon_ms, retired_ms;
};

static void read_due(struct statement *s, void *row)
{
    struct due_row *d = row;
    d->id = column_int(s, 0);
    d->asset_id = column_int(s, 1);
    d->component_id = column_int(s, 2);
    d->as_of_ms = column_int(s, 3);
    d->horizon_ms = column_int(s, 4);
    d->retired_ms = column_int_or(s, 5, INT64_MAX);
}

static void clear_due(void *row)
{
    (void)row;
}

/* First event of the query in (as_of, as_of + horizon]; *event_id is 0 when there is none. */
static enum ft_status first_event(struct db *db, enum query_id id, const struct due_row *d,
                                  int64_t *event_id, int64_t *ts_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, id, err);
    *event_id = 0;
    bind_int(&s, ":asset_id", d->asset_id);
    bind_int(&s, ":component_id", d->component_id);
    bind_int(&s, ":after_ms", d->as_of_ms);
    bind_int(&s, ":until_ms", d->as_of_ms + d->horizon_ms);
    if (statement_row(&s)) {
        *event_id = column_int(&s, 0);
        *ts_ms = column_int(&s, 1);
    }
    return statement_end(&s);
}

/* Newest instant that the store knows; INT64_MIN when it is empty. */
static enum ft_status store_end(struct db *db, int64_t *end_ms, struct ft_err *err)
{
    int64_t newest_ms = INT64_MIN;
    enum ft_status st = reading_newest(db, &newest_ms, err);
    if (st != FT_OK && st != FT_NOT_FOUND)
        return st;
    struct statement s = statement_begin(db, QUERY_event_newest, err);
    const int64_t event_ms = statement_row(&s) ? column_int_or(&s, 0, INT64_MIN) : INT64_MIN;
    *end_ms = event_ms > newest_ms ? event_ms : newest_ms;
    return statement_end(&s);
}

/* Until when the asset was watched. */
static enum ft_status data_end(struct db *db, const struct due_row *d, int64_t *end_ms,
                               struct ft_err *err)
{
    enum ft_status st = reading_newest_of_asset(db, d->asset_id, end_ms, err);
    if (st == FT_NOT_FOUND) /* known by its events only */
        st = store_end(db, end_ms, err);
    if (d->retired_ms < *end_ms)
        *end_ms = d->retired_ms;
    return st;
}

static enum ft_status decide(struct db *db, const struct due_row *d, int64_t end_ms, int64_t now_ms,
                             struct ft_err *err)
{
    int64_t failure_id = 0;
    int64_t failure_ms = 0;
    int64_t replacement_id = 0;
    int64_t replacement_ms = 0;
    enum ft_status st =
        first_event(db, QUERY_ledger_first_failure, d, &failure_id, &failure_ms, err);
    if (st == FT_OK)
        st = first_event(db, QUERY_ledger_first_replacement, d, &replacement_id, &replacement_ms,
                         err);
    if (st != FT_OK)
        return st;
    const double missing_ms = (double)(d->as_of_ms + d->horizon_ms) - (double)end_ms;
    const char *outcome = "survived";
    int64_t event_id = 0;
    if (failure_id != 0 && (replacement_id == 0 || failure_ms <= replacement_ms)) {
        outcome = "failed";
        event_id = failure_id;
    } else if (replacement_id != 0) {
        outcome = "censored";
        event_id = replacement_id;
    } else if (missing_ms > LEDGER_SLACK_FRAC * (double)d->horizon_ms) {
        outcome = "censored";
    }
    struct statement s = statement_begin(db, QUERY_ledger_decide, err);
    bind_int(&s, ":id", d->id);
    bind_text(&s, ":outcome", outcome);
    bind_int_or_null(&s, ":event_id", event_id, 0);
    bind_int(&s, ":now_ms", now_ms);
    return statement_run(&s);
}

static enum ft_status settle_rows(struct db *db, const struct due_row *rows, size_t n,
                                  int64_t now_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    int64_t end_ms = 0;
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        if (i == 0 || rows[i].asset_id != rows[i - 1].asset_id) /* rows come by asset */
            st = data_end(db, &rows[i], &end_ms, err);
        if (st == FT_OK)
            st = decide(db, &rows[i], end_ms, now_ms, err);
    }
    return st;
}

enum ft_status ledger_settle(struct db *db, int64_t now_ms, size_t *n_settled, struct ft_err *err)
{
    struct row_array due;
    *n_settled = 0;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_ledger_due, err);
    bind_int(&s, ":now_ms", now_ms);
    st = statement_list(&s, sizeof(struct due_row), read_due, clear_due, &due);
    if (st == FT_OK)
        st = settle_rows(db, due.items, due.n, now_ms, err);
    st = unit_end(db, st, err);
    if (st == FT_OK)
        *n_settled = due.n;
    free(due.items);
    return st;
}
