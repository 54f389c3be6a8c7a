/* life_input_from_json() on any JSON, and the whole answer to what it took: no crash, no hang,
 * finite parameters. */
#include "app/life_input.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct life_table *table, struct life_request *request)
{
    struct life_answer a;
    request->n_draws = request->n_draws < 3 ? request->n_draws : 3;
    if (table->n > 60 || life_answer_make(table, request, NULL, &a, NULL) != FT_OK)
        return;
    cJSON *out = cJSON_CreateObject();
    (void)life_answer_json(&a, table, request, out, NULL);
    cJSON_Delete(out);
    if (!a.is_recurrent && (!isfinite(a.report.fit.first) || !(a.report.fit.scale > 0)))
        abort();
    if (a.is_recurrent && a.recurrent.n_mcf > 0 && !(a.recurrent.mcf[0].mean > 0))
        abort();
    life_answer_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct life_table table;
    struct life_request request;
    cJSON *body = NULL;
    if (json_parse((const char *)data, size, &body, NULL) != FT_OK)
        return 0;
    if (life_input_from_json(body, &table, &request, NULL) == FT_OK) {
        answer(&table, &request);
        life_table_free(&table);
    }
    cJSON_Delete(body);
    return 0;
}
