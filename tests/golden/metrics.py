#!/usr/bin/python3
"""Prints metrics.h: 200 seeded rows with ties in the score, and what scikit-learn says of them."""
import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import (average_precision_score, brier_score_loss, f1_score, log_loss,
                             mean_pinball_loss, precision_recall_curve, roc_auc_score)


def array(name, values):
    body = ", ".join(repr(float(v)) for v in values)
    print(f"static const double {name}[] = {{{body}}};")


rng = np.random.RandomState(7)
n = 200
y = (rng.rand(n) < 0.25).astype(float)
p = np.clip(np.round(0.25 * rng.rand(n) + 0.45 * rng.rand(n) * y + 0.05, 2), 0.01, 0.99)
w = np.round(rng.gamma(2.0, 1.0, n), 3)
print(f"/* Written by tests/golden/metrics.py with scikit-learn {sklearn.__version__}. */")
print("/* clang-format off */")
array("golden_p", p)
array("golden_y", y)
array("golden_w", w)
for name, weight in (("", None), ("_weighted", w)):
    print(f"static const double golden_roc_auc{name} = {roc_auc_score(y, p, sample_weight=weight)!r};")
    print(f"static const double golden_pr_auc{name} = "
          f"{average_precision_score(y, p, sample_weight=weight)!r};")
    print(f"static const double golden_log_loss{name} = {log_loss(y, p, sample_weight=weight)!r};")
    print(f"static const double golden_brier{name} = "
          f"{brier_score_loss(y, p, sample_weight=weight)!r};")
    print(f"static const double golden_pinball{name} = "
          f"{mean_pinball_loss(y, p, sample_weight=weight, alpha=0.8)!r};")
    # Murphy's parts over 7 bins of equal width, written out; no p lies on an edge.
    u = np.ones(n) if weight is None else weight
    cell = (p * 7).astype(int)
    mean = np.average(y, weights=u)
    rel = res = 0
    for b in np.unique(cell):
        s = cell == b
        rate = np.average(y[s], weights=u[s])
        rel += u[s].sum() / u.sum() * (np.average(p[s], weights=u[s]) - rate) ** 2
        res += u[s].sum() / u.sum() * (rate - mean) ** 2
    array(f"golden_brier_parts{name}", [rel, res, mean * (1 - mean)])
rate, middle = calibration_curve(y, p, n_bins=7)
array("golden_calibration_rate", rate)
array("golden_calibration_p", middle)
precision, recall, threshold = precision_recall_curve(y, p)
f1 = np.array([f1_score(y, p >= t) for t in threshold])
best = np.flatnonzero(f1 == f1.max())[-1]
print(f"static const double golden_best_f1 = {f1[best]!r};")
print(f"static const double golden_best_threshold = {threshold[best]!r};")
print("/* clang-format on */")
