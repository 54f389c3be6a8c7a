/* What a fit says about its out-of-fold predictions once the candidate is chosen: metrics with
 * intervals, the calibration map, the coverage of its intervals, permutation importance. Whatever
 * is fitted here (maps, bands) is judged crosswise: fitted without a fold, looked at on it. */
#ifndef APP_FIT_STUDY_H
#define APP_FIT_STUDY_H

#include "app/fit_job.h"
#include "app/folds.h"

/* Fills o->study, o->calibration, o->band and o->cross from o->results, o->fold_of and, where
 * needed, kept[folds->n] models of the chosen candidate's folds (moved out where o keeps them;
 * NULL members = none were kept). FT_NOMEM, FT_INVALID. */
enum ft_status fit_study(const struct fit_request *q, struct fit_outcome *o,
                         const struct folds *folds, struct model **kept, struct pool *pool,
                         struct ft_err *err);
/* Are the models of the folds needed? */
bool fit_study_keeps(const struct fit_request *q, enum model_task task);

/* Gives the final model its map, band or interval. */
enum ft_status fit_study_attach(const struct fit_request *q, struct fit_outcome *o,
                                struct ft_err *err);

#endif
