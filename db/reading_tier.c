#include "db/reading_tier.h"

#include "db/connection.h"
#include "db/reading_block.h"
#include "db/reading_store.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)
/* Instants beyond are no plant's; rounding them must not overflow. */
#define FAR_MS (INT64_MAX / 4)

enum {
    DENSE = 4,          /* readings an hour from which hours are kept beside the readings */
    PIECE_HOURS = 2048, /* hours computed in one go */
    PIECE_BLOCKS = 8    /* blocks thinned in one go */
};

/* Row of table reading_tier. */
struct state {
    int64_t upto_ms;   /* hours before it are computed */
    int64_t frozen_ms; /* hours before it stay as they are */
};

struct work {
    struct db *db;
    int64_t sensor_id;
    struct state state;
    struct reading_tier_counts counts;
    struct ft_err *err;
};

static int64_t floor_to(int64_t ms, int64_t step)
{
    const int64_t rest = ms % step;
    return ms - (rest < 0 ? rest + step : rest);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- state ---------------------------------------------------------------------------------- */

static enum ft_status load_state(struct work *w)
{
    w->state = (struct state){-FAR_MS, -FAR_MS};
    struct statement s = statement_begin(w->db, QUERY_tier_get, w->err);
    bind_int(&s, ":sensor_id", w->sensor_id);
    if (statement_row(&s))
        w->state = (struct state){column_int(&s, 0), column_int(&s, 1)};
    return statement_end(&s);
}

static enum ft_status save_state(struct work *w)
{
    struct statement s = statement_begin(w->db, QUERY_tier_set, w->err);
    bind_int(&s, ":sensor_id", w->sensor_id);
    bind_int(&s, ":hours_upto_ms", w->state.upto_ms);
    bind_int(&s, ":frozen_ms", w->state.frozen_ms);
    return statement_run(&s);
}

enum ft_status reading_tier_touch(struct db *db, int64_t sensor_id, int64_t from_ms,
                                  struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_tier_touch, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":from_ms", floor_to(later(from_ms, -FAR_MS), HOUR_MS));
    return statement_run(&s);
}

enum ft_status reading_tier_deleted(struct db *db, int64_t sensor_id, int64_t from_ms,
                                    int64_t to_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_hours_delete, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":from_ms", floor_to(later(from_ms, -FAR_MS), HOUR_MS));
    bind_int(&s, ":to_ms", to_ms);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK ? reading_tier_touch(db, sensor_id, from_ms, err) : st;
}

enum ft_status reading_tier_next(struct db *db, int64_t after_id, int64_t *sensor_id,
                                 struct ft_err *err)
{
    bool is_found = false;
    struct statement s = statement_begin(db, QUERY_tier_next_sensor, err);
    bind_int(&s, ":after_id", after_id);
    if (statement_row(&s)) {
        *sensor_id = column_int(&s, 0);
        is_found = true;
    }
    const enum ft_status st = statement_end(&s);
    return st == FT_OK && !is_found ? FT_NOT_FOUND : st;
}

enum ft_status reading_tier_forget(struct db *db, struct ft_err *err)
{
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    struct statement hours = statement_begin(db, QUERY_hours_forget, err);
    st = statement_run(&hours);
    if (st == FT_OK) {
        struct statement state = statement_begin(db, QUERY_tier_forget, err);
        st = statement_run(&state);
    }
    return unit_end(db, st, err);
}

/* --- hours ---------------------------------------------------------------------------------- */

static enum ft_status insert_hours(struct work *w, const struct reading_bucket *hours, size_t n)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        if (hours[i].n == 0)
            continue;
        struct statement s = statement_begin(w->db, QUERY_hours_insert, w->err);
        bind_int(&s, ":sensor_id", w->sensor_id);
        bind_int(&s, ":start_ms", hours[i].start_ms);
        bind_int(&s, ":n", hours[i].n);
        bind_real(&s, ":min", hours[i].min);
        bind_real(&s, ":max", hours[i].max);
        bind_real(&s, ":mean", hours[i].mean);
        bind_real(&s, ":last", hours[i].last);
        st = statement_run(&s);
        w->counts.n_hours++;
    }
    return st;
}

