/* One interface over all kinds of supervised models, and their file. A model file is a text of
 * sections, versioned, without code, closed by a CRC-32 line (docs/reference has the format). */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "app/base/buf.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/aft.h"
#include "models/calibrate.h"
#include "models/conformal_cross.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_kind {
    MODEL_GBDT,
    MODEL_LOGISTIC,
    MODEL_RIDGE,
    MODEL_COX,
    MODEL_AFT,
    MODEL_WEIBULL_AGE,
    MODEL_GBDT_SURVIVAL,
    MODEL_GBDT_PRODUCTS /* trees that search products and ratios of columns (models/products.h) */
};
enum model_task { TASK_CLASSIFY, TASK_REGRESS, TASK_SURVIVAL };

/* gbdt, hazard_logit, ridge, cox, aft, weibull_age, gbdt_survival, gbdt_products */
const char *model_kind_name(enum model_kind kind);
const char *model_task_name(enum model_task task);

/* What to fit; members that a kind does not use are ignored. */
struct model_spec {
    enum model_kind kind;
    enum model_task task;
    size_t n_trees, max_leaves, max_depth, n_bins;
    double rate, row_sample, col_sample, min_child_weight;
    double lambda;   /* trees: L2 of leaves; linear, cox, aft: penalty */
    double l1_share; /* linear: share of the penalty that is L1 (elastic net), 0..1 */
    double horizon;  /* weibull_age only: P(failure within) of this length, unit of the ages */
    enum aft_kind distribution; /* aft only */
    uint64_t seed;
    /* Trees. objective: a number of enum gbdt_objective that goes with the task, -1 = logistic to
     * classify, squared to regress (or absolute, quantile, poisson), Cox for survival (or
     * aft_weibull, aft_lognormal, aft_loglogistic, or logistic = discrete-time hazard). */
    int objective;
    double quantile;    /* of objective quantile */
    size_t n_intervals; /* of the discrete-time hazard */
    double alpha;       /* L1 of leaves */
    /* To classify, trees and linear: rows with y = 1 count this often; 0 = as often as makes both
     * classes weigh the same. */
    double positive_weight;
    size_t patience; /* gbdt, gbdt_survival: trees without a lower loss of rows.held_out after which
                        growing ends; 0 = all trees are grown */
    /* gbdt, gbdt_survival: [n_cols] as in gbdt_params, borrowed; NULL = all free */
    const int8_t *monotone;
    /* gbdt with squared loss: the mean with a forest of so many trees (gbdt/bagged.h); 0 = none */
    size_t n_forest;
    /* gbdt: [n_cols] as in gbdt_params, borrowed; other kinds take the numbers of categories as
     * numbers. NULL = none */
    const bool *is_category;
};
/* The trees' defaults of gbdt_params_default(); lambda 1; Weibull; horizon 0, which weibull_age
 * refuses; no L1; the task's own objective; median; 20 intervals; classes as they are; no stopping
 * early; no monotone columns, no categories. */
struct model_spec model_spec_default(enum model_kind kind, enum model_task task);

/* Is this a pair that model_fit() takes? gbdt, gbdt_products: classify, regress; hazard_logit:
 * classify; ridge: regress; cox, aft, weibull_age and gbdt_survival: survival. */
bool model_kind_takes(enum model_kind kind, enum model_task task);
/* Do monotone columns and stopping early go with the kind: plain trees? */
bool model_kind_is_trees(enum model_kind kind);
/* Index of the kind or task with this name, -1 when there is none. */
int model_kind_by_name(const char *name);
int model_task_by_name(const char *name);

struct binned; /* models/gbdt/bin.h */

