/* An MQTT message: the first line is a template, the second a topic, the rest the payload. */
#include "app/ingest/live.h"
#include "app/ingest/mqtt_message.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct live *live;
    static struct live_batch *batch;
    static struct topic_template t;
    const struct live_options o = {
        .mapping = {"", ""}, .class_name = "c", .limits = {false, 1000, 10}};
    const struct message_mapping mapping = {"value", "time", "asset", "sensor"};
    struct ft_err err;
    if (live == NULL && (sodium_init() < 0 || live_new(&o, &live, &err) != FT_OK ||
                         live_batch_new(live, &batch, &err) != FT_OK))
        abort();
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *end = strchr(text, '\n');
    char *topic_end = end != NULL ? strchr(end + 1, '\n') : NULL;
    if (topic_end != NULL) {
        *end = *topic_end = '\0';
        const char *payload = topic_end + 1;
        const size_t n = topic_template_parse(text, &t, &err) == FT_OK;
        (void)message_add(batch, &t, n, &mapping, end + 1, payload, (size_t)(text + size - payload),
                          1, 1000000, &err);
        live_batch_clear(batch);
    }
    free(text);
    return 0;
}
