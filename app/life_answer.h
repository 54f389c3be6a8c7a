/* The whole answer of the life command and of its API: report, modes, decisions, plots, or what
 * recurrent events say. */
#ifndef APP_LIFE_ANSWER_H
#define APP_LIFE_ANSWER_H

#include "app/life_decide.h"
#include "app/life_modes.h"
#include "app/life_recurrent.h"

struct life_answer {
    bool is_recurrent; /* only recurrent is filled then */
    struct life_recurrent recurrent;
    struct life_report report;
    bool has_modes, has_decisions;
    struct life_modes modes;
    struct life_decisions decisions;
};

/* Wrong combinations and ranges: FT_INVALID with the field's name as in the JSON. */
enum ft_status life_request_check(const struct life_request *q, struct ft_err *err);

/* The table must outlive *out, which life_answer_free() ends. pool NULL = one thread. Errors as of
 * the parts. */
enum ft_status life_answer_make(const struct life_table *table, const struct life_request *request,
                                struct pool *pool, struct life_answer *out, struct ft_err *err);
enum ft_status life_answer_json(const struct life_answer *a, const struct life_table *table,
                                const struct life_request *request, cJSON *out, struct ft_err *err);
void life_answer_free(struct life_answer *a);

#endif
