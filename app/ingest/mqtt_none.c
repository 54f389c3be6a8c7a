/* In the place of mqtt.c when the program is built without libmosquitto. */
#include "app/ingest/mqtt.h"

#include "app/config.h"

#include <stddef.h>

const bool mqtt_is_built = false;

enum ft_status mqtt_start(const struct config *config, struct writer *writer, struct live *live,
                          struct disk_guard *disk, struct mqtt **out, struct ft_err *err)
{
    (void)writer;
    (void)live;
    (void)disk;
    *out = NULL;
    if (config->mqtt_broker[0] == '\0')
        return FT_OK;
    return ft_fail(err, FT_REFUSED,
                   "[mqtt] broker: this program was built without MQTT (libmosquitto-dev)");
}

enum ft_status mqtt_reload(struct mqtt *m, void (*change)(void *ctx), void *ctx, struct ft_err *err)
{
    (void)m;
    change(ctx);
    return ft_fail(err, FT_REFUSED, "[mqtt]: this program was built without MQTT");
}

void mqtt_stats(struct mqtt *m, struct mqtt_stats *out)
{
    (void)m;
    *out = (struct mqtt_stats){0};
}

void mqtt_stop(struct mqtt *m)
{
    (void)m;
}
