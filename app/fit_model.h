/* A model file made by `fettle fit`, opened again. */
#ifndef APP_FIT_MODEL_H
#define APP_FIT_MODEL_H

#include "app/base/buf.h"
#include "app/base/json.h"
#include "app/base/status.h"
#include "app/table.h"
#include "models/model.h"

#include <stdbool.h>

struct fit_model {
    struct model *model;
    struct buf bytes; /* of the file */
    cJSON *params;
    struct table_schema schema;
    bool is_binary; /* a classification: its label values */
    double low, high;
};

/* FT_NOT_FOUND, FT_IO; FT_INVALID: no model file, or not one of `fettle fit`. fit_model_close() in
 * any case. */
enum ft_status fit_model_open(const char *path, struct fit_model *out, struct ft_err *err);
void fit_model_close(struct fit_model *m);

#endif
