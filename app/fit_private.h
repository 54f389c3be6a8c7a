/* Steps of fit_job.c: reading (fit_table.c), search (fit_search.c), memory (fit_memory.c) and what
 * the model file says about itself (fit_describe.c). */
#ifndef APP_FIT_PRIVATE_H
#define APP_FIT_PRIVATE_H

#include "app/fit_job.h"

/* The two values of a classification's label. */
struct fit_label {
    double low, high;
};

/* Where the k-th named file lies; counts k when there is one. */
const char *fit_place_of(const struct fit_request *q, const char *name, size_t *k);
/* What follows the last '/'. */
const char *fit_base_name(const char *path);

enum ft_status fit_read_table(const struct fit_request *q, struct pool *pool, struct fit_outcome *o,
                              struct ft_err *err);
enum ft_status fit_settle_task(const struct fit_request *q, struct fit_outcome *o,
                               struct fit_label *label, struct ft_err *err);

/* Candidates and metric, once the task is settled. */
enum ft_status fit_settle_specs(const struct fit_request *q, struct fit_outcome *o,
                                struct ft_err *err);

struct model_rows fit_rows_of(const struct table *t);
/* What a candidate becomes when it learns from all rows: with a patience, trees as many as the
 * folds needed on average, and none held out. */
struct model_spec fit_spec_for_all(const struct model_spec *spec, size_t n_trees);
/* Folds, memory, validation, the choice, the nested estimate. */
enum ft_status fit_search(const struct fit_request *q, struct fit_outcome *o, struct pool *pool,
                          struct ft_err *err);
/* Checks the memory of a run without cross-validation, too: *n_at_once is how many jobs may run at
 * the same time. FT_CONFLICT says how much would do. n_rows and n_cols are those of the table,
 * expected ones when it was not read to its end. */
enum ft_status fit_plan_memory(const struct fit_request *q, struct fit_outcome *o, size_t n_rows,
                               size_t n_cols, size_t n_threads, size_t *n_at_once,
                               struct ft_err *err);

enum ft_status fit_describe(const struct fit_request *q, struct fit_outcome *o,
                            const struct fit_label *label, struct ft_err *err);

#endif
