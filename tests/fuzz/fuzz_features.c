/* Feature sets and training results as JSON: what is taken writes itself back the same. */
#include "app/base/json.h"
#include "app/features.h"
#include "app/train_job.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Through text, as a model keeps it: the largest numbers are text in the tree already. */
static void round_trip(const struct feature_set *fs)
{
    struct ft_err err;
    struct feature_set *again = NULL;
    cJSON *json = features_to_json(fs);
    cJSON *read = NULL;
    char *text = json == NULL ? NULL : json_print(json, false);
    if (text == NULL || json_parse(text, strlen(text), &read, &err) != FT_OK ||
        features_from_json(read, &again, &err) != FT_OK || again->n != fs->n)
        abort();
    features_free(again);
    cJSON_Delete(read);
    free(text);
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_err err;
    cJSON *v = NULL;
    struct feature_set *fs = NULL;
    struct train_result *r = NULL;
    if (json_parse((const char *)data, size, &v, &err) != FT_OK)
        return 0;
    if (features_from_json(v, &fs, &err) == FT_OK)
        round_trip(fs);
    else if (fs != NULL)
        abort();
    if (train_result_from_json(v, &r, &err) != FT_OK && r != NULL)
        abort();
    features_free(fs);
    train_result_free(r);
    cJSON_Delete(v);
    return 0;
}
