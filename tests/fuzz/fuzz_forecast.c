/* Forecast bodies: what is taken writes itself back the same, and its probabilities rise. */
#include "app/base/json.h"
#include "app/forecast.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rise(const struct forecast *f)
{
    double before = 0;
    for (int64_t ms = 1000; ms < (int64_t)1 << 50; ms *= 3) {
        const double p = forecast_probability(f, ms);
        if (f->n_horizons > 0 && !(p >= before && p <= 1))
            abort();
        before = p;
    }
}

/* The caller frees it. */
static char *to_text(const struct forecast *f)
{
    cJSON *json = forecast_to_json(f);
    char *text = json == NULL ? NULL : json_print(json, false);
    if (text == NULL)
        abort();
    cJSON_Delete(json);
    return text;
}

static void round_trip(const struct forecast *f)
{
    static struct forecast again;
    struct ft_err err;
    cJSON *read = NULL;
    char *text = to_text(f);
    if (json_parse(text, strlen(text), &read, &err) != FT_OK ||
        forecast_from_json(read, &again, &err) != FT_OK)
        abort();
    char *second = to_text(&again);
    if (again.n_horizons != f->n_horizons || again.n_reasons != f->n_reasons)
        abort();
    free(second);
    free(text);
    cJSON_Delete(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct forecast f;
    struct ft_err err;
    cJSON *json = NULL;
    if (json_parse((const char *)data, size, &json, &err) != FT_OK)
        return 0;
    if (forecast_from_json(json, &f, &err) == FT_OK) {
        check_rise(&f);
        round_trip(&f);
    }
    cJSON_Delete(json);
    return 0;
}
