/* Data for plots of a life report: probability paper and the joint region of both parameters. */
#ifndef APP_LIFE_PLOT_H
#define APP_LIFE_PLOT_H

#include "app/life_report.h"

/* Adds "plot": {"paper": {"distribution", "x_scale", "points": [{"time","failed_frac","x","y"}],
 * "line": [{"failed_frac","time","lower","upper","x","y"}]}, "contour": {"confidence","points"}}.
 * On the paper x against y is a straight line under the law: x = log time or time, y = the quantile
 * of the standard law (gamma: of the fitted one). A point stands half way up its step. */
enum ft_status life_plot_json(const struct life_report *r, const struct life_data *data, cJSON *out,
                              struct ft_err *err);

#endif
