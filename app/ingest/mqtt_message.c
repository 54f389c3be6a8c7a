#include "app/ingest/mqtt_message.h"

#include "app/base/json.h"
#include "app/ingest/live.h"
#include "app/ingest/number.h"

#include <stdio.h>
#include <string.h>

/* --- topics ---------------------------------------------------------------------------------- */

static enum ft_status fail_template(const char *text, const char *why, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "topic %.200s: %s", text, why);
}

/* One level at place i; has_braces: + has no meaning of its own. */
static enum ft_status take_level(struct topic_template *t, size_t i, const char *level,
                                 bool has_braces, bool is_last, const char *text,
                                 struct ft_err *err)
{
    t->levels[i] = NULL;
    if (strcmp(level, "#") == 0) {
        t->has_rest = true;
        return is_last ? FT_OK : fail_template(text, "# stands at the end only", err);
    }
    const bool is_plus = strcmp(level, "+") == 0;
    int *level_of = strcmp(level, "{asset}") == 0    ? &t->asset_level
                    : strcmp(level, "{sensor}") == 0 ? &t->sensor_level
                    : is_plus && !has_braces         ? (t->asset_level < 0    ? &t->asset_level
                                                        : t->sensor_level < 0 ? &t->sensor_level
                                                                              : NULL)
                                                     : NULL;
    if (level_of != NULL) {
        if (*level_of >= 0)
            return fail_template(text, "the same name stands in two levels", err);
        *level_of = (int)i;
        return FT_OK;
    }
    if (is_plus)
        return FT_OK;
    if (strpbrk(level, "+#{}") != NULL)
        return fail_template(text, "a level is a text, {asset}, {sensor}, + or #", err);
    t->levels[i] = level;
    return FT_OK;
}

static void build_filter(struct topic_template *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_levels; i++) {
        const char *level = t->levels[i] != NULL                  ? t->levels[i]
                            : t->has_rest && i + 1 == t->n_levels ? "#"
                                                                  : "+";
        const size_t room = sizeof(t->filter) - n;
        const int len = snprintf(t->filter + n, room, "%s%s", i > 0 ? "/" : "", level);
        if (len < 0 || (size_t)len >= room)
            return; /* cannot be: the text, which is longer, fits its half of the room */
        n += (size_t)len;
    }
}

enum ft_status topic_template_parse(const char *text, struct topic_template *out,
                                    struct ft_err *err)
{
    memset(out, 0, sizeof(*out));
    out->asset_level = out->sensor_level = -1;
    const size_t len = strlen(text);
    if (len == 0 || len >= TOPIC_SIZE / 2)
        return fail_template(text, "expected 1 to 255 bytes", err);
    memcpy(out->text, text, len + 1);
    const bool has_braces = strchr(text, '{') != NULL;
    for (char *p = out->text, *slash; p != NULL; p = slash != NULL ? slash + 1 : NULL) {
        slash = strchr(p, '/');
        if (slash != NULL)
            *slash = '\0';
        if (out->n_levels == TOPIC_MAX_LEVELS)
            return fail_template(text, "more than 16 levels", err);
        const enum ft_status st =
            take_level(out, out->n_levels++, p, has_braces, slash == NULL, text, err);
        if (st != FT_OK)
            return st;
    }
    build_filter(out);
    return FT_OK;
}

bool topic_match(const struct topic_template *t, const char *topic, char *asset, char *sensor)
{
    const size_t n_fixed = t->n_levels - t->has_rest;
    const char *p = topic;
    size_t i = 0;
    asset[0] = sensor[0] = '\0';
    for (; p != NULL && i < n_fixed; i++) {
        const size_t len = strcspn(p, "/");
        char *out = (int)i == t->asset_level ? asset : (int)i == t->sensor_level ? sensor : NULL;
        if (t->levels[i] != NULL &&
            (strlen(t->levels[i]) != len || memcmp(t->levels[i], p, len) != 0))
            return false;
        if (out != NULL && (len == 0 || len >= TOPIC_SIZE))
            return false;
        if (out != NULL) {
            memcpy(out, p, len);
            out[len] = '\0';
        }
        p = p[len] == '/' ? p + len + 1 : NULL;
    }
    return i == n_fixed && (p == NULL || t->has_rest);
}

/* --- payloads -------------------------------------------------------------------------------- */

struct message {
    struct live_batch *batch;
    const struct message_mapping *mapping;
    const char *topic;
    char asset[TOPIC_SIZE], sensor[TOPIC_SIZE]; /* of the topic; "" = not there */
    const char *payload;
    size_t len, place;
    int64_t now_ms;
    struct ft_err *err;
};

static void refuse(const struct message *m, const char *reason)
{
    char raw[200];
    snprintf(raw, sizeof(raw), "%.80s %.*s", m->topic, (int)(m->len < 110 ? m->len : 110),
             m->payload);
    live_refuse(m->batch, m->place, raw, strlen(raw), reason);
}

