#include "app/fit_source.h"

#include "app/base/file.h"
#include "app/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t MAX_BYTES = 65536;

/* The first n bytes of a, then b; NULL without memory. */
static char *join(const char *a, size_t n, const char *b)
{
    const size_t size = n + strlen(b) + 1;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "%.*s%s", (int)n, a, b);
    return text;
}

static char *source_path(const char *model_path)
{
    return join(model_path, strlen(model_path), ".source");
}

static void add_place(cJSON *files, const char *path)
{
    if (path == NULL)
        return;
    char *full = realpath(path, NULL);
    json_add_string(files, NULL, full != NULL ? full : path);
    free(full);
}

enum ft_status fit_source_write(const struct fit_request *q, const char *model_path,
                                struct ft_err *err)
{
    const bool is_npy = table_is_npy(q->path);
    cJSON *object = cJSON_CreateObject();
    cJSON *files = json_add_array(object, "files");
    add_place(files, q->path);
    if (is_npy) {
        add_place(files, q->label);
        add_place(files, q->event);
        add_place(files, q->group);
        add_place(files, q->time);
    }
    char *text = json_print(object, true);
    char *path = source_path(model_path);
    const enum ft_status st = text != NULL && path != NULL
                                  ? file_write(path, text, strlen(text), err)
                                  : ft_fail(err, FT_NOMEM, "%s.source: no memory", model_path);
    cJSON_free(text);
    free(path);
    cJSON_Delete(object);
    return st;
}

/* The list of MODEL.source; NULL when there is none that can be read. */
static cJSON *read_places(const char *model_path)
{
    struct buf b;
    struct ft_err ignored;
    cJSON *object = NULL;
    char *path = source_path(model_path);
    buf_init(&b, MAX_BYTES);
    if (path != NULL && file_read(path, &b, &ignored) == FT_OK && b.data != NULL)
        (void)json_parse(b.data, b.len, &object, &ignored);
    buf_free(&b);
    free(path);
    return object;
}

static char *beside(const char *model_path, const char *name)
{
    const char *slash = strrchr(model_path, '/');
    return join(model_path, slash != NULL ? (size_t)(slash - model_path) + 1 : 0, name);
}

enum ft_status fit_source_find(const char *model_path, const char *const *names, size_t n,
                               char **place, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    cJSON *object = read_places(model_path);
    const cJSON *files = object != NULL ? json_get(object, "files") : NULL;
    for (size_t i = 0; i < n; i++)
        place[i] = NULL;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        const cJSON *known = cJSON_IsArray(files) ? cJSON_GetArrayItem(files, (int)i) : NULL;
        if (known != NULL && cJSON_IsString(known) && access(known->valuestring, R_OK) == 0)
            place[i] = strdup(known->valuestring);
        else if (access(names[i], R_OK) == 0)
            place[i] = strdup(names[i]);
        else
            place[i] = beside(model_path, names[i]);
        if (place[i] == NULL)
            st = ft_fail(err, FT_NOMEM, "replay: no memory");
        else if (access(place[i], R_OK) != 0)
            st = ft_fail(err, FT_NOT_FOUND,
                         "%s: not where it was, not here and not beside the model; say where: "
                         "fettle replay %s PLACE/%s",
                         names[i], model_path, names[i]);
    }
    cJSON_Delete(object);
    return st;
}
