/* Writing the ledger. */
#include "app/ledger.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdlib.h>

/* Newest rows of an asset that are looked at for "already written today". */
enum { MAX_RECENT = 64 };

static bool is_written(const struct ledger_list *recent, const struct scoring_item *item)
{
    const int64_t day = clock_local_midnight(item->f.as_of_ms);
    for (size_t i = 0; i < recent->n; i++)
        if (recent->items[i].component_id == item->f.component_id &&
            recent->items[i].horizon_ms == item->ledger_horizon_ms &&
            clock_local_midnight(recent->items[i].as_of_ms) == day)
            return true;
    return false;
}

static enum ft_status record_asset(struct db *writer, const struct scoring_item *items, size_t n,
                                   struct ft_err *err)
{
    struct asset asset = {0};
    struct ledger_list recent = {0};
    enum ft_status st = asset_get(writer, items[0].f.asset_id, &asset, err);
    if (st == FT_OK && !asset.is_held_out)
        st = ledger_list(writer, asset.id, MAX_RECENT, &recent, err);
    for (size_t i = 0; i < n && st == FT_OK && !asset.is_held_out; i++) {
        const struct scoring_item *item = &items[i];
        if (item->f.n_horizons == 0 || item->ledger_horizon_ms <= 0 || !isfinite(item->ledger_p) ||
            is_written(&recent, item))
            continue;
        const struct ledger_row row = {.asset_id = item->f.asset_id,
                                       .component_id = item->f.component_id,
                                       .model_id = item->f.model_id,
                                       .as_of_ms = item->f.as_of_ms,
                                       .horizon_ms = item->ledger_horizon_ms,
                                       .p = fmin(1, fmax(0, item->ledger_p))};
        st = ledger_put(writer, &row, err);
    }
    ledger_list_free(&recent);
    asset_clear(&asset);
    return st;
}

enum ft_status ledger_record(struct db *writer, const struct scoring *s, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < s->n && st == FT_OK;) {
        size_t n = 1;
        while (i + n < s->n && s->items[i + n].f.asset_id == s->items[i].f.asset_id)
            n++;
        st = record_asset(writer, s->items + i, n, err);
        i += n;
    }
    return st;
}
