/* What a fit answers: JSON, text, and the out-of-fold predictions. */
#ifndef APP_FIT_REPORT_H
#define APP_FIT_REPORT_H

#include "app/fit_job.h"

#include <stdio.h>

/* out is where the model was written. NULL without memory. */
cJSON *fit_report_json(const struct fit_outcome *o, const char *out, uint64_t seed,
                       size_t n_threads);
void fit_report_text(const struct fit_outcome *o, const char *out, uint64_t seed, size_t n_threads,
                     FILE *to);

/* CSV: row (1 = first of the table), fold, label, prediction (probability before calibration, value
 * or log relative hazard) of the chosen candidate; rows that no fold held out are not there.
 * FT_INVALID without cross-validation, FT_IO, FT_NOMEM. */
enum ft_status fit_report_oof(const struct fit_outcome *o, const char *path, struct ft_err *err);

#endif
