/* A life table and the questions about it from JSON, as the API takes them. */
#ifndef APP_LIFE_INPUT_H
#define APP_LIFE_INPUT_H

#include "app/base/json.h"
#include "app/life_answer.h"

/* Defaults: Weibull, confidence 0.95, 400 draws, seed 1, inspection found by every look and wanted
 * at 0.95, prior sd of the log 0.3, service level 0.95; nothing asked. */
struct life_request life_request_default(void);

/* Arrays of equal length, at most 20,000: "time" (ages, required), "failed" (booleans, absent =
 * all), "entry", "count", "upper" (numbers or null), "mode", "asset" (strings). Costs and questions
 * as in the reference, at most 2,000 draws and 2 million draws times rows. FT_INVALID names the
 * member; FT_NOMEM. life_table_free() ends *table. */
enum ft_status life_input_from_json(const cJSON *body, struct life_table *table,
                                    struct life_request *request, struct ft_err *err);

#endif
