/* Two JSON texts, the first up to a line end: refused, or a schema that writes itself back. */
#include "app/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_schema schema, again;
    char *text = strndup((const char *)data, size);
    char *rest = text != NULL ? strchr(text, '\n') : NULL;
    if (rest == NULL) {
        free(text);
        return 0;
    }
    *rest++ = '\0';
    if (table_schema_parse(text, rest, &schema, NULL) == FT_OK) {
        cJSON *a = table_schema_features(&schema), *b = table_schema_rest(&schema);
        char *names = json_print(a, false), *others = json_print(b, false);
        if (names != NULL && others != NULL)
            table_schema_parse(names, others, &again, NULL);
        else
            again = (struct table_schema){0};
        if (again.n_features != schema.n_features)
            abort();
        table_schema_free(&again);
        cJSON_free(names);
        cJSON_free(others);
        cJSON_Delete(a);
        cJSON_Delete(b);
    }
    table_schema_free(&schema);
    free(text);
    return 0;
}
