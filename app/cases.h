/* Cases: at most one open concern for each asset and part. One is raised when acting pays, stays
 * until the chance of failure has clearly fallen (hysteresis, app/planner/predictive.h), and after
 * its end none is raised for the part for a while (cool-down). The alarm budget bounds how many are
 * raised in seven days: the dearest ones get the slots. */
#ifndef APP_CASES_H
#define APP_CASES_H

#include "app/base/status.h"
#include "app/snapshot.h"
#include "db/case_store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define CASES_WEEK_MS (INT64_C(7) * 86400000)
/* Settings: alarm_budget_per_week (0 = without bound) and case_cooldown_days. */
#define CASES_BUDGET 0
#define CASES_COOLDOWN_DAYS 14.0

struct case_budget {
    int per_week;            /* 0 = without bound */
    size_t n_used;           /* raised in the last seven days */
    size_t n_waiting;        /* would be raised with more slots */
    int64_t threshold_minor; /* least worth that got a slot; DB_NO_MONEY = every one did */
    int64_t next_minor;      /* what the next slot would have been worth; DB_NO_MONEY = nothing */
};

/* May the planner propose work for the part? Only while its case is open or approved. */
bool cases_allow(const struct snapshot *s, int64_t asset_id, int64_t component_id);

/* Raises, brings back and ends cases by the forecasts of the snapshot, whose s->cases it renews. In
 * the caller's transaction. budget may be NULL. */
enum ft_status cases_update(struct db *db, struct snapshot *s, struct case_budget *budget,
                            struct ft_err *err);
/* The budget as it stands; writes nothing. */
enum ft_status cases_budget(struct db *db, const struct snapshot *s, struct case_budget *out,
                            struct ft_err *err);

/* The budget in a sentence: what one more slot would have been worth. */
#define CASES_BUDGET_WORDS 200
void cases_budget_words(const struct case_budget *b, const char *currency,
                        char out[CASES_BUDGET_WORDS]);

/* What a planner decides. approve: its work order (the draft, or a new one) becomes approved;
 * defer: no work is proposed before until_ms; reject: its draft is rejected, reason is one of
 * not_worth_it, known, wrong_data, done_already, other; reopen takes each of them back (see
 * cases_may_reopen). FT_CONFLICT when the case has ended. *c is renewed. */
enum case_action { CASE_APPROVE, CASE_DEFER, CASE_REJECT, CASE_REOPEN };
struct case_decision {
    enum case_action action;
    int64_t until_ms;   /* of defer */
    const char *reason; /* of reject; may be NULL otherwise */
};
enum ft_status cases_decide(struct db *db, const struct snapshot *s, struct risk_case *c,
                            const struct case_decision *d, struct ft_err *err);

/* Can the decision be taken back? Deferred: yes. Approved: while its work order is only approved,
 * which becomes a draft again. Rejected: while the part cools down and no other case stands for it;
 * the rejected draft stays rejected, and a new one is made. */
bool cases_may_reopen(const struct snapshot *s, const struct risk_case *c);

/* The forecast and window of now of a case; false when there is none any more. f may be NULL. */
bool cases_find(const struct snapshot *s, const struct risk_case *c, struct snapshot_case *out,
                const struct forecast **f);
/* The day by which the spare must be ordered for the latest day; without a spare that day. */
int64_t cases_decide_by_ms(const struct snapshot *s, const struct snapshot_case *k);

/* One case with its window, costs and reasons of now; the caller frees it. NULL: no memory. */
cJSON *cases_to_json(const struct snapshot *s, const struct risk_case *c);
/* {"case","best","currency","items":[{"date","cost","risk","waiting"}]}: what each day costs. */
cJSON *cases_waiting_json(const struct snapshot *s, const struct risk_case *c);

#endif
