/* How the label-free alarms of a class stand against what was recorded: failures that an alarm had
 * named some days ahead, and alarms that nothing followed. The records judge; the method never sees
 * them (a renewal alone starts a baseline again). */
#ifndef APP_HEALTH_JUDGE_H
#define APP_HEALTH_JUDGE_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct db;

struct health_judge_options {
    const char *class_name;
    int64_t
        from_ms;   /* learns before, judges from here on; DB_NO_TIME = after a third of the data */
    int64_t to_ms; /* nothing later is used; DB_NO_TIME = all */
};

/* {"class","target":"anomaly","from","to","unit","lead_s","follow_s","asset_years","failures","named",
 * "named_share","alarms","followed","unfollowed","unfollowed_per_asset_year","false_alarms_budget",
 * "components":[{"component","failures","named"}]}. An alarm is followed when the asset has a
 * failure, replacement or repair within follow_s; those too near to the end to tell are in "open".
 * The caller ends *out with cJSON_Delete(). FT_NOT_FOUND, FT_TOO_FEW as health_index_find(). */
enum ft_status health_judge(struct db *db, const struct health_judge_options *o, cJSON **out,
                            struct ft_err *err);

#endif
