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
# Beta (Kull et al. 2017): the same on log s and -log(1 - s). Two sets of scores: one that keeps both
# slopes, and one, turned round at the top, for which a slope is negative and dropped.
for name, s in (("", score), ("_turned", np.where(score > -1, 3 - score, score))):
    inputs = np.column_stack([-np.log1p(np.exp(-s)), np.log1p(np.exp(s))])
    used = [0, 1]
    while True:
        beta = LogisticRegression(penalty="none", solver="newton-cg", tol=1e-13, max_iter=10000)
        beta.fit(np.concatenate([inputs, inputs])[:, used], np.repeat([1, 0], n),
                 sample_weight=np.concatenate([weight * target, weight * (1 - target)]))
        if (beta.coef_[0] >= 0).all():
            break
        used = [used[int(np.argmax(beta.coef_[0]))]]
    slopes = np.zeros(2)
    slopes[used] = beta.coef_[0]
    array(f"golden_beta{name}_score", s)
    array(f"golden_beta{name}", [*slopes, beta.intercept_[0]])
# Isotonic blocks as (centre, rate); the end blocks differ by the half case and are not compared.
rate = IsotonicRegression().fit_transform(score, y, sample_weight=weight)
blocks = sorted(set(rate))
array("golden_centre", [np.average(score[rate == r], weights=weight[rate == r]) for r in blocks])
array("golden_rate", blocks)
print("/* clang-format on */")