/* Training rows. y: 0/1, a value, or the time of a survival task. */
struct model_rows {
    struct matrix x;
    const double *y;
    const bool *failed;   /* survival only: failed at y, else right-censored there */
    const double *entry;  /* survival only: left truncation; NULL = all 0 */
    const double *weight; /* NULL = all 1 */
    /* gbdt_survival with an AFT objective only: the failure lies in [y, upper], infinite = it was
     * not seen, failed is not read then; NULL = as failed says. */
    const double *upper;
    /* gbdt only: bins of exactly these rows with the spec's n_bins and is_category
     * (gbdt_fit_binned()); then only the shape of x is used. NULL = they are made. */
    const struct binned *bins;
    /* Rows to stop early on, read when the spec has a patience: x, y, failed, entry, weight. */
    const struct model_rows *held_out;
};

struct model; /* opaque; never changes after fit or load, so any thread may score with it */

/* FT_INVALID: kind and task do not go together, a parameter or a value is out of range. FT_TOO_FEW,
 * FT_NOMEM. A matrix of floats is taken as it is by gbdt and copied to doubles for the other kinds.
 * weibull_age with fewer than two failures is fitted with the shape held at 1. The caller
 * ends *out with model_free(). */
enum ft_status model_fit(const struct model_spec *spec, const struct model_rows *rows,
                         struct pool *pool, struct model **out, struct ft_err *err);

/* Raw predictions of each row: log-odds, value, or log relative hazard (survival; higher = sooner).
 * weibull_age: column 0 is the age (a missing one counts as 0), raw is the log-odds of failing
 * within the spec's horizon. x has the model's columns. Kinds other than gbdt widen the rows of a
 * matrix of floats one at a time; without memory for one row the answers are NaN. */
void model_predict_raw(const struct model *m, const struct matrix *x, double *out);
/* Final predictions: probability (calibrated once a calibration is attached; also of weibull_age),
 * value, or log relative hazard. */
void model_predict(const struct model *m, const struct matrix *x, double *out);
/* What model_predict() makes of one raw prediction. */
double model_final_of_raw(const struct model *m, double raw);
/* Survival models: P(fails by age + t | alive at age) of one row; NaN for the other tasks. */
double model_failure_probability(const struct model *m, const double *row, double age, double t);
/* Contributions of one row to the raw prediction, out[n_cols + 1], the last is the base. */
enum ft_status model_contributions(const struct model *m, const double *row, double *out,
                                   struct ft_err *err);

/* Attachments, owned by the model after the call: a calibration, a conformal band, texts by key
 * (key [a-z0-9_]{1,63}, any UTF-8 value; a second value replaces the first). Keys in use: features
 * (JSON array of names), fingerprint (SHA-256 of the training data), seed, params, metrics (JSON),
 * build (version of the program). */
void model_set_calibration(struct model *m, struct calibration *c);
void model_set_conformal(struct model *m, struct conformal *c);
const struct conformal *model_conformal(const struct model *m);
/* A CV+ interval in place of the conformal band: folds[n] (an array of the heap, as many as the
 * interval has folds) are the models of the folds, of the same kind; m owns all of it from now on.
 */
void model_set_cross(struct model *m, struct conformal_cross *c, struct model **folds, size_t n);
/* Interval of each row of x with final predictions prediction[x->n_rows]: the band's or CV+'s; NaN
 * where the model states none. FT_NOMEM. */
enum ft_status model_intervals(const struct model *m, const struct matrix *x,
                               const double *prediction, double *lower, double *upper,
                               struct ft_err *err);
double model_coverage(const struct model *m); /* as stated; NaN = no interval */
enum ft_status model_set_text(struct model *m, const char *key, const char *value,
                              struct ft_err *err);
const char *model_text(const struct model *m, const char *key); /* NULL when absent */

enum model_kind model_kind_of(const struct model *m);
enum model_task model_task_of(const struct model *m);
size_t model_n_cols(const struct model *m);
size_t model_n_trees(const struct model *m); /* gbdt and gbdt_survival; 0 for other kinds */

/* The file. model_load() refuses damaged, newer or hostile text with FT_INVALID (fuzzed). */
enum ft_status model_save(const struct model *m, struct buf *out, struct ft_err *err);
enum ft_status model_load(const char *text, size_t len, struct model **out, struct ft_err *err);
void model_free(struct model *m); /* NULL is fine */

#endif
