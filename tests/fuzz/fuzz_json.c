/* The strict JSON door: what it takes prints and comes back the same. */
#include "app/base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_err err;
    cJSON *v = NULL;
    if (json_parse((const char *)data, size, &v, &err) != FT_OK) {
        if (v != NULL || err.msg[0] == '\0')
            abort();
        return 0;
    }
    const char *s = NULL;
    double x = 0;
    int64_t i = 0;
    json_string(v, "s", false, &s, &err);
    json_number(v, "n", false, &x, &err);
    json_int(v, "i", false, 0, 100, &i, &err);
    json_instant(v, "t", true, &i, &err);
    char *text = json_print(v, data[0] & 1);
    cJSON *again = NULL;
    if (text == NULL || json_parse(text, strlen(text), &again, &err) != FT_OK)
        abort();
    cJSON_Delete(again);
    cJSON_Delete(v);
    free(text);
    return 0;
}
