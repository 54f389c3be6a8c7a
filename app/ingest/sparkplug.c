/* After Sparkplug 3.0.0, chapters 4 to 6. A node keeps what its births said, by alias and by
 * (device, name), as lines "alias TAB datatype TAB device TAB name": the form in which they are
 * stored too. */
#include "app/ingest/sparkplug.h"

#include "app/base/buf.h"
#include "app/base/log.h"
#include "app/ingest/live.h"
#include "app/ingest/series_map.h"
#include "gen/sparkplug.pb-c.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bool sparkplug_is_built = true;

#define PREFIX "spBv1.0/"
enum { MAX_PAYLOAD = 4 << 20, NODE_KEY_SIZE = 300, MAX_BIRTH_TEXT = 16 << 20 };

/* Numbers of the specification, table of data types. */
enum datatype { TYPE_INT8 = 1, TYPE_INT16, TYPE_INT32, TYPE_INT64 };

struct metric {
    char *name, *device; /* device "" = the node itself */
    uint64_t alias;      /* UINT64_MAX = none */
    uint32_t datatype;   /* 0 = not said */
};

struct node {
    struct node *next;
    char key[NODE_KEY_SIZE]; /* GROUP/NODE */
    struct metric *metrics;  /* [n] */
    size_t n, cap;
    struct series_map *map; /* alias, and (device, name) -> place in metrics + 1 */
    int last_seq;           /* -1 = none yet */
    bool is_alive, is_changed;
};

struct sparkplug {
    sparkplug_load load;
    void *ctx;
    struct node *nodes;
    size_t n_aliases;
    struct sparkplug_stats stats;
};

enum ft_status sparkplug_new(sparkplug_load load, void *ctx, struct sparkplug **out,
                             struct ft_err *err)
{
    struct sparkplug *s = calloc(1, sizeof(*s));
    *out = s;
    if (s == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for Sparkplug");
    s->load = load;
    s->ctx = ctx;
    return FT_OK;
}

static void clear_metrics(struct sparkplug *s, struct node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        free(n->metrics[i].name);
        free(n->metrics[i].device);
    }
    s->n_aliases -= n->n;
    n->n = 0;
    series_map_clear(n->map);
}

void sparkplug_free(struct sparkplug *s)
{
    while (s != NULL && s->nodes != NULL) {
        struct node *n = s->nodes;
        s->nodes = n->next;
        clear_metrics(s, n);
        series_map_free(n->map);
        free(n->metrics);
        free(n);
    }
    free(s);
}

bool sparkplug_is_topic(const char *topic)
{
    return strncmp(topic, PREFIX, strlen(PREFIX)) == 0;
}

void sparkplug_stats(const struct sparkplug *s, struct sparkplug_stats *out)
{
    *out = s->stats;
}

/* --- what births said ------------------------------------------------------------------------ */

static int64_t find_by_alias(const struct node *n, uint64_t alias)
{
    const char *p = (const char *)&alias;
    return series_map_find(n->map, series_map_hash(n->map, p, sizeof(alias)), p, sizeof(alias), "",
                           0);
}

static int64_t find_by_name(const struct node *n, const char *device, const char *name)
{
    const size_t len = strlen(device);
    return series_map_find(n->map, series_map_hash(n->map, device, len), device, len, name,
                           strlen(name));
}

static enum ft_status index_metric(struct node *n, size_t i, struct ft_err *err)
{
    const struct metric *m = &n->metrics[i];
    const char *p = (const char *)&m->alias;
    const size_t len = strlen(m->device);
    enum ft_status st = FT_OK;
    if (find_by_name(n, m->device, m->name) == 0)
        st = series_map_add(n->map, series_map_hash(n->map, m->device, len), m->device, len,
                            m->name, strlen(m->name), (int64_t)i + 1, err);
    if (st == FT_OK && m->alias != UINT64_MAX && find_by_alias(n, m->alias) == 0)
        st = series_map_add(n->map, series_map_hash(n->map, p, sizeof(m->alias)), p,
                            sizeof(m->alias), "", 0, (int64_t)i + 1, err);
    return st;
}

/* Metrics of a device are replaced by their newest birth: the index is made anew then. */
static enum ft_status index_all(struct node *n, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    series_map_clear(n->map);
    for (size_t i = n->n; i > 0 && st == FT_OK; i--) /* the newest wins */
        st = index_metric(n, i - 1, err);
    return st;
}

