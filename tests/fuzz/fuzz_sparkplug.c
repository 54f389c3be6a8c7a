/* Sparkplug messages, one after the other on the same node: a byte for the type, a byte for the
 * length, the payload. What births said goes through its text form and back. */
#include "app/base/log.h"
#include "app/ingest/live.h"
#include "app/ingest/sparkplug.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static char *kept;

static enum ft_status put(void *ctx, const char *key, const char *text, struct ft_err *err)
{
    (void)ctx;
    (void)key;
    (void)err;
    free(kept);
    kept = strdup(text);
    return FT_OK;
}

static char *load(void *ctx, const char *key)
{
    (void)ctx;
    (void)key;
    return kept != NULL ? strdup(kept) : NULL;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char *const topics[] = {"spBv1.0/g/NBIRTH/n", "spBv1.0/g/DBIRTH/n/d",
                                         "spBv1.0/g/NDATA/n",  "spBv1.0/g/DDATA/n/d",
                                         "spBv1.0/g/NDEATH/n", "spBv1.0/g/DDEATH/n/d"};
    static struct live *live;
    static struct live_batch *batch;
    const struct live_options o = {
        .mapping = {"", ""}, .class_name = "c", .limits = {false, 1000, 10}};
    struct sparkplug *s = NULL;
    struct ft_err err;
    log_set_level(LOG_LEVEL_ERROR);
    if (live == NULL && (sodium_init() < 0 || live_new(&o, &live, &err) != FT_OK ||
                         live_batch_new(live, &batch, &err) != FT_OK))
        abort();
    if (sparkplug_new(load, NULL, &s, &err) != FT_OK)
        return 0;
    for (size_t i = 0; i + 2 <= size;) {
        const char *topic = topics[data[i] % 6];
        size_t len = data[i + 1];
        i += 2;
        len = len < size - i ? len : size - i;
        (void)sparkplug_add(s, batch, topic, data + i, len, 1, 1000000, &err);
        i += len;
    }
    (void)sparkplug_save(s, put, NULL, &err);
    live_batch_clear(batch);
    sparkplug_free(s);
    return 0;
}
