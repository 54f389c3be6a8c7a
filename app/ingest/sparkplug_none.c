/* In the place of sparkplug.c when the program is built without protobuf-c. */
#include "app/ingest/sparkplug.h"

#include <stddef.h>

const bool sparkplug_is_built = false;

enum ft_status sparkplug_new(sparkplug_load load, void *ctx, struct sparkplug **out,
                             struct ft_err *err)
{
    (void)load;
    (void)ctx;
    *out = NULL;
    return ft_fail(err, FT_REFUSED,
                   "[mqtt] sparkplug_groups: this program was built without Sparkplug "
                   "(libprotobuf-c-dev and protobuf-c-compiler)");
}

void sparkplug_free(struct sparkplug *s)
{
    (void)s;
}

bool sparkplug_is_topic(const char *topic)
{
    (void)topic;
    return false;
}

void sparkplug_stats(const struct sparkplug *s, struct sparkplug_stats *out)
{
    (void)s;
    *out = (struct sparkplug_stats){0};
}

enum ft_status sparkplug_add(struct sparkplug *s, struct live_batch *b, const char *topic,
                             const void *payload, size_t len, size_t place, int64_t now_ms,
                             struct ft_err *err)
{
    (void)s;
    (void)b;
    (void)topic;
    (void)payload;
    (void)len;
    (void)place;
    (void)now_ms;
    return ft_fail(err, FT_REFUSED, "built without Sparkplug");
}

enum ft_status sparkplug_save(const struct sparkplug *s,
                              enum ft_status (*put)(void *ctx, const char *key, const char *text,
                                                    struct ft_err *err),
                              void *ctx, struct ft_err *err)
{
    (void)s;
    (void)put;
    (void)ctx;
    (void)err;
    return FT_OK;
}

void sparkplug_saved(struct sparkplug *s)
{
    (void)s;
}
