"""4 settings x 5 folds on a table of 200,000 x 50, 100 trees each: fettle fit --grid against XGBoost hist under
scikit-learn's GridSearchCV (n_jobs=2) and against HistGradientBoosting under the same. One after the other, RUNS
times; prints medians and the ratio of each pair. Reading is counted for nobody, the final refit for everybody.
Usage: bench_folds.py FETTLE [ROWS] [RUNS]"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import sklearn
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
except ImportError as e:
    print(f"bench_folds: skipped, {e.name} is not installed (python3-numpy, python3-sklearn, python3-xgboost)")
    sys.exit(0)

FETTLE = sys.argv[1]
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 200000
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
COLS, TREES, THREADS = 50, 100, 2
LEAVES, RATES = (31, 63), (0.05, 0.1)


def make_data(seed=1):
    """Smooth, coarse, integer and partly missing columns; a rare class."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, COLS)).astype(np.float32)
    x[:, 1::4] = np.round(x[:, 1::4], 1)
    x[:, 2::4] = np.floor(np.abs(x[:, 2::4]) * 20)
    x[:, 3::7][rng.random((ROWS, len(range(3, COLS, 7)))) < 0.2] = np.nan
    z = x[:, 0] * x[:, 4] + 2 * x[:, 1] + np.sin(x[:, 8]) - 0.02 * x[:, 2] - 5
    return x, (rng.random(ROWS) < 1 / (1 + np.exp(-z))).astype(np.float32)


def run_fettle(folder):
    out = subprocess.run([FETTLE, "fit", folder / "x.npy", "--label", folder / "y.npy", "--grid", folder / "grid.json",
                          "--trees", str(TREES), "--folds", "5", "--metric", "auc", "--threads", str(THREADS),
                          "--out", folder / "m.model", "--json"], capture_output=True, text=True, check=True)
    got = json.loads(out.stdout)
    return got["cv_seconds"] + got["fit_seconds"], got["cv"]["mean"]


def run_search(model, grid, x, y):
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    start = time.monotonic()
    search = GridSearchCV(model, grid, scoring="roc_auc", cv=folds, n_jobs=THREADS).fit(x, y)
    return time.monotonic() - start, search.best_score_


def run_xgboost(x, y):
    model = xgboost.XGBClassifier(tree_method="hist", grow_policy="lossguide", max_depth=0, n_estimators=TREES,
                                  max_bin=256, n_jobs=1)
    return run_search(model, {"max_leaves": LEAVES, "learning_rate": RATES}, x, y)


def run_sklearn(x, y):
    model = HistGradientBoostingClassifier(max_iter=TREES, early_stopping=False, max_bins=255)
    return run_search(model, {"max_leaf_nodes": LEAVES, "learning_rate": RATES}, x, y)


def main():
    x, y = make_data()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        (folder / "grid.json").write_text(json.dumps({"leaves": LEAVES, "rate": RATES}))
        os.environ["OMP_NUM_THREADS"] = "1"
        runs = [(run_fettle(folder), run_xgboost(x, y), run_sklearn(x, y)) for _ in range(RUNS)]
    peers = (("fettle fit --grid", 0), (f"XGBoost {xgboost.__version__} hist, GridSearchCV", 1),
             (f"scikit-learn {sklearn.__version__} HistGradientBoosting, GridSearchCV", 2))
    print(f"4 settings x 5 folds, {ROWS} x {COLS}, {TREES} trees, {THREADS} threads, {RUNS} interleaved runs")
    for what, k in peers:
        seconds = [r[k][0] for r in runs]
        ratio = [r[0][0] / r[k][0] for r in runs]
        print(f"  {what}: {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), "
              f"best AUC {runs[0][k][1]:.4f}" + (f"; fettle takes {statistics.median(ratio):.2f} of it "
                                                 f"({min(ratio):.2f} to {max(ratio):.2f})" if k else ""))


main()
