/* Models as ONNX (https://onnx.ai), for other runtimes. One input "x", float [rows, columns], NaN =
 * missing; one output "prediction", float [rows, 1]: what model_predict() says, a calibration by
 * Platt or beta included; of lives the log relative hazard. Trees are an ai.onnx.ml
 * TreeEnsembleRegressor, linear models an ai.onnx.ml LinearRegressor behind steps that fill in
 * missing values; products of columns are computed in double precision; Sigmoid or Exp follow.
 *
 * ONNX computes in single precision. Thresholds are rounded so that a row of floats takes the same
 * way through every tree; sums of leaves differ by rounding (about 1e-6 of their size). */
#ifndef MODELS_INTERCHANGE_ONNX_H
#define MODELS_INTERCHANGE_ONNX_H

#include "models/model.h"

/* Appends the bytes to out. FT_INVALID: a kind, task or calibration that this file form has no
 * place for (discrete-time hazard, age-only Weibull, isotonic calibration). FT_NOMEM. */
enum ft_status onnx_export(const struct model *m, struct buf *out, struct ft_err *err);

#endif
