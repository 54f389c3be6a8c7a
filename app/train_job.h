/* Training of one asset class: dataset -> candidates x folds on one pool -> out-of-fold metrics,
 * calibration, the verdict against the age-only baseline -> a result that the registry stores.
 * Nothing is written here, so a child process with a read-only database can do it; the result
 * travels as JSON.
 *
 * Parts: train_job.c (data, folds, the parallel map), train_leaks.c (columns that know the
 * future), train_judge.c (metrics, calibration, verdict), train_rul.c (the same for remaining
 * lives), train_result.c (the result as JSON). */
#ifndef APP_TRAIN_JOB_H
#define APP_TRAIN_JOB_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/model.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum { TRAIN_DEFAULT_FOLDS = 5, TRAIN_MAX_FOLDS = 20 };
#define TRAIN_DEFAULT_CAP_CYCLES 125.0
#define TRAIN_DEFAULT_MEMORY (INT64_C(2) << 30)
#define TRAIN_COVERAGE 0.9 /* of the conformal interval */

struct train_options {
    const char *class_name;
    bool is_rul;
    const char *component; /* NULL = the asset as a whole, "all" = each that ever failed */
    int64_t horizon_ms;    /* failure */
    double cap_units;      /* rul, in cycles or days; 0 = 125 cycles, or the longest life */
    size_t folds;          /* 2..TRAIN_MAX_FOLDS; 0 = 5, fewer when there are fewer assets */
    bool is_by_time;       /* failure: folds forward in time with an embargo, not by asset */
    unsigned kinds;        /* bit 1 << enum model_kind; 0 = all that fit the target */
    int64_t until_ms;      /* nothing later is used; DB_NO_TIME = all data */
    uint64_t seed;
    const char
        *trusted; /* sensors and attributes, by commas, that leak_guard.h lets pass; or NULL */
    int64_t memory_bytes; /* ceiling of the feature matrices; rows are thinned to fit; 0 = 2 GiB */
};

/* Called from the pool's threads: stage in words, done of total. May be NULL. */
typedef void (*train_progress)(void *ctx, const char *stage, size_t done, size_t total);

/* One candidate after its refit on all training rows. */
struct train_model {
    int64_t component_id; /* 0 = the asset as a whole */
    char kind[24];
    bool is_champion; /* the best, and better than age alone */
    bool beats_baseline;
    char *reason;                      /* why, in words */
    char *params, *features, *metrics; /* JSON texts */
    char *fingerprint;                 /* SHA-256 of the training matrix and labels, hex */
    char *sha256;                      /* of body */
    char *body;                        /* model file */
    size_t body_len;
    double score, score_se; /* out-of-fold log loss or RMSE; lower is better; se over assets */
};

struct train_result {
    int64_t class_id;
    char *class_name;
    char *target; /* "failure", "rul" */
    int64_t horizon_ms, until_ms;
    uint64_t seed;
    struct train_model *models;
    size_t n_models;
    /* {"class","target",...,"components":[{"component","champion","candidates":[{"kind","cv",
     * "seconds","baseline","reason","champion","model":index or null}]}]} */
    cJSON *report;
};

/* FT_INVALID: an option is out of range. FT_NOT_FOUND: class or component. FT_TOO_FEW: the data
 * cannot carry a model; the text says what is missing. FT_INTERRUPTED when is_interrupted() (may be
 * NULL) said so. The caller ends *out with train_result_free(). */
enum ft_status train_job_run(struct db *reader, const struct train_options *o, struct pool *pool,
                             bool (*is_interrupted)(void), train_progress progress, void *ctx,
                             struct train_result **out, struct ft_err *err);
void train_result_free(struct train_result *r);

/* As JSON with the model files inside, for the child process. */
cJSON *train_result_to_json(const struct train_result *r);
enum ft_status train_result_from_json(const cJSON *json, struct train_result **out,
                                      struct ft_err *err);

#endif
