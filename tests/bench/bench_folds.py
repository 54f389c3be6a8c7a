"""4 settings x 5 folds on a table of 200,000 x 50, 100 trees each: fettle fit --grid against XGBoost hist under
scikit-learn's GridSearchCV (n_jobs=2) and against HistGradientBoosting under the same. One after the other, RUNS
times, each in a process of its own; prints medians and ratios of elapsed time and of processor time, which other
work on the machine changes less. Reading and imports are counted for nobody, the final refit for everybody.
Usage: bench_folds.py FETTLE [ROWS [RUNS]]. On two busy cores one run takes 15 minutes at
200,000 rows and 3 to 6 at 20,000; processor time there was 0.22 of XGBoost's and 0.26 of HistGradientBoosting's. At
200,000 rows it was 0.30 and 0.32 before splits were searched eight bins at a time, and not measured since"""
import json
import os
import pathlib
import resource
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

COLS, TREES, THREADS = 50, 100, 2
LEAVES, RATES = (31, 63), (0.05, 0.1)


def make_data(rows, seed=1):
    """Smooth, coarse, integer and partly missing columns; a rare class."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, COLS)).astype(np.float32)
    x[:, 1::4] = np.round(x[:, 1::4], 1)
    x[:, 2::4] = np.floor(np.abs(x[:, 2::4]) * 20)
    x[:, 3::7][rng.random((rows, len(range(3, COLS, 7)))) < 0.2] = np.nan
    z = x[:, 0] * x[:, 4] + 2 * x[:, 1] + np.sin(x[:, 8]) - 0.02 * x[:, 2] - 5
    return x, (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.float32)


def processor(who):
    u = resource.getrusage(who)
    return u.ru_utime + u.ru_stime


def run_fettle(fettle, folder):
    """Processor seconds of the search: those used, less the reading."""
    before = processor(resource.RUSAGE_CHILDREN)
    out = subprocess.run([fettle, "fit", folder / "x.npy", "--label", folder / "y.npy", "--grid", folder / "grid.json",
                          "--trees", str(TREES), "--folds", "5", "--metric", "auc", "--calibration", "none",
                          "--threads", str(THREADS), "--out", folder / "m.model", "--json"],
                         capture_output=True, text=True, check=True)
    used = processor(resource.RUSAGE_CHILDREN) - before
    got = json.loads(out.stdout)
    return got["cv_seconds"] + got["fit_seconds"], used, got["cv"]["mean"], got["peak_rss_bytes"]


def peer(name, folder):
    """In a process of its own: prints what it took."""
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    if name == "xgboost":
        model = xgboost.XGBClassifier(tree_method="hist", grow_policy="lossguide", max_depth=0, n_estimators=TREES,
                                      max_bin=256, n_jobs=1)
        grid = {"max_leaves": LEAVES, "learning_rate": RATES}
    else:
        model = HistGradientBoostingClassifier(max_iter=TREES, early_stopping=False, max_bins=255)
        grid = {"max_leaf_nodes": LEAVES, "learning_rate": RATES}
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    own, start = processor(resource.RUSAGE_SELF), time.monotonic()
    search = GridSearchCV(model, grid, scoring="roc_auc", cv=folds, n_jobs=THREADS).fit(x, y)
    seconds = time.monotonic() - start
    from joblib.externals.loky import get_reusable_executor
    get_reusable_executor().shutdown(wait=True)  # only then are its workers counted
    used = processor(resource.RUSAGE_SELF) - own + processor(resource.RUSAGE_CHILDREN)
    print(json.dumps([seconds, used, search.best_score_]))


def run_peer(name, folder):
    out = subprocess.run([sys.executable, __file__, "--peer", name, folder], capture_output=True, text=True, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main(fettle, rows, runs):
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        x, y = make_data(rows)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        (folder / "grid.json").write_text(json.dumps({"leaves": LEAVES, "rate": RATES}))
        got = [(run_fettle(fettle, folder), run_peer("xgboost", folder), run_peer("sklearn", folder))
               for _ in range(runs)]
    print(f"4 settings x 5 folds, {rows} x {COLS}, {TREES} trees, {THREADS} threads, {runs} interleaved runs")
    for what, k in (("fettle fit --grid", 0), (f"XGBoost {xgboost.__version__} hist, GridSearchCV", 1),
                    (f"scikit-learn {sklearn.__version__} HistGradientBoosting, GridSearchCV", 2)):
        print(f"  {what}: {spread([r[k][0] for r in got])} s elapsed, {spread([r[k][1] for r in got])} s of processor, "
              f"best AUC {got[0][k][2]:.4f}" + ("" if k else f", peak {got[0][0][3] / 1e6:.0f} MB"))
        if k:
            print(f"    fettle takes {spread([r[0][0] / r[k][0] for r in got])} of it elapsed, "
                  f"{spread([r[0][1] / r[k][1] for r in got])} of its processor time")


if sys.argv[1] == "--peer":
    peer(sys.argv[2], pathlib.Path(sys.argv[3]))
else:
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200000, int(sys.argv[3]) if len(sys.argv) > 3 else 5)