static enum ft_status add_metric(struct sparkplug *s, struct node *n, const char *device,
                                 const char *name, uint64_t alias, uint32_t datatype,
                                 struct ft_err *err)
{
    if (s->n_aliases >= SPARKPLUG_MAX_ALIASES || strpbrk(name, "\t\n") != NULL)
        return FT_OK; /* its data are refused as unknown */
    if (n->n == n->cap) {
        const size_t cap = n->cap == 0 ? 32 : n->cap * 2;
        struct metric *more = realloc(n->metrics, cap * sizeof(*more));
        if (more == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu metrics", cap);
        n->metrics = more;
        n->cap = cap;
    }
    struct metric m = {strdup(name), strdup(device), alias, datatype};
    if (m.name == NULL || m.device == NULL) {
        free(m.name);
        free(m.device);
        return ft_fail(err, FT_NOMEM, "no memory for a metric");
    }
    n->metrics[n->n++] = m;
    s->n_aliases++;
    return FT_OK;
}

static void drop_device(struct sparkplug *s, struct node *n, const char *device)
{
    size_t k = 0;
    for (size_t i = 0; i < n->n; i++) {
        if (strcmp(n->metrics[i].device, device) == 0) {
            free(n->metrics[i].name);
            free(n->metrics[i].device);
            s->n_aliases--;
        } else {
            n->metrics[k++] = n->metrics[i];
        }
    }
    n->n = k;
}

/* Text of sparkplug_save() back into metrics; a line that is not ours ends it. */
static enum ft_status read_births(struct sparkplug *s, struct node *n, char *text,
                                  struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (char *line = text; *line != '\0' && st == FT_OK;) {
        char *end = line + strcspn(line, "\n");
        char *at = NULL;
        const unsigned long long alias = strtoull(line, &at, 10);
        const unsigned long datatype = *at == '\t' ? strtoul(at + 1, &at, 10) : 0;
        char *device = *at == '\t' ? at + 1 : NULL;
        char *tab = device != NULL ? strchr(device, '\t') : NULL;
        if (tab == NULL || tab > end)
            break;
        const bool is_last = *end == '\0';
        *tab = *end = '\0';
        st = add_metric(s, n, device, tab + 1, alias, (uint32_t)datatype, err);
        line = is_last ? end : end + 1;
    }
    return st == FT_OK ? index_all(n, err) : st;
}

static void write_births(const struct node *n, struct buf *b)
{
    for (size_t i = 0; i < n->n; i++)
        buf_printf(b, "%llu\t%u\t%s\t%s\n", (unsigned long long)n->metrics[i].alias,
                   n->metrics[i].datatype, n->metrics[i].device, n->metrics[i].name);
}

enum ft_status sparkplug_save(const struct sparkplug *s,
                              enum ft_status (*put)(void *ctx, const char *key, const char *text,
                                                    struct ft_err *err),
                              void *ctx, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (const struct node *n = s->nodes; n != NULL && st == FT_OK; n = n->next) {
        char key[NODE_KEY_SIZE + 20];
        struct buf b;
        if (!n->is_changed)
            continue;
        snprintf(key, sizeof(key), "sparkplug/%s", n->key);
        buf_init(&b, MAX_BIRTH_TEXT);
        write_births(n, &b);
        st = buf_status(&b, err);
        if (st == FT_OK)
            st = put(ctx, key, b.data != NULL ? b.data : "", err);
        buf_free(&b);
    }
    return st;
}

void sparkplug_saved(struct sparkplug *s)
{
    for (struct node *n = s->nodes; n != NULL; n = n->next)
        n->is_changed = false;
}

/* --- nodes ----------------------------------------------------------------------------------- */

static enum ft_status recall(struct sparkplug *s, struct node *n, struct ft_err *err)
{
    char key[NODE_KEY_SIZE + 20];
    snprintf(key, sizeof(key), "sparkplug/%s", n->key);
    char *text = s->load != NULL ? s->load(s->ctx, key) : NULL;
    enum ft_status st = FT_OK;
    if (text != NULL)
        st = read_births(s, n, text, err);
    n->is_alive = n->n > 0;
    free(text);
    return st;
}

/* *out is NULL when there are too many. */
static enum ft_status get_node(struct sparkplug *s, const char *key, struct node **out,
                               struct ft_err *err)
{
    *out = NULL;
    for (struct node *n = s->nodes, *before = NULL; n != NULL; before = n, n = n->next) {
        if (strcmp(n->key, key) != 0)
            continue;
        if (before != NULL) { /* nodes that talk stand in front */
            before->next = n->next;
            n->next = s->nodes;
            s->nodes = n;
        }
        *out = n;
        return FT_OK;
    }
    if (s->stats.n_nodes == SPARKPLUG_MAX_NODES)
        return FT_OK;
    struct node *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a Sparkplug node");
    enum ft_status st = series_map_new(SIZE_MAX, 1, &n->map, err);
    if (st != FT_OK) {
        free(n);
        return st;
    }
    snprintf(n->key, sizeof(n->key), "%s", key);
    n->last_seq = -1;
    n->next = s->nodes;
    s->nodes = n;
    s->stats.n_nodes++;
    *out = n;
    return recall(s, n, err);
}

/* --- messages -------------------------------------------------------------------------------- */

struct topic_parts {
    char node_key[NODE_KEY_SIZE]; /* GROUP/NODE */
    char type[16];
    char node[256], device[256]; /* device "" = none */
};

/* GROUP/TYPE/NODE[/DEVICE] behind the prefix. */
static bool split_topic(const char *topic, struct topic_parts *out)
{
    char group[256];
    char *const parts[] = {group, out->type, out->node, out->device};
    const size_t sizes[] = {sizeof(group), sizeof(out->type), sizeof(out->node),
                            sizeof(out->device)};
    const char *p = topic + strlen(PREFIX);
    size_t n = 0;
    out->device[0] = '\0';
    for (; p != NULL && n < 4; n++) {
        const size_t len = strcspn(p, "/");
        if (len == 0 || len >= sizes[n])
            return false;
        memcpy(parts[n], p, len);
        parts[n][len] = '\0';
        p = p[len] == '/' ? p + len + 1 : NULL;
    }
    const int len = snprintf(out->node_key, sizeof(out->node_key), "%s/%s", group, out->node);
    return p == NULL && n >= 3 && len < NODE_KEY_SIZE;
}

/* One message on its way. */
struct incoming {
    struct sparkplug *s;
    struct live_batch *batch;
    struct node *node;
    const struct topic_parts *topic;
    const char *full_topic;
    size_t place;
    int64_t now_ms;
};

static void refuse(const struct incoming *m, const char *reason)
{
    live_refuse(m->batch, m->place, m->full_topic, strlen(m->full_topic), reason);
}

static void follow_seq(const struct incoming *m, const Sparkplug__Payload *p, bool is_birth)
{
    if (!p->has_seq)
        return;
    const int seq = (int)(p->seq & 0xff);
    if (!is_birth && m->node->last_seq >= 0 && seq != (m->node->last_seq + 1) % 256) {
        m->s->stats.n_gaps++;
        log_debug("sparkplug %s: message %d came after %d: some were lost", m->node->key, seq,
                  m->node->last_seq);
    }
    m->node->last_seq = seq;
}

static bool value_of(const Sparkplug__Metric *m, uint32_t datatype, double *out)
{
    switch (m->value_case) {
    case SPARKPLUG__METRIC__VALUE_INT_VALUE:
        *out = datatype == TYPE_INT8    ? (double)(int8_t)m->int_value
               : datatype == TYPE_INT16 ? (double)(int16_t)m->int_value
               : datatype == TYPE_INT32 ? (double)(int32_t)m->int_value
                                        : (double)m->int_value;
        return true;
    case SPARKPLUG__METRIC__VALUE_LONG_VALUE:
        *out = datatype == TYPE_INT64 ? (double)(int64_t)m->long_value : (double)m->long_value;
        return true;
    case SPARKPLUG__METRIC__VALUE_FLOAT_VALUE:
        *out = (double)m->float_value;
        return true;
    case SPARKPLUG__METRIC__VALUE_DOUBLE_VALUE:
        *out = m->double_value;
        return true;
    case SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE:
        *out = m->boolean_value != 0;
        return true;
    default:
        return false;
    }
}

/* Metrics that steer the node and say nothing about the machine. */
static bool is_control(const char *name)
{
    return strcmp(name, "bdSeq") == 0 || strncmp(name, "Node Control/", 13) == 0 ||
           strncmp(name, "Device Control/", 15) == 0;
}

static enum ft_status add_value(const struct incoming *m, const Sparkplug__Payload *p,
                                const Sparkplug__Metric *metric, struct ft_err *err)
{
    const char *name = metric->name;
    const char *device = m->topic->device;
    uint32_t datatype = metric->has_datatype ? metric->datatype : 0;
    const int64_t k = name != NULL && name[0] != '\0' ? find_by_name(m->node, device, name)
                      : metric->has_alias             ? find_by_alias(m->node, metric->alias)
                                                      : 0;
    if (k > 0) {
        const struct metric *born = &m->node->metrics[k - 1];
        name = born->name;
        device = born->device;
        datatype = datatype != 0 ? datatype : born->datatype;
    } else if (name == NULL || name[0] == '\0') {
        m->s->stats.n_unknown++;
        refuse(m, "the alias of a metric is not known: no birth has named it");
        return FT_OK;
    }
    double value = 0;
    if (is_control(name) || (metric->has_is_null && metric->is_null))
        return FT_OK;
    if (!value_of(metric, datatype, &value)) {
        m->s->stats.n_text++;
        return FT_OK;
    }
    const uint64_t ts = metric->has_timestamp ? metric->timestamp
                        : p->has_timestamp    ? p->timestamp
                                              : (uint64_t)m->now_ms;
    return live_add(m->batch, device[0] != '\0' ? device : m->topic->node, name,
                    ts <= INT64_MAX ? (int64_t)ts : INT64_MAX, value, m->place, m->now_ms, err);
}

static enum ft_status take_birth(const struct incoming *m, const Sparkplug__Payload *p,
                                 struct ft_err *err)
{
    struct node *n = m->node;
    const bool is_node = m->topic->device[0] == '\0';
    enum ft_status st = FT_OK;
    m->s->stats.n_births++;
    n->is_changed = true;
    if (is_node) {
        clear_metrics(m->s, n);
        n->is_alive = true;
    } else {
        drop_device(m->s, n, m->topic->device);
    }
    for (size_t i = 0; i < p->n_metrics && st == FT_OK; i++) {
        const Sparkplug__Metric *metric = p->metrics[i];
        if (metric->name != NULL && metric->name[0] != '\0')
            st = add_metric(m->s, n, m->topic->device, metric->name,
                            metric->has_alias ? metric->alias : UINT64_MAX,
                            metric->has_datatype ? metric->datatype : 0, err);
    }
    return st == FT_OK ? index_all(n, err) : st;
}

static enum ft_status take_payload(const struct incoming *m, const Sparkplug__Payload *p,
                                   struct ft_err *err)
{
    const char *type = m->topic->type;
    const bool is_birth = strcmp(type + 1, "BIRTH") == 0;
    enum ft_status st = FT_OK;
    follow_seq(m, p, is_birth && type[0] == 'N');
    if (is_birth)
        st = take_birth(m, p, err);
    if (st == FT_OK && !m->node->is_alive) {
        refuse(m, "data of a node that has not said what it is: a birth must come first");
        m->s->stats.n_unknown += (int64_t)p->n_metrics;
        return FT_OK;
    }
    for (size_t i = 0; i < p->n_metrics && st == FT_OK; i++)
        st = add_value(m, p, p->metrics[i], err);
    return st;
}

static enum ft_status take_death(const struct incoming *m)
{
    m->s->stats.n_deaths++;
    if (m->topic->type[0] == 'N') {
        m->node->is_alive = false;
        m->node->last_seq = -1;
    }
    log_info("sparkplug %s%s%s has gone", m->node->key, m->topic->device[0] != '\0' ? "/" : "",
             m->topic->device);
    return FT_OK;
}

enum ft_status sparkplug_add(struct sparkplug *s, struct live_batch *b, const char *topic,
                             const void *payload, size_t len, size_t place, int64_t now_ms,
                             struct ft_err *err)
{
    static const char *const types[] = {"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"};
    struct topic_parts parts;
    struct incoming m = {
        .s = s, .batch = b, .topic = &parts, .full_topic = topic, .place = place, .now_ms = now_ms};
    if (!sparkplug_is_topic(topic) || !split_topic(topic, &parts))
        return FT_OK; /* STATE of a host application, which is not for us */
    size_t k = 0;
    while (k < sizeof(types) / sizeof(types[0]) && strcmp(types[k], parts.type) != 0)
        k++;
    if (k == sizeof(types) / sizeof(types[0]))
        return FT_OK; /* commands */
    const enum ft_status st = get_node(s, parts.node_key, &m.node, err);
    if (st != FT_OK)
        return st;
    if (m.node == NULL || len > MAX_PAYLOAD) {
        refuse(&m,
               m.node == NULL ? "too many Sparkplug nodes" : "the payload is larger than 4 MiB");
        return FT_OK;
    }
    if (k >= 4)
        return take_death(&m);
    Sparkplug__Payload *p = sparkplug__payload__unpack(NULL, len, payload);
    if (p == NULL) {
        refuse(&m, "the payload is no Sparkplug B payload");
        return FT_OK;
    }
    const enum ft_status taken = take_payload(&m, p, err);
    sparkplug__payload__free_unpacked(p, NULL);
    return taken;
}
