#include "app/retention.h"

#include "db/reading_store.h"

/* Seals before the first sensor: what lies in the journal is in no block yet. */
enum ft_status retention_step(struct db *db, void *ctx, struct ft_err *err)
{
    struct retention *r = ctx;
    const struct reading_tiers tiers = {
        .thin_before_ms = r->thin_after_ms > 0 ? r->now_ms - r->thin_after_ms : INT64_MIN,
        .drop_before_ms = r->drop_after_ms > 0 ? r->now_ms - r->drop_after_ms : INT64_MIN};
    int64_t id = 0;
    enum ft_status st = r->n_sensors == 0 ? reading_seal(db, err) : FT_OK;
    if (st == FT_OK)
        st = reading_tier_next(db, r->last_id, &id, err);
    if (st == FT_NOT_FOUND) {
        r->is_done = true;
        return FT_OK;
    }
    if (st == FT_OK)
        st = reading_tier_apply(db, id, &tiers, &r->counts, err);
    if (st != FT_OK)
        return st;
    r->last_id = id;
    r->n_sensors++;
    return FT_OK;
}