/* Computes the hours of [from_ms, to_ms), both whole hours. */
static enum ft_status compute_hours(struct work *w, int64_t from_ms, int64_t to_ms)
{
    struct reading_bucket *hours = calloc(PIECE_HOURS, sizeof(*hours));
    if (hours == NULL)
        return ft_fail(w->err, FT_NOMEM, "no memory for %d hours", PIECE_HOURS);
    struct statement s = statement_begin(w->db, QUERY_hours_delete, w->err);
    bind_int(&s, ":sensor_id", w->sensor_id);
    bind_int(&s, ":from_ms", from_ms);
    bind_int(&s, ":to_ms", to_ms);
    enum ft_status st = statement_run(&s);
    while (from_ms < to_ms && st == FT_OK) {
        const int64_t end_ms = earlier(to_ms, from_ms + PIECE_HOURS * HOUR_MS);
        const size_t n = (size_t)((end_ms - from_ms) / HOUR_MS);
        st = reading_buckets(w->db, w->sensor_id, from_ms, end_ms, n, hours, w->err);
        if (st == FT_OK)
            st = insert_hours(w, hours, n);
        from_ms = end_ms;
    }
    free(hours);
    return st;
}

/* Number, first and last instant of the sealed readings. */
static enum ft_status find_sealed(struct work *w, struct reading_span *out)
{
    *out = (struct reading_span){0};
    struct statement s = statement_begin(w->db, QUERY_block_span, w->err);
    bind_int(&s, ":sensor_id", w->sensor_id);
    if (statement_row(&s) && column_int(&s, 0) > 0)
        *out = (struct reading_span){.n = column_int(&s, 0),
                                     .first_ms = later(column_int(&s, 1), -FAR_MS),
                                     .last_ms = earlier(column_int(&s, 2), FAR_MS)};
    return statement_end(&s);
}

static bool is_dense(const struct reading_span *sealed)
{
    const int64_t first_ms = floor_to(sealed->first_ms, HOUR_MS);
    return sealed->n / ((sealed->last_ms - first_ms) / HOUR_MS + 1) >= DENSE;
}

/* Computes what is new, up to the hour of the last sealed reading; hours before must_ms in any
 * case, for their readings are going to be dropped. */
static enum ft_status roll(struct work *w, const struct reading_span *sealed, int64_t must_ms)
{
    const int64_t first_ms = floor_to(sealed->first_ms, HOUR_MS);
    const int64_t end_ms = floor_to(sealed->last_ms, HOUR_MS);
    const int64_t from_ms = later(first_ms, later(w->state.upto_ms, w->state.frozen_ms));
    const int64_t to_ms =
        later(is_dense(sealed) ? end_ms : -FAR_MS, earlier(must_ms, end_ms + HOUR_MS));
    if (to_ms <= from_ms)
        return FT_OK;
    const enum ft_status st = compute_hours(w, from_ms, to_ms);
    w->state.upto_ms = to_ms;
    return st;
}

/* --- thinning ------------------------------------------------------------------------------- */

/* Readings of one minute [begin, end) of r that stay: the least, the greatest and the last number,
 * and what is no number. */
static void keep_minute(const struct readings *r, size_t begin, size_t end, struct run *out)
{
    size_t min = end;
    size_t max = end;
    size_t last = end;
    for (size_t i = begin; i < end; i++) {
        if (isnan(r->value[i]))
            continue;
        min = min == end || r->value[i] < r->value[min] ? i : min;
        max = max == end || r->value[i] > r->value[max] ? i : max;
        last = i;
    }
    for (size_t i = begin; i < end; i++)
        if (i == min || i == max || i == last || isnan(r->value[i]))
            run_add(out, r->ts_ms[i], r->value[i]);
}

