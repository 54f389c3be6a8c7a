/* Predictions written before their outcome. */
#ifndef APP_LEDGER_H
#define APP_LEDGER_H

#include "app/base/status.h"
#include "app/scoring.h"

struct db;

/* Adds the scoring's predictions, one per asset, component and local day of the as-of (a second
 * scoring of the same day adds none), inside the caller's transaction. Held-out units are left out:
 * their outcome is a study's, not the plant's. */
enum ft_status ledger_record(struct db *writer, const struct scoring *s, struct ft_err *err);

#endif
