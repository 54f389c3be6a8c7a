/* Tree models of other programs as model files of `fettle fit`, so that `fettle score` reads tables
 * for them. They were not made here: `fettle replay` refuses them. */
#ifndef APP_FIT_IMPORT_H
#define APP_FIT_IMPORT_H

#include "app/base/buf.h"
#include "app/base/status.h"

/* Reads an XGBoost JSON or LightGBM text model (told by its first byte) and appends the model file
 * to out. Columns are found by the names in the file; without names they are c0, c1, ... as those
 * of an array. FT_NOT_FOUND, FT_IO, FT_INVALID (models/interchange/foreign.h), FT_NOMEM. */
enum ft_status fit_import(const char *path, struct buf *out, struct ft_err *err);

#endif
