/* Why a forecast says what it says: contributions of the features, gathered by sensor, alarm, part
 * and so on, in words and in probability points that sum to the forecast. */
#ifndef APP_REASONS_H
#define APP_REASONS_H

#include "app/base/status.h"
#include "app/features.h"
#include "app/forecast.h"
#include "app/history.h"

#include <stddef.h>

/* Probability for a raw prediction of the model, at the horizon the points are meant for. */
typedef double (*reason_probability)(const void *ctx, double raw);

/* contributions[fs->n + 1] as models give them (the last is the base), row[fs->n] the features.
 * Groups are added one by one from the base, greatest first, and each is given the change of
 * probability that it makes; so base_points + points = probability exactly. The smallest groups
 * are joined in a last reason "all else". Fills f->base_points, f->reasons, f->n_reasons.
 * FT_NOMEM only. */
enum ft_status reasons_fill(const struct feature_set *fs, const struct history *h, size_t asset,
                            const float *row, const double *contributions, reason_probability p,
                            const void *ctx, struct forecast *f, struct ft_err *err);

/* Joins the reasons of the components of an asset into those of the asset: the greatest stay, the
 * rest and the difference to p go to "all else". names[i] is the component of parts[i]. p is the
 * probability that the points must sum to. */
void reasons_join(const struct forecast *const *parts, const char *const *names, size_t n, double p,
                  struct forecast *out);

#endif
