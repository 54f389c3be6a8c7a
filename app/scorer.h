/* The champions of one class, ready to score: model files, feature sets and age-only models.
 * Shared by scoring (the newest instant) and evaluation (many past instants). */
#ifndef APP_SCORER_H
#define APP_SCORER_H

#include "app/age_model.h"
#include "app/features.h"
#include "app/history.h"
#include "models/model.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct scorer_model {
    int64_t id;
    char kind[24];
    size_t component; /* HISTORY_NO_INDEX = the asset as a whole */
    bool is_rul;
    int64_t horizon_ms; /* 0 for rul */
    int64_t until_ms, created_ms;
    double cap, unit_ms; /* rul */
    double threshold;    /* failure: of best F1 out of fold; NaN = unknown */
    double coverage;     /* rul: of the interval */
    struct model *model;
    struct feature_set *fs;
    size_t fs_group; /* models with equal feature sets share a group: one computation */
    cJSON *residuals, *counts;
};

struct scorer {
    struct scorer_model *models;
    size_t n_models;
    size_t n_groups;
    const struct scorer_model **group; /* [n_groups] one model of each */
};

/* Loads the champions of the history's class: the newest of each component and target. */
enum ft_status scorer_load(struct db *db, const struct history *h, struct scorer **out,
                           struct ft_err *err);
void scorer_free(struct scorer *s); /* NULL is fine */

/* The champion for a component of the target, or NULL. */
const struct scorer_model *scorer_model_for(const struct scorer *s, bool is_rul, size_t component);

/* Raw and final prediction of one feature row (rul: clipped to [0, cap], in units). */
double scorer_raw(const struct scorer_model *m, const float *row, double *wide);
double scorer_final(const struct scorer_model *m, double raw);

#endif
