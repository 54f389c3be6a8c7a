#!/usr/bin/python3
"""Prints calibrate.h: scikit-learn's IsotonicRegression, and Platt's map as a logistic regression
on the smoothed targets (each row once per outcome, weighted by its target)."""
import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression


def array(name, values):
    print(f"static const double {name}[] = {{{', '.join(repr(float(v)) for v in values)}}};")


rng = np.random.RandomState(2)
n = 150
score = np.round(1.5 * rng.randn(n) - 1, 1)
y = (rng.rand(n) < 1 / (1 + np.exp(-(0.6 * score + 0.4)))).astype(float)
weight = np.round(rng.gamma(2.0, 1.0, n), 3)
print(f"/* Written by tests/golden/calibrate.py with scikit-learn {sklearn.__version__}. */")
print("/* clang-format off */")
array("golden_score", score)
array("golden_y", y)
array("golden_weight", weight)
hits, misses = weight[y == 1].sum(), weight[y == 0].sum()
target = np.where(y == 1, (hits + 1) / (hits + 2), 1 / (misses + 2))
platt = LogisticRegression(penalty="none", solver="newton-cg", tol=1e-12, max_iter=1000)
platt.fit(np.concatenate([score, score])[:, None], np.repeat([1, 0], n),
          sample_weight=np.concatenate([weight * target, weight * (1 - target)]))
print(f"static const double golden_platt_a = {platt.coef_[0, 0]!r};")
print(f"static const double golden_platt_b = {platt.intercept_[0]!r};")
# Isotonic blocks as (centre, rate); the end blocks differ by the half case and are not compared.
rate = IsotonicRegression().fit_transform(score, y, sample_weight=weight)
blocks = sorted(set(rate))
array("golden_centre", [np.average(score[rate == r], weights=weight[rate == r]) for r in blocks])
array("golden_rate", blocks)
print("/* clang-format on */")
