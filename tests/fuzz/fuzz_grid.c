/* Grid files: whatever is taken prints as candidates that are taken again, the same ones. */
#include "app/fit_spec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct model_spec base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
    struct ft_err err = {0};
    struct fit_specs specs;
    cJSON *json = NULL;
    if (json_parse((const char *)data, size, &json, &err) != FT_OK)
        return 0;
    const enum ft_status st = fit_specs_from_json(json, &base, 7, &specs, &err);
    cJSON_Delete(json);
    if ((st != FT_OK && err.msg[0] == '\0') || (st == FT_OK && specs.n == 0))
        abort();
    for (size_t i = 0; st == FT_OK && i < specs.n; i++) {
        struct model_spec again;
        cJSON *printed = fit_spec_to_json(&specs.items[i]);
        if (fit_spec_from_json(printed, &base, &again, &err) != FT_OK ||
            again.kind != specs.items[i].kind || again.lambda != specs.items[i].lambda)
            abort();
        cJSON_Delete(printed);
    }
    fit_specs_free(&specs);
    return 0;
}
