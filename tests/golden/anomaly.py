#!/usr/bin/python3
"""Prints anomaly.h: upper quantiles of scaled chi-squares, with the quartile and median to find them by."""
import scipy
from scipy.stats import chi2

print(f"/* Written by tests/golden/anomaly.py with scipy {scipy.__version__}. */")
print("/* clang-format off */")
print("/* quartile, median, tail, line */")
print("static const double golden_lines[][4] = {")
for scale, df, tail in ((1.0, 1, 0.01), (2.5, 2, 1 / 365.25), (0.4, 3.7, 0.001), (10, 25, 0.05), (1, 0.6, 1e-4)):
    law = chi2(df, scale=scale)
    print(f"    {{{law.ppf(0.25)!r}, {law.ppf(0.5)!r}, {tail!r}, {law.isf(tail)!r}}},")
print("};")
print("/* clang-format on */")
