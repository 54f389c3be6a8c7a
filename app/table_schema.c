#include "app/table.h"

#include <stdlib.h>
#include <string.h>

static void column_free(struct table_column *c)
{
    free(c->name);
    for (size_t i = 0; i < c->n_levels; i++)
        free(c->levels[i]);
    free(c->levels);
    *c = (struct table_column){0};
}

void table_schema_free(struct table_schema *s)
{
    for (size_t j = 0; j < s->n_features; j++)
        column_free(&s->features[j]);
    free(s->features);
    column_free(&s->label);
    free(s->group);
    free(s->event);
    *s = (struct table_schema){0};
}

cJSON *table_schema_features(const struct table_schema *s)
{
    cJSON *names = cJSON_CreateArray();
    for (size_t j = 0; j < s->n_features; j++)
        json_add_string(names, NULL, s->features[j].name);
    return names;
}

static void add_levels(cJSON *to, const struct table_column *c)
{
    if (c->levels == NULL)
        return;
    cJSON *levels = json_add_array(to, c->name);
    for (size_t i = 0; i < c->n_levels; i++)
        json_add_string(levels, NULL, c->levels[i]);
}

cJSON *table_schema_rest(const struct table_schema *s)
{
    cJSON *rest = cJSON_CreateObject();
    json_add_string(rest, "label", s->label.name);
    json_add_string(rest, "group", s->group);
    json_add_string(rest, "event", s->event);
    cJSON *levels = json_add_object(rest, "levels");
    for (size_t j = 0; j < s->n_features; j++)
        add_levels(levels, &s->features[j]);
    cJSON *label_levels = json_add_object(rest, "label_levels");
    add_levels(label_levels, &s->label);
    return rest;
}

/* --- back ------------------------------------------------------------------------------------- */

static enum ft_status copy_text(const cJSON *object, const char *key, char **out,
                                struct ft_err *err)
{
    const char *text = NULL;
    const enum ft_status st = json_string(object, key, false, &text, err);
    if (st != FT_OK || text == NULL)
        return st;
    *out = strdup(text);
    return *out != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "schema: no memory");
}

static enum ft_status parse_levels(const cJSON *all, struct table_column *c, struct ft_err *err)
{
    const cJSON *list = NULL, *level;
    const enum ft_status st = json_array(all, c->name, false, &list, err);
    if (st != FT_OK || list == NULL)
        return st;
    c->levels = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*c->levels));
    if (c->levels == NULL)
        return ft_fail(err, FT_NOMEM, "schema: no memory");
    cJSON_ArrayForEach (level, list) {
        if (!cJSON_IsString(level))
            return ft_fail(err, FT_INVALID, "schema: levels of '%.80s' are no texts", c->name);
        c->levels[c->n_levels] = strdup(level->valuestring);
        if (c->levels[c->n_levels] == NULL)
            return ft_fail(err, FT_NOMEM, "schema: no memory");
        c->n_levels++;
    }
    return FT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Columns and their levels are looked up by name. */
static enum ft_status check_distinct(const struct table_schema *s, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    const char **names = calloc(s->n_features + 1, sizeof(*names));
    if (names == NULL)
        return ft_fail(err, FT_NOMEM, "schema: no memory");
    for (size_t j = 0; j < s->n_features; j++)
        names[j] = s->features[j].name;
    qsort(names, s->n_features, sizeof(*names), by_name);
    for (size_t j = 1; j < s->n_features && st == FT_OK; j++)
        if (strcmp(names[j - 1], names[j]) == 0)
            st = ft_fail(err, FT_INVALID, "schema: column '%.80s' occurs twice", names[j]);
    free(names);
    return st;
}

static enum ft_status fill(const cJSON *names, const cJSON *rest, struct table_schema *s,
                           struct ft_err *err)
{
    const cJSON *name, *levels = NULL, *label_levels = NULL;
    if (!cJSON_IsArray(names) || !cJSON_IsObject(rest))
        return ft_fail(err, FT_INVALID, "schema: expected an array and an object");
    enum ft_status st = json_object(rest, "levels", true, &levels, err);
    if (st == FT_OK)
        st = json_object(rest, "label_levels", true, &label_levels, err);
    if (st != FT_OK)
        return st;
    s->features = calloc((size_t)cJSON_GetArraySize(names) + 1, sizeof(*s->features));
    if (s->features == NULL)
        return ft_fail(err, FT_NOMEM, "schema: no memory");
    cJSON_ArrayForEach (name, names) {
        struct table_column *c = &s->features[s->n_features];
        if (!cJSON_IsString(name))
            return ft_fail(err, FT_INVALID, "schema: a feature name is no text");
        c->name = strdup(name->valuestring);
        if (c->name == NULL)
            return ft_fail(err, FT_NOMEM, "schema: no memory");
        s->n_features++;
        st = parse_levels(levels, c, err);
        if (st != FT_OK)
            return st;
    }
    st = check_distinct(s, err);
    if (st == FT_OK)
        st = copy_text(rest, "label", &s->label.name, err);
    if (st == FT_OK && s->label.name != NULL)
        st = parse_levels(label_levels, &s->label, err);
    if (st == FT_OK)
        st = copy_text(rest, "group", &s->group, err);
    if (st == FT_OK)
        st = copy_text(rest, "event", &s->event, err);
    return st;
}

enum ft_status table_schema_parse(const char *features, const char *rest, struct table_schema *out,
                                  struct ft_err *err)
{
    cJSON *names = NULL, *object = NULL;
    *out = (struct table_schema){0};
    enum ft_status st = json_parse(features, strlen(features), &names, err);
    if (st == FT_OK)
        st = json_parse(rest, strlen(rest), &object, err);
    if (st == FT_OK)
        st = fill(names, object, out, err);
    cJSON_Delete(names);
    cJSON_Delete(object);
    return st;
}
