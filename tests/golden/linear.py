#!/usr/bin/python3
"""Prints linear.h: seeded rows with missing values; coefficients and predictions of scikit-learn's
Ridge and LogisticRegression on standardised columns with indicators of missing values."""
import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler


def array(name, values):
    body = ", ".join("NAN" if np.isnan(v) else repr(float(v)) for v in np.ravel(values))
    print(f"static const double {name}[] = {{{body}}};")


rng = np.random.RandomState(3)
n, p = 120, 4
x = np.round(rng.randn(n, p) * [1, 20, 0.01, 5] + [0, 300, 1, -7], 4)
z = (x - x.mean(0)) / x.std(0)
value = np.round(3 + z @ [1.0, -2.0, 0.5, 0.0] + rng.randn(n), 4)
label = (rng.rand(n) < 1 / (1 + np.exp(-(z @ [0.8, -1.2, 0.3, 0.0] - 0.7)))).astype(float)
weight = np.round(rng.gamma(2.0, 1.0, n), 3)
x[rng.rand(n) < 0.15, 1] = np.nan
x[rng.rand(n) < 0.10, 3] = np.nan
print(f"/* Written by tests/golden/linear.py with scikit-learn {sklearn.__version__}. */")
print("/* clang-format off */")
array("golden_x", x)
array("golden_value", value)
array("golden_label", label)
array("golden_weight", weight)
scaler = StandardScaler().fit(x, sample_weight=weight)
missing = np.isnan(x[:, [1, 3]]).astype(float)
indicator = StandardScaler().fit(missing, sample_weight=weight)
wide = np.hstack([np.nan_to_num(scaler.transform(x)), indicator.transform(missing)])
for penalty in (0.5, 10.0):
    name = str(penalty).replace(".", "_")
    ridge = Ridge(alpha=penalty, solver="cholesky").fit(wide, value, sample_weight=weight)
    array(f"golden_ridge_{name}", ridge.predict(wide))
    array(f"golden_ridge_beta_{name}", ridge.coef_[:p] / scaler.scale_)
    logit = LogisticRegression(C=1 / penalty, solver="newton-cg", tol=1e-13, max_iter=10000)
    logit.fit(wide, label, sample_weight=weight)
    array(f"golden_logistic_{name}", logit.decision_function(wide))
    array(f"golden_logistic_beta_{name}", logit.coef_[0, :p] / scaler.scale_)
for penalty, share in ((6.0, 0.5), (12.0, 1.0)):
    name = f"net_{penalty:.0f}"
    net = ElasticNet(alpha=penalty / weight.sum(), l1_ratio=share, tol=1e-15, max_iter=1000000)
    net.fit(wide, value, sample_weight=weight)
    array(f"golden_{name}_value", net.predict(wide))
    array(f"golden_{name}_value_beta", net.coef_[:p] / scaler.scale_)
    net = LogisticRegression(C=1 / penalty, penalty="elasticnet", l1_ratio=share, solver="saga",
                             tol=1e-15, max_iter=1000000, random_state=0)
    net.fit(wide, label, sample_weight=weight)
    array(f"golden_{name}_label", net.decision_function(wide))
    array(f"golden_{name}_label_beta", net.coef_[0, :p] / scaler.scale_)
print("/* clang-format on */")
