#include "app/fit_import.h"

#include "app/base/file.h"
#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/table.h"
#include "app/version.h"
#include "models/interchange/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_FILE_BYTES = (size_t)1 << 30;

/* Takes the names into a schema; makes some where there are none. */
static enum ft_status name_columns(struct foreign_names *names, size_t n, struct table_schema *s,
                                   struct ft_err *err)
{
    s->features = calloc(n, sizeof(*s->features));
    if (s->features == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n);
    for (size_t j = 0; j < n; j++) {
        char name[32];
        snprintf(name, sizeof(name), "c%zu", j);
        s->features[j].name = strdup(names->n == n ? names->names[j] : name);
        if (s->features[j].name == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n);
        s->n_features++;
    }
    return FT_OK;
}

/* Takes and frees the JSON. */
static enum ft_status set_json(struct model *m, const char *key, cJSON *value, struct ft_err *err)
{
    char *text = value != NULL ? json_print(value, false) : NULL;
    const enum ft_status st = text != NULL ? model_set_text(m, key, text, err)
                                           : ft_fail(err, FT_NOMEM, "import: no memory");
    cJSON_free(text);
    cJSON_Delete(value);
    return st;
}

static cJSON *describe(const struct model *m, const char *program)
{
    cJSON *p = cJSON_CreateObject();
    json_add_string(p, "imported_from", program);
    json_add_string(p, "task", model_task_name(model_task_of(m)));
    if (model_task_of(m) == TASK_CLASSIFY) {
        cJSON *values = json_add_array(p, "label_values");
        json_add_number(values, NULL, 0);
        json_add_number(values, NULL, 1);
    }
    return p;
}

static enum ft_status describe_model(struct model *m, struct foreign_names *names,
                                     const struct buf *file, const char *program,
                                     struct ft_err *err)
{
    struct table_schema schema = {0};
    char fingerprint[HASH_HEX_SIZE];
    hash_sha256(file->data, file->len, fingerprint);
    enum ft_status st = name_columns(names, model_n_cols(m), &schema, err);
    if (st == FT_OK)
        st = set_json(m, "features", table_schema_features(&schema), err);
    if (st == FT_OK)
        st = set_json(m, "table", table_schema_rest(&schema), err);
    if (st == FT_OK)
        st = set_json(m, "params", describe(m, program), err);
    if (st == FT_OK)
        st = model_set_text(m, "fingerprint", fingerprint, err);
    if (st == FT_OK)
        st = model_set_text(m, "seed", "0", err);
    if (st == FT_OK)
        st = model_set_text(m, "build", FETTLE_VERSION, err);
    if (st == FT_OK)
        st = model_set_text(m, "source", "fit", err);
    table_schema_free(&schema);
    return st;
}

enum ft_status fit_import(const char *path, struct buf *out, struct ft_err *err)
{
    struct buf file;
    struct model *m = NULL;
    struct foreign_names names = {0};
    buf_init(&file, MAX_FILE_BYTES);
    enum ft_status st = file_read(path, &file, err);
    if (st == FT_OK && file.len == 0)
        st = ft_fail(err, FT_INVALID, "%s: the file is empty", path);
    if (st == FT_OK) {
        const bool is_json = file.data[strspn(file.data, " \t\r\n")] == '{';
        st = is_json ? xgboost_import(file.data, file.len, &m, &names, err)
                     : lightgbm_import(file.data, file.len, &m, &names, err);
        if (st == FT_OK)
            st = describe_model(m, &names, &file, is_json ? "xgboost" : "lightgbm", err);
        if (st != FT_OK)
            ft_err_prefix(err, "%s", path);
    }
    if (st == FT_OK)
        st = model_save(m, out, err);
    foreign_names_free(&names);
    model_free(m);
    buf_free(&file);
    return st;
}
