/* Ageing clocks that follow the part and not the slot. A replacement may say the serial number of
 * the part that it puts in (struct event, part). A part that served elsewhere before brings its age
 * along: what it served in every slot since it was new, or since it last failed there (a failure is
 * repaired, as everywhere in Fettle). It leaves a slot when another part goes in there, or when it
 * goes in elsewhere; on the shelf it does not age. Without serial numbers every replacement puts in
 * a new part. */
#ifndef APP_PART_CLOCK_H
#define APP_PART_CLOCK_H

#include "app/base/status.h"
#include "db/event_store.h"

#include <stddef.h>
#include <stdint.h>

/* carried_ms[n]: the age that the part of a replacement brings along, 0 for all other events.
 * events in any order; those at one instant count failures first, then replacements by id, and two
 * replacements at one instant that exchange their parts are a swap. FT_NOMEM. */
enum ft_status part_clock_carried(const struct event *events, size_t n, int64_t *carried_ms,
                                  struct ft_err *err);

#endif
