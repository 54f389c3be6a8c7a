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
    bool has_band; /* lives: limits of a row's own curve, as probabilities of failing by them */
    double band_lower, band_upper, band_coverage, longest;
};

/* FT_NOT_FOUND, FT_IO; FT_INVALID: no model file, or not one of `fettle fit`. fit_model_close() in
 * any case. */
enum ft_status fit_model_open(const char *path, struct fit_model *out, struct ft_err *err);
void fit_model_close(struct fit_model *m);

/* Limits of the life of one row, from age 0: the stated share of lives lies between. upper is
 * infinite where the curve does not reach it; both NaN when the model states none. */
void fit_model_life_limits(const struct fit_model *m, const double *row, double *lower,
                           double *upper);

#endif