/* Thins the readings of [from_ms, to_ms), both whole minutes, when that pays. */
static enum ft_status thin_piece(struct work *w, int64_t from_ms, int64_t to_ms)
{
    struct readings r = {0};
    struct run kept = {0};
    struct reading_counts ignored = {0};
    int64_t n_gone = 0;
    enum ft_status st = reading_scan(w->db, w->sensor_id, from_ms, to_ms, &r, w->err);
    if (st == FT_OK)
        st = run_reserve(&kept, r.n + 1, w->err);
    for (size_t begin = 0; begin < r.n && st == FT_OK;) {
        const int64_t minute_ms = floor_to(r.ts_ms[begin], MINUTE_MS);
        size_t end = begin + 1;
        while (end < r.n && r.ts_ms[end] < minute_ms + MINUTE_MS)
            end++;
        keep_minute(&r, begin, end, &kept);
        begin = end;
    }
    if (st == FT_OK && r.n_damaged == 0 && kept.n <= r.n - r.n / 4 && r.n > 0) {
        st = block_delete_range(w->db, w->sensor_id, from_ms, to_ms - 1, &n_gone, w->err);
        if (st == FT_OK)
            st = block_merge(w->db, w->sensor_id, kept.ts_ms, kept.value, kept.n, &ignored, w->err);
        w->counts.n_thinned += (int64_t)(r.n - kept.n);
    }
    run_free(&kept);
    readings_free(&r);
    return st;
}

/* Where the ninth block after from_ms begins, rounded up to a minute; at most to_ms. */
static enum ft_status find_piece_end(struct work *w, int64_t from_ms, int64_t to_ms, int64_t *out)
{
    struct statement s = statement_begin(w->db, QUERY_block_ninth, w->err);
    bind_int(&s, ":sensor_id", w->sensor_id);
    bind_int(&s, ":after_ms", from_ms);
    *out = statement_row(&s) ? floor_to(column_int(&s, 0), MINUTE_MS) + MINUTE_MS : to_ms;
    *out = earlier(*out, to_ms);
    return statement_end(&s);
}

static enum ft_status thin(struct work *w, const struct reading_span *sealed, int64_t before_ms)
{
    int64_t from_ms = later(floor_to(sealed->first_ms, HOUR_MS), w->state.frozen_ms);
    enum ft_status st = FT_OK;
    while (from_ms < before_ms && from_ms <= sealed->last_ms && st == FT_OK) {
        int64_t end_ms = before_ms;
        st = find_piece_end(w, from_ms, before_ms, &end_ms);
        if (st == FT_OK)
            st = thin_piece(w, from_ms, end_ms);
        from_ms = end_ms;
    }
    w->state.frozen_ms = later(w->state.frozen_ms, before_ms);
    return st;
}

/* --- all of it ------------------------------------------------------------------------------ */

static enum ft_status apply(struct work *w, const struct reading_tiers *tiers)
{
    const int64_t thin_ms = floor_to(later(tiers->thin_before_ms, -FAR_MS), HOUR_MS);
    const int64_t drop_ms = floor_to(later(tiers->drop_before_ms, -FAR_MS), HOUR_MS);
    struct reading_span sealed = {0};
    enum ft_status st = load_state(w);
    const struct state before = w->state;
    if (st == FT_OK)
        st = find_sealed(w, &sealed);
    if (st != FT_OK || sealed.n == 0)
        return st;
    st = roll(w, &sealed, drop_ms);
    if (st == FT_OK && sealed.first_ms < drop_ms) {
        st = block_delete_range(w->db, w->sensor_id, INT64_MIN, drop_ms - 1, &w->counts.n_dropped,
                                w->err);
        w->state.frozen_ms = later(w->state.frozen_ms, drop_ms);
    }
    if (st == FT_OK && thin_ms > w->state.frozen_ms && is_dense(&sealed))
        st = thin(w, &sealed, thin_ms);
    /* The blocks written here have touched hours that are as they should be. */
    const bool is_changed = memcmp(&before, &w->state, sizeof(before)) != 0;
    return st == FT_OK && is_changed ? save_state(w) : st;
}

enum ft_status reading_tier_apply(struct db *db, int64_t sensor_id,
                                  const struct reading_tiers *tiers,
                                  struct reading_tier_counts *counts, struct ft_err *err)
{
    struct work w = {.db = db, .sensor_id = sensor_id, .err = err};
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = unit_end(db, apply(&w, tiers), err);
    if (st != FT_OK)
        return st;
    counts->n_hours += w.counts.n_hours;
    counts->n_thinned += w.counts.n_thinned;
    counts->n_dropped += w.counts.n_dropped;
    return FT_OK;
}
