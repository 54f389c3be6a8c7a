/* Steps of fit_job.c: reading (fit_table.c), search (fit_search.c), memory (fit_memory.c) and what
 * the model file says about itself (fit_describe.c). */
#ifndef APP_FIT_PRIVATE_H
#define APP_FIT_PRIVATE_H

#include "app/fit_job.h"

#include <pthread.h>

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

/* SHA-256 of each file of a fit, taken on a thread of its own while the fit runs. */
enum { FIT_MAX_FILES = 5 }; /* the table, for .npy label, event, group and time */
struct fit_hashes {
    const char *name[FIT_MAX_FILES], *place[FIT_MAX_FILES]; /* as asked for, and where it lies */
    char hex[FIT_MAX_FILES][HASH_HEX_SIZE];
    size_t n;
    pthread_t thread;
    bool is_running;
    enum ft_status status;
    struct ft_err err;
};
/* Begins; with one thread only, or when none can be had, fit_hashes_end() does the work. q and h
 * must stay until then. */
void fit_hashes_begin(const struct fit_request *q, size_t n_threads, struct fit_hashes *h);
/* Waits for the sums: must be called once after fit_hashes_begin(). is_wanted false: only waits. */
enum ft_status fit_hashes_end(struct fit_hashes *h, bool is_wanted, struct ft_err *err);

enum ft_status fit_describe(const struct fit_request *q, struct fit_outcome *o,
                            const struct fit_label *label, const struct fit_hashes *hashes,
                            struct ft_err *err);

#endif
