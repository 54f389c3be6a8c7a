"""Models to and from other programs: ONNX by a real runtime, XGBoost by its own predictions."""
import csv
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]
ROOT = pathlib.Path(os.environ["FETTLE_ROOT"])
RUNTIME = ROOT / "build" / "onnx"


def fettle(*words):
    return subprocess.run([FETTLE, *map(str, words)], capture_output=True, text=True, timeout=600)


def install_runtime():
    """None, or why there is no ONNX runtime."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "npm and node are not installed, so no ONNX runtime"
    RUNTIME.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "predict.mjs"):
        shutil.copy(ROOT / "tests" / "onnx" / name, RUNTIME)
    if (RUNTIME / "node_modules" / "onnxruntime-web").is_dir():
        return None
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=RUNTIME,
                              capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "npm ci took more than 300 s, so no ONNX runtime"
    return None if done.returncode == 0 else "npm ci failed (offline?), so no ONNX runtime"


class Exchange(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name)

    def tearDown(self):
        self.dir.cleanup()

    def make_table(self, n=1500):
        rnd = random.Random(1)
        path = self.path / "t.csv"
        with path.open("w") as f:
            f.write("a,b,c,y,n,life,failed\n")
            for i in range(n):
                # Numbers that floats hold exactly, and so few digits that their products are exact, too.
                a, b, c = (round(v * 1024) / 1024 for v in (rnd.gauss(0, 1), rnd.random(), rnd.gauss(0, 1)))
                f.write(f"{'' if i % 9 == 0 else a},{b},{c},"
                        f"{int(rnd.random() < 1 / (1 + math.exp(-2 * a - c)))},"
                        f"{int(rnd.expovariate(1 / (1 + 3 * b)))},{rnd.weibullvariate(10 + 5 * b, 2) + .1:.3f},"
                        f"{int(rnd.random() < .7)}\n")
        return path

    def predictions(self, table, model="m.model"):
        out = self.path / "p.csv"
        done = fettle("score", "--model", self.path / model, table, "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        with out.open(newline="") as f:
            return [float(r["prediction"]) for r in csv.DictReader(f)]

    def test_onnx_runtime_agrees(self):
        missing = install_runtime()
        if missing:
            self.skipTest(missing)
        table = self.make_table()
        products = self.path / "g.json"
        products.write_text('[{"model": "gbdt_products"}]')
        rows = "\n".join(",".join(line.split(",")[:3]) for line in table.read_text().split("\n")[1:])
        for label, drop, words in (("y", "n", ["--model", "gbdt"]), ("y", "n", ["--model", "logistic"]),
                                   ("y", "n", ["--model", "gbdt", "--folds", "0"]),
                                   ("n", "y", ["--model", "gbdt"]), ("n", "y", ["--model", "ridge"]),
                                   ("n", "y", ["--model", "gbdt", "--objective", "poisson"]),
                                   ("y", "n", ["--calibration", "beta", "--no-search"]),
                                   ("y", "n", ["--grid", products]), ("n", "y", ["--grid", products]),
                                   ("life", "y,n", ["--event-col", "failed", "--model", "cox"]),
                                   ("life", "y,n", ["--event-col", "failed", "--model", "aft"]),
                                   ("life", "y,n", ["--event-col", "failed", "--model", "gbdt"]),
                                   ("life", "y,n", ["--event-col", "failed", "--model", "gbdt", "--objective",
                                                    "aft_weibull"])):
            done = fettle("fit", table, "--label", label, "--drop", drop + ("" if label == "life" else ",life,failed"),
                          "--trees", "40", *words, *([] if products in words else ["--no-search"]), "--bootstrap", "0",
                          "--out", self.path / "m.model")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = fettle("export", "model", self.path / "m.model", "--format", "onnx", "--out",
                          self.path / "m.onnx", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["bytes"], (self.path / "m.onnx").stat().st_size)
            run = subprocess.run(["node", "predict.mjs", self.path / "m.onnx", "3"], cwd=RUNTIME,
                                 input=rows, capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 0, run.stderr)
            theirs = [float(v) for v in run.stdout.split()]
            ours = self.predictions(table)
            self.assertEqual(len(ours), len(theirs))
            for a, b in zip(ours, theirs):
                self.assertAlmostEqual(a, b, delta=1e-5 * max(1, abs(a)), msg=str(words))

    def test_export_refuses(self):
        table = self.make_table(600)
        hazard = ["--label", "life", "--drop", "y,n", "--event-col", "failed", "--model", "gbdt", "--objective",
                  "logistic", "--trees", "5"]
        isotonic = ["--label", "y", "--drop", "n,life,failed", "--model", "logistic", "--calibration", "isotonic"]
        for words, text in ((hazard, "discrete-time"), (isotonic, "--calibration")):
            done = fettle("fit", table, *words, "--out", self.path / "m.model")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = fettle("export", "model", self.path / "m.model", "--out", self.path / "m.onnx")
            self.assertEqual(done.returncode, 4)
            self.assertIn(text, done.stderr)
            self.assertFalse((self.path / "m.onnx").exists())

    def test_import_lightgbm_and_score(self):
        text = self.path / "m.txt"
        text.write_text("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
                        "max_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=speed heat\n\n"
                        "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\nsplit_gain=1\nthreshold=3\n"
                        "decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=-1 2\n"
                        "leaf_weight=1 1\ninternal_weight=2\n\nend of trees\n")
        done = fettle("import", "model", text, "--out", self.path / "m.model", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        table = self.path / "t.csv"
        table.write_text("heat,other,speed,y\n3,x,0,0\n3.5,y,0,1\n")
        for got, want in zip(self.predictions(table), (1 / (1 + math.e), 1 / (1 + math.exp(-2)))):
            self.assertAlmostEqual(got, want, places=12)
        done = fettle("score", "--model", self.path / "m.model", table, "--label", "y", "--json")
        self.assertEqual(json.loads(done.stdout)["metrics"]["auc"], 1)
        self.assertEqual(fettle("replay", self.path / "m.model").returncode, 4)
        text.write_text(text.read_text().replace("end of trees\n", ""))
        done = fettle("import", "model", text, "--out", self.path / "x.model")
        self.assertEqual(done.returncode, 4)
        self.assertIn("cut off", done.stderr)
        self.assertEqual(fettle("import", "model", self.path / "none", "--out", "x").returncode, 3)

    def test_import_xgboost(self):
        code = ("import sys, numpy as np, xgboost as xgb\n"
                "x = np.random.default_rng(1).normal(size=(3000, 4))\n"
                "x[::7, 1] = np.nan\n"
                "y = (x[:, 0] + x[:, 2] > 0.3).astype(float)\n"
                "b = xgb.train({'objective': 'binary:logistic', 'max_depth': 6, 'nthread': 1},"
                " xgb.DMatrix(x, label=y), 60)\n"
                "b.save_model(sys.argv[1])\n"
                "p = b.predict(xgb.DMatrix(x))\n"
                "np.save(sys.argv[2], x)\n"
                "np.savetxt(sys.argv[3], p, fmt='%.9g')\n")
        names = [self.path / "b.json", self.path / "x.npy", self.path / "p.txt"]
        run = subprocess.run(["/usr/bin/python3", "-c", code, *map(str, names)], capture_output=True,
                             text=True, timeout=300)
        if run.returncode != 0:
            self.skipTest("XGBoost is not installed (python3-xgboost)")
        done = fettle("import", "model", names[0], "--out", self.path / "m.model")
        self.assertEqual(done.returncode, 0, done.stderr)
        theirs = [float(v) for v in names[2].read_text().split()]
        worst = max(abs(a - b) for a, b in zip(self.predictions(names[1]), theirs))
        self.assertLess(worst, 1e-6)


if __name__ == "__main__":
    unittest.main()
