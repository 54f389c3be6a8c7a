#!/usr/bin/env python3
"""Quality of scikit-learn's HistGradientBoosting on seeded data at our settings: writes
tests/golden/gbdt.h. The data is made by app/base/rng.h's rule, so the C test makes the same bits."""
import pathlib

import numpy as np
import sklearn
from rng import uniform
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

N, M, SEED = 20000, 8, 77


def make():
    """2 N rows: the first half trains. Only operations that are exact in both languages."""
    i = np.arange(2 * N, dtype=np.uint64)
    x = np.stack([uniform(SEED, j, i) for j in range(M)], axis=1)
    x[:, 1] = np.floor(x[:, 1] * 10)
    x[uniform(SEED, 100, i) < 0.2, 2] = np.nan
    third = np.where(np.isnan(x[:, 2]), 0.75, x[:, 2])
    signal = x[:, 0] * third + 0.05 * x[:, 1] + (x[:, 3] > 0.7) * x[:, 4]
    y = signal + uniform(SEED, 101, i) - 0.5
    rare = (uniform(SEED, 102, i) < 0.05 * signal * signal).astype(np.float64)
    return x, y, rare


def main():
    x, y, rare = make()
    settings = dict(max_iter=100, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=1,
                    l2_regularization=1.0, max_bins=255, early_stopping=False)
    regress = HistGradientBoostingRegressor(**settings).fit(x[:N], y[:N])
    rmse = np.sqrt(np.mean((regress.predict(x[N:]) - y[N:]) ** 2))
    settings["max_leaf_nodes"] = 8
    classify = HistGradientBoostingClassifier(**settings).fit(x[:N], rare[:N])
    p = classify.predict_proba(x[N:])[:, 1]
    lines = [f"/* Made by tests/golden/gbdt.py with scikit-learn {sklearn.__version__}: 20,000 rows"
             " to train on, 20,000",
             " * to test; 100 trees, rate 0.1, 255 bins, L2 1; 31 leaves (squared), 8 (logistic). */",
             "#ifndef TESTS_GOLDEN_GBDT_H", "#define TESTS_GOLDEN_GBDT_H", ""]
    for name, value in (("RMSE", rmse), ("AUC", roc_auc_score(rare[N:], p)),
                        ("PR_AUC", average_precision_score(rare[N:], p)),
                        ("LOGLOSS", log_loss(rare[N:], p)), ("POSITIVES", rare[:N].sum()),
                        ("SUM_Y", y[:N].sum())):
        lines.append(f"#define GOLDEN_GBDT_{name} {value:.12g}")
    lines += ["", "#endif", ""]
    pathlib.Path(__file__).with_suffix(".h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