/* Number, true or false as JSON or text. */
static bool read_scalar(const char *p, size_t len, double *out)
{
    while (len > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", p[len - 1]) != NULL)
        len--;
    if (len == 4 && memcmp(p, "true", 4) == 0)
        *out = 1;
    else if (len == 5 && memcmp(p, "false", 5) == 0)
        *out = 0;
    else
        return number_parse(p, len, '.', out);
    return true;
}

static enum ft_status add_scalar(const struct message *m, double value)
{
    if (m->asset[0] == '\0' || m->sensor[0] == '\0') {
        refuse(m, "a plain number needs a topic that names asset and sensor");
        return FT_OK;
    }
    return live_add_named(m->batch, m->topic, strlen(m->topic), m->asset, m->sensor, m->now_ms,
                          value, m->place, m->now_ms, m->err);
}

static bool number_of(const cJSON *v, double *out)
{
    if (cJSON_IsBool(v))
        *out = cJSON_IsTrue(v);
    else if (cJSON_IsNumber(v))
        *out = v->valuedouble;
    return cJSON_IsBool(v) || cJSON_IsNumber(v);
}

static enum ft_status add_value(const struct message *m, const char *asset, const char *sensor,
                                int64_t ts_ms, double value)
{
    return live_add(m->batch, asset, sensor, ts_ms, value, m->place, m->now_ms, m->err);
}

/* Every member that is a number is a sensor of its name. */
static enum ft_status add_members(const struct message *m, const cJSON *object, const char *asset,
                                  int64_t ts_ms)
{
    enum ft_status st = FT_OK;
    size_t n = 0;
    const cJSON *v = NULL;
    cJSON_ArrayForEach (v, object) {
        double value = 0;
        if (strcmp(v->string, m->mapping->time) == 0 || strcmp(v->string, m->mapping->asset) == 0 ||
            !number_of(v, &value))
            continue;
        n++;
        if (st == FT_OK)
            st = add_value(m, asset, v->string, ts_ms, value);
    }
    if (n == 0)
        refuse(m, "the object holds no number");
    return st;
}

static enum ft_status add_object(const struct message *m, const cJSON *object)
{
    struct ft_err why;
    const struct message_mapping *map = m->mapping;
    const char *asset = m->asset[0] != '\0' ? m->asset : NULL;
    const char *sensor = m->sensor[0] != '\0' ? m->sensor : NULL;
    int64_t ts_ms = m->now_ms;
    double value = 0;
    enum ft_status st = json_string(object, map->asset, asset == NULL, &asset, &why);
    if (st == FT_OK)
        st = json_string(object, map->sensor, false, &sensor, &why);
    if (st == FT_OK)
        st = json_instant(object, map->time, false, &ts_ms, &why);
    if (st != FT_OK) {
        refuse(m, why.msg);
        return FT_OK;
    }
    if (sensor == NULL)
        return add_members(m, object, asset, ts_ms);
    if (!number_of(json_get(object, map->value), &value)) {
        refuse(m, "the object has no number as its value ([mqtt] value_member)");
        return FT_OK;
    }
    return add_value(m, asset, sensor, ts_ms, value);
}

static enum ft_status add_json(const struct message *m)
{
    struct ft_err why;
    cJSON *tree = NULL;
    enum ft_status st = json_parse(m->payload, m->len, &tree, &why);
    if (st == FT_NOMEM)
        return ft_fail(m->err, st, "%s", why.msg);
    if (st != FT_OK) {
        refuse(m, why.msg);
        return FT_OK;
    }
    const cJSON *item = NULL;
    if (cJSON_IsObject(tree)) {
        st = add_object(m, tree);
    } else {
        cJSON_ArrayForEach (item, tree) {
            if (st == FT_OK && cJSON_IsObject(item))
                st = add_object(m, item);
            else if (st == FT_OK)
                refuse(m, "expected an array of objects");
        }
    }
    cJSON_Delete(tree);
    return st;
}

enum ft_status message_add(struct live_batch *b, const struct topic_template *templates,
                           size_t n_templates, const struct message_mapping *mapping,
                           const char *topic, const void *payload, size_t len, size_t place,
                           int64_t now_ms, struct ft_err *err)
{
    struct message m;
    double value = 0;
    const char *text = len > 0 ? payload : "";
    const bool is_scalar = read_scalar(text, len, &value);
    if (is_scalar && live_add_key(b, topic, strlen(topic), now_ms, value, place, now_ms))
        return FT_OK;
    m.batch = b;
    m.mapping = mapping;
    m.topic = topic;
    m.payload = text;
    m.len = len;
    m.place = place;
    m.now_ms = now_ms;
    m.err = err;
    size_t i = 0;
    while (i < n_templates && !topic_match(&templates[i], topic, m.asset, m.sensor))
        i++;
    if (i == n_templates) {
        refuse(&m, "the topic fits no template ([mqtt] topics)");
        return FT_OK;
    }
    if (is_scalar)
        return add_scalar(&m, value);
    const size_t blank = strspn(text, " \t\r\n");
    if (blank < len && (text[blank] == '{' || text[blank] == '['))
        return add_json(&m);
    refuse(&m, "expected a number or JSON");
    return FT_OK;
}
