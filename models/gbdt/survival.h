/* Boosted trees that answer P(failure by t): the trees of an objective of lives and what turns
 * their score into a survival curve.
 *
 *   Cox      score = log relative hazard; Breslow's baseline with Efron weights, from the training
 *            rows
 *   hazard   discrete time: one row per machine and interval at risk, the interval's number one
 *            column more, logistic loss (Tutz and Schmid 2016, chapter 3). A row that is watched
 * for part of an interval only and does not fail in it weighs that part, so right censoring and
 * left truncation need no rounding. Hazards need not be proportional. AFT      the law of the
 * objective (aft_weibull, aft_lognormal, aft_loglogistic) */
#ifndef MODELS_GBDT_SURVIVAL_H
#define MODELS_GBDT_SURVIVAL_H

#include "models/gbdt/gbdt.h"

struct survival_trees; /* opaque; never changes after fit, so any thread may score with it */

/* Fits x and labels as gbdt_fit_labels(); params->objective is GBDT_COX, one of GBDT_AFT_*, or
 * GBDT_LOGISTIC for the discrete-time hazard over n_intervals (1..255) that hold as many failures
 * each as ties allow (labels then as for Cox). FT_INVALID, FT_TOO_FEW, FT_NOMEM. The hazard takes
 * 8 bytes per cell of its long table. The caller ends *out with survival_trees_free(). */
enum ft_status survival_trees_fit(const struct matrix *x, const struct gbdt_labels *labels,
                                  const struct gbdt_params *params, size_t n_intervals,
                                  struct pool *pool, struct survival_trees **out,
                                  struct ft_err *err);

/* A risk of each row into out[x->n_rows], higher = sooner: log relative hazard (Cox), minus the log
 * of the median life (AFT), mean log-odds of failing over the intervals (hazard). */
void survival_trees_predict(const struct survival_trees *m, const struct matrix *x, double *out);
/* P(fails by age + t | alive at age) of one row. Cox: constant beyond the last failure seen;
 * hazard: the rate of the last interval goes on. */
double survival_trees_probability(const struct survival_trees *m, const double *row, double age,
                                  double t);
/* Contributions of one row to the risk, out[n_cols + 1], the last is the base. Of the hazard: the
 * interval itself is counted with the base. */
enum ft_status survival_trees_contributions(const struct survival_trees *m, const double *row,
                                            double *out, struct ft_err *err);
size_t survival_trees_n_cols(const struct survival_trees *m);
/* The trees; the hazard's have one column more, the interval's number. */
const struct gbdt *survival_trees_forest(const struct survival_trees *m);

void survival_trees_write(const struct survival_trees *m, struct buf *out);
enum ft_status survival_trees_read(const char *text, size_t len, struct survival_trees **out,
                                   struct ft_err *err);
void survival_trees_free(struct survival_trees *m); /* NULL is fine */

#endif
