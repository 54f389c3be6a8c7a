/* The site's own ROI input, from its database: failures counted, hours and costs from events or
 * cost tables, share of failures that models see, what preventive work could stop. What the
 * database cannot say stays a marked default. */
#ifndef APP_ROI_SITE_H
#define APP_ROI_SITE_H

#include "app/base/status.h"
#include "app/roi_io.h"

struct db;

enum ft_status roi_site_request(struct db *db, struct roi_request *out, struct ft_err *err);

#endif
