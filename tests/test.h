/* What every unit test includes: cmocka and two helpers for numbers. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* cmocka wants these four first, in this order. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "app/base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* |got - want| <= tol, with both values in the message; NaN never passes. */
#define assert_close(got, want, tol)                                                               \
    do {                                                                                           \
        const double got_ = (got);                                                                 \
        const double want_ = (want);                                                               \
        if (!(fabs(got_ - want_) <= (tol)))                                                        \
            fail_msg("%s = %.12g, want %.12g within %g", #got, got_, want_, (double)(tol));        \
    } while (0)

/* |got / want - 1| <= rel. */
#define assert_rel(got, want, rel) assert_close((got), (want), fabs(want) * (rel))

/* Expects FT_OK and shows the error text otherwise. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        const enum ft_status st_ = (call);                                                         \
        if (st_ != FT_OK)                                                                          \
            fail_msg("%s: %s: %s", #call, ft_status_name(st_), (err).msg);                         \
    } while (0)

#endif
