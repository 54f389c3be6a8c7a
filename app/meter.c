#include "app/meter.h"

double meter_step(double before, double now, double rollover)
{
    if (now >= before)
        return now - before;
    if (rollover > 0 && before <= rollover && before > rollover / 2 && now < rollover / 2)
        return rollover - before + now;
    return before - now < METER_CORRECTION * before ? 0 : now;
}

void meter_unroll(const double *value, size_t n, double rollover, double *total)
{
    double before = n > 0 ? value[0] : 0;
    double sum = before;
    for (size_t i = 0; i < n; i++) {
        const double now = value[i];
        if (now >= before)
            sum = sum == before ? now : sum + (now - before); /* exact while it never fell */
        else
            sum += meter_step(before, now, rollover);
        before = now;
        total[i] = sum;
    }
}
