/* Meters count up: run hours, cycles, starts. What was used between two readings follows one rule
 * everywhere (plans, features):
 *   a rise counts as it is;
 *   a fall from the upper half of the known range to the lower half is a roll-over (99,998 -> 3 of
 *   a five-digit counter);
 *   a fall by less than a tenth is a correction and counts nothing;
 *   any other fall is a new counter that began at 0. */
#ifndef APP_METER_H
#define APP_METER_H

#include <stddef.h>

/* A fall by less than this part of the value is a correction. */
#define METER_CORRECTION 0.1

/* Use between two finite readings, >= 0 for counters that are; rollover: the value at which the
 * counter begins at 0 again, NaN = unknown. */
double meter_step(double before, double now, double rollover);

/* total[i] = value[0] + use since then, so that a counter that never falls stays as it is. value
 * may be total. Values are finite. */
void meter_unroll(const double *value, size_t n, double rollover, double *total);

#endif
