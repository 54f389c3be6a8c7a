#!/usr/bin/env python3
"""The tree trainer against XGBoost hist and scikit-learn's HistGradientBoosting: the same seeded data,
the same settings, each fit in a process of its own, one contender after the other, RUNS times. Times
are of the fit from a float32 array in memory, binning counted, reading not. Printed: medians and
ratios with their spread, in elapsed and in processor seconds (on a busy machine threads that spin
lose elapsed time to others; processor seconds tell the work), quality on held-out machines, peak
memory of the process when the fit is over.

  bench_trainer.py BENCH_TRAINER [--runs 5] [--threads 2] [--rows 1000000]
                   [--cases big,narrow,scaling,busy,score]"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

PEERS = {"xgboost": ("xgboost", "python3-xgboost"), "sklearn": ("sklearn", "python3-sklearn")}
CASES = {"big": dict(objective="logistic", trees=100, leaves=63),
         "narrow": dict(objective="squared", trees=200, leaves=31)}


# --- data -------------------------------------------------------------------------------------------

def make_big(rows, folder):
    """Machines of 1,000 rows each; a quarter more are held out. Columns by turns smooth, coarse,
    integer, smooth with missing values; 2 % positives from eight of them."""
    import numpy as np
    rng = np.random.default_rng(20240501)
    n = rows + rows // 4
    machine = np.arange(n) // 1000
    n_machines = machine[-1] + 1
    x = np.empty((n, 50), np.float32)
    for j in range(50):
        level = rng.normal(0, 0.5, n_machines)[machine]
        v = level + rng.normal(0, 1, n)
        if j % 4 == 1:
            v = np.round(v * 4) / 4
        elif j % 4 == 2:
            v = np.floor(np.exp(v + 3))
        elif j % 4 == 3:
            v[rng.random(n) < 0.02 * j / 4] = np.nan
        x[:, j] = v
    z = (x[:, 0] * x[:, 4] + np.maximum(x[:, 1], 0) * 1.5 + np.log1p(x[:, 2]) * 0.7
         + np.where(np.isnan(x[:, 3]), 0.5, x[:, 3]) + np.sin(2 * x[:, 8]) + (x[:, 5] > 1) * x[:, 12]
         + rng.normal(0, 0.6, n_machines)[machine] + rng.logistic(0, 1, n))
    y = (z > np.quantile(z, 0.98)).astype(np.float32)
    save(folder, "big", x, y, rows)


def make_narrow(rows, folder):
    """Window features of run-to-failure machines: 265 correlated smooth columns, a life as target."""
    import numpy as np
    rng = np.random.default_rng(20240502)
    n = rows + rows // 3
    age = rng.random(n)
    hidden = np.stack([age ** k + rng.normal(0, 0.2, n) for k in range(1, 9)], axis=1)
    mix = rng.normal(0, 1, (8, 265))
    x = (hidden @ mix + rng.normal(0, 0.5, (n, 265))).astype(np.float32)
    y = (125 * (1 - age ** 2) + 10 * np.sin(5 * hidden[:, 0]) * hidden[:, 3]
         + rng.normal(0, 3, n)).astype(np.float32)
    save(folder, "narrow", x, y, rows)


def save(folder, case, x, y, rows):
    import numpy as np
    for name, part in (("x", x[:rows]), ("y", y[:rows]), ("tx", x[rows:]), ("ty", y[rows:])):
        np.save(folder / f"{case}_{name}.npy", part)


# --- contenders -------------------------------------------------------------------------------------

def peer(name, case, folder, threads):
    """Runs inside a process of its own; prints the same line as our side."""
    import resource
    import time
    import numpy as np
    x, y, tx = (np.load(folder / f"{case}_{part}.npy") for part in ("x", "y", "tx"))
    c = CASES[case]
    is_class = c["objective"] == "logistic"
    if name == "xgboost":
        import xgboost
        make = xgboost.XGBClassifier if is_class else xgboost.XGBRegressor
        model = make(tree_method="hist", grow_policy="lossguide", max_leaves=c["leaves"], max_depth=0,
                     n_estimators=c["trees"], learning_rate=0.1, max_bin=255, n_jobs=threads)
    else:
        from sklearn import ensemble
        make = (ensemble.HistGradientBoostingClassifier if is_class
                else ensemble.HistGradientBoostingRegressor)
        model = make(max_iter=c["trees"], max_leaf_nodes=c["leaves"], learning_rate=0.1,
                     l2_regularization=1.0, early_stopping=False)
    start, start_cpu = time.monotonic(), time.process_time()
    model.fit(x, y)
    fit, cpu = time.monotonic() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start_cpu = time.process_time()
    if is_class:
        p = model.predict_proba(tx)[:, 1]
    else:
        p = model.predict(tx)
    score_cpu = time.process_time() - start_cpu
    p.astype(np.float64).tofile(folder / f"{case}_{name}.f64")
    print(json.dumps(dict(fit_s=fit, cpu_s=cpu, peak_kib=peak, rows_per_s=len(tx) / score_cpu)))


def run(name, case, folder, threads, ours):
    c = CASES[case]
    file = {part: str(folder / f"{case}_{part}.npy") for part in ("x", "y", "tx")}
    if name == "fettle":
        command = [ours, file["x"], file["y"], file["tx"], str(folder / f"{case}_fettle.f64"),
                   c["objective"], str(c["trees"]), str(c["leaves"]), str(threads)]
    else:
        command = [sys.executable, __file__, "--peer", name, "--case", case, "--folder", str(folder),
                   "--threads", str(threads), ours]
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1")
    out = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def quality(name, case, folder):
    import numpy as np
    from sklearn import metrics
    y = np.load(folder / f"{case}_ty.npy")
    p = np.fromfile(folder / f"{case}_{name}.f64")
    if CASES[case]["objective"] == "squared":
        return {"rmse": float(np.sqrt(np.mean((p - y) ** 2)))}
    if name == "fettle":
        p = 1 / (1 + np.exp(-p))
    return {"auc": metrics.roc_auc_score(y, p), "logloss": metrics.log_loss(y, p)}


# --- report -----------------------------------------------------------------------------------------

def spread(values, digits=2):
    return (f"{statistics.median(values):.{digits}f}"
            f" ({min(values):.{digits}f}-{max(values):.{digits}f})")


def compare(case, names, folder, a):
    c = CASES[case]
    print(f"\n{case}: {c['trees']} trees x {c['leaves']} leaves, {c['objective']} loss, 255 bins, rate"
          f" 0.1, {a.threads} threads, {a.runs} interleaved runs; median (min-max)")
    runs = {name: [] for name in names}
    for _ in range(a.runs):
        for name in names:
            runs[name].append(run(name, case, folder, a.threads, a.ours))
    for name in names:
        r = runs[name]
        good = ", ".join(f"{k} {v:.5f}" for k, v in quality(name, case, folder).items())
        print(f"  {name:8} fit {spread([v['fit_s'] for v in r])} s, processor"
              f" {spread([v['cpu_s'] for v in r])} s, peak"
              f" {statistics.median(v['peak_kib'] for v in r) / 1024:.0f} MiB, {good}")
    for name in names[1:]:
        pairs = list(zip(runs["fettle"], runs[name]))
        print(f"  fettle / {name}: time {spread([o['fit_s'] / t['fit_s'] for o, t in pairs], 3)},"
              f" processor time {spread([o['cpu_s'] / t['cpu_s'] for o, t in pairs], 3)},"
              f" memory {spread([o['peak_kib'] / t['peak_kib'] for o, t in pairs], 3)}")
    return runs


def scaling(folder, a):
    one, two = [], []
    for _ in range(a.runs):
        one.append(run("fettle", "big", folder, 1, a.ours)["fit_s"])
        two.append(run("fettle", "big", folder, 2, a.ours)["fit_s"])
    print(f"\nscaling: 1 thread {spread(one)} s, 2 threads {spread(two)} s,"
          f" {spread([s / t for s, t in zip(one, two)])} times faster")


def busy(folder, a):
    """The fit beside four processes that use all the processor time they get."""
    spin = [sys.executable, "-c", "while True: pass"]
    idle = [run("fettle", "big", folder, 2, a.ours)["fit_s"] for _ in range(a.runs)]
    others = [subprocess.Popen(spin) for _ in range(4)]
    try:
        slow = [run("fettle", "big", folder, 2, a.ours)["fit_s"] for _ in range(a.runs)]
    finally:
        for p in others:
            p.kill()
            p.wait()
    print(f"\nbusy: alone {spread(idle)} s, beside 4 busy processes {spread(slow)} s,"
          f" {statistics.median(slow) / statistics.median(idle):.2f} times slower")


def score(runs):
    print("\nscoring the big model, per processor second:")
    for name, r in runs.items():
        line = f"  {name:8} {statistics.median(v['rows_per_s'] for v in r) / 1e6:.2f} M rows/s"
        if name == "fettle":
            line += f", one row {spread([v['one_row_us'] for v in r])} us"
        print(line)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("ours")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rows", type=int, default=1000000)
    p.add_argument("--cases", default="big,narrow,scaling,busy,score")
    p.add_argument("--peer", help="internal: be this contender")
    p.add_argument("--case", help="internal")
    p.add_argument("--folder", type=pathlib.Path, help="internal, or where to keep the data")
    a = p.parse_args()
    if a.peer:
        peer(a.peer, a.case, a.folder, a.threads)
        return
    try:
        import numpy
    except ImportError:
        print("bench_trainer: skipped, the data needs NumPy (package python3-numpy)")
        return
    names = ["fettle"]
    for name, (module, package) in PEERS.items():
        try:
            print(f"{name} {__import__(module).__version__}", end="; ")
            names.append(name)
        except ImportError:
            print(f"{name} is absent and left out (package {package})", end="; ")
    print(f"NumPy {numpy.__version__}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    if "sklearn" not in names:
        print("bench_trainer: skipped, the quality needs scikit-learn (package python3-sklearn)")
        return
    with tempfile.TemporaryDirectory(prefix="fettle-bench-trainer.") as temporary:
        folder = a.folder or pathlib.Path(temporary)
        cases = a.cases.split(",")
        if not (folder / "big_ty.npy").exists():
            make_big(a.rows, folder)
        if not (folder / "narrow_ty.npy").exists():
            make_narrow(60000 * a.rows // 1000000, folder)
        runs = {}
        if "big" in cases or "score" in cases:
            runs = compare("big", names, folder, a)
        if "narrow" in cases:
            compare("narrow", names, folder, a)
        if "scaling" in cases:
            scaling(folder, a)
        if "busy" in cases:
            busy(folder, a)
        if "score" in cases:
            score(runs)


if __name__ == "__main__":
    main()
