/* Written by tests/golden/health.py: do not edit. */
#ifndef TESTS_GOLDEN_HEALTH_H
#define TESTS_GOLDEN_HEALTH_H

static const double golden_health_start[] = {-18.3943468528, 0.209852491545};
static const double golden_health_level[] = {-4.07890643677, 0.323110121987};
static const double golden_health_scale[] = {4.41784192018, 2.27176372066};
static const double golden_health_first[] = {-19.6767105175, -1.1617524586};
static const double golden_health_last[] = {-2.03602011569, 1.5120639087};

#endif
