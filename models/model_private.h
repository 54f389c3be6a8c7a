/* Inside of struct model and the table of kinds. */
#ifndef MODELS_MODEL_PRIVATE_H
#define MODELS_MODEL_PRIVATE_H

#include "models/model.h"

/* What a kind can do with its own fitted object. */
struct model_ops {
    const char *name;
    unsigned tasks;    /* bit 1 << task for each task it takes */
    bool takes_floats; /* fit and predict take matrices of either kind; else of doubles only */
    enum ft_status (*fit)(const struct model_spec *spec, const struct model_rows *rows,
                          struct pool *pool, void **out, struct ft_err *err);
    void (*predict)(const void *fitted, const struct matrix *x, double *out);
    enum ft_status (*contributions)(const void *fitted, const double *row, double *out,
                                    struct ft_err *err);
    double (*probability)(const void *fitted, const double *row, double age,
                          double t);                  /* or NULL */
    double (*answer)(const void *fitted, double raw); /* of a regression; NULL = the raw value */
    size_t (*n_cols)(const void *fitted);
    size_t (*n_trees)(const void *fitted);                       /* or NULL */
    bool (*fits_task)(const void *fitted, enum model_task task); /* NULL = always */
    void (*write)(const void *fitted, struct buf *out);
    enum ft_status (*read)(const char *text, size_t len, void **out, struct ft_err *err);
    void (*free)(void *fitted);
};

/* The ops of a kind; NULL for a number that is none. */
const struct model_ops *model_ops_of(enum model_kind kind);

struct model_attachment {
    char *key, *value; /* owned */
};

struct model {
    enum model_kind kind;
    enum model_task task;
    const struct model_ops *ops;
    void *fitted; /* owned, by ops */
    struct calibration *calibration;
    struct conformal *conformal;
    struct conformal_cross *cross; /* or NULL, and then the models of its folds */
    struct model **folds;          /* [n_folds] */
    size_t n_folds;
    struct model_attachment *texts; /* [n_texts], keys in rising order */
    size_t n_texts;
};

#define MODEL_MAX_TEXTS 256

/* [a-z0-9_]{1,63} */
bool model_key_is_valid(const char *key, size_t len);

#endif
