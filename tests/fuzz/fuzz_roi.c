/* ROI input: whatever is taken computes to finite flows and prints as input that is taken again. */
#include "app/base/json.h"
#include "app/roi_io.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_err err = {0};
    struct roi_request r;
    struct roi_request again;
    cJSON *json = NULL;
    cJSON *answer = NULL;
    if (json_parse((const char *)data, size, &json, &err) != FT_OK)
        return 0;
    const enum ft_status st = roi_request_from_json(json, &r, &err);
    cJSON_Delete(json);
    if (st != FT_OK) {
        if (err.msg[0] == '\0')
            abort();
        return 0;
    }
    if (r.n_draws > 200) /* the draws are the same code over and over */
        r.n_draws = 200;
    cJSON *printed = roi_request_to_json(&r);
    if (roi_request_from_json(printed, &again, &err) != FT_OK || again.n_years != r.n_years)
        abort();
    cJSON_Delete(printed);
    if (roi_answer_json(&r, &answer, &err) == FT_OK && !cJSON_IsNumber(json_get(answer, "npv")) &&
        !cJSON_IsNull(json_get(answer, "npv")))
        abort();
    cJSON_Delete(answer);
    return 0;
}
