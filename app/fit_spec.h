/* Model specifications as JSON, and grids of them. Keys: model, trees, leaves, depth, bins, rate,
 * lambda, min_child_weight, row_sample, col_sample, distribution, objective, quantile, l1_share,
 * alpha, class_weight (a number or "balanced"), early_stopping (trees without a better loss). */
#ifndef APP_FIT_SPEC_H
#define APP_FIT_SPEC_H

#include "app/base/json.h"
#include "app/base/status.h"
#include "models/model.h"

#include <stddef.h>

#define FIT_SPEC_MAX 1000

struct fit_specs {
    struct model_spec *items; /* owned */
    size_t n;
};

/* base with the members of the object put over it. FT_INVALID names an unknown or wrong member. */
enum ft_status fit_spec_from_json(const cJSON *object, const struct model_spec *base,
                                  struct model_spec *out, struct ft_err *err);
/* The members that the kind uses. */
cJSON *fit_spec_to_json(const struct model_spec *spec);

/* A grid: an array of objects (one candidate each), or one object whose members may be arrays
 * (every combination; the last member varies fastest). With a member "random" (how many), that many
 * candidates are drawn by the seed: from arrays one value, from {"from", "to"} a number in between,
 * with "log": true evenly in its logarithm, for whole numbers rounded. At most FIT_SPEC_MAX
 * candidates. fit_specs_free() in any case. */
enum ft_status fit_specs_from_json(const cJSON *grid, const struct model_spec *base, uint64_t seed,
                                   struct fit_specs *out, struct ft_err *err);
/* How much a model of this specification can bend: leaves of all trees; linear kinds are below all
 * trees, and below each other the more they are penalised. */
double fit_spec_complexity(const struct model_spec *spec);
enum ft_status fit_specs_add(struct fit_specs *s, const struct model_spec *spec,
                             struct ft_err *err);
void fit_specs_free(struct fit_specs *s);
/* "balanced" gives 0, a number above 0 itself; false for anything else. */
bool fit_class_weight(const char *text, double *out);

/* Kind by the name used on the command line (logistic stands for hazard_logit), -1 = none. */
int fit_kind_by_name(const char *name);

#endif
