"""fit and score against scikit-learn and R on one small table (tests/golden/fit_cli.py), and what a fit answers
about itself: intervals of metrics, calibration maps, coverage, importance."""
import csv
import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]
ROOT = pathlib.Path(os.environ["FETTLE_ROOT"])
GOLDEN = json.loads((ROOT / "tests" / "golden" / "fit_cli.json").read_text())


def fettle(*words):
    return subprocess.run([FETTLE, *map(str, words)], capture_output=True, text=True, timeout=600)


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name)
        self.model = self.path / "m.model"

    def tearDown(self):
        self.dir.cleanup()

    def fit(self, table, *words):
        done = fettle("fit", table, "--out", self.model, "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def score(self, table, *words):
        out = self.path / "p.csv"
        done = fettle("score", "--model", self.model, table, "--out", out, "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        with out.open(newline="") as f:
            return json.loads(done.stdout), list(csv.DictReader(f))

    def replays(self):
        done = fettle("replay", self.model)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def close(self, got, want, relative):
        self.assertEqual(len(got), len(want))
        for a, b in zip(got, want):
            self.assertLessEqual(abs(a - b), relative * max(1, abs(b)), (a, b))


class Golden(Case):
    def setUp(self):
        super().setUp()
        self.table = self.path / "t.csv"
        self.table.write_text(GOLDEN["table"])

    def test_elastic_net_with_class_weight(self):
        want = GOLDEN["net"]
        self.fit(self.table, "--label", "fail", "--drop", "value,hours,failed", "--model", "logistic", "--lambda", 6,
                 "--l1-share", "0.4", "--class-weight", 3, "--folds", 0)
        got, rows = self.score(self.table)
        self.close([float(r["prediction"]) for r in rows], want["prediction"], 1e-7)
        for name in ("auc", "pr_auc", "logloss", "brier"):
            self.assertAlmostEqual(got["metrics"][name], want[name], places=7, msg=name)

    def test_balanced_classes(self):
        self.fit(self.table, "--label", "fail", "--drop", "value,hours,failed", "--model", "logistic", "--lambda", 2,
                 "--class-weight", "balanced", "--calibration", "none")
        _, rows = self.score(self.table)
        self.close([float(r["prediction"]) for r in rows], GOLDEN["balanced"], 1e-6)

    def test_ridge(self):
        want = GOLDEN["ridge"]
        self.fit(self.table, "--label", "value", "--drop", "fail,hours,failed", "--model", "ridge", "--lambda", 7)
        got, rows = self.score(self.table)
        self.close([float(r["prediction"]) for r in rows], want["prediction"], 1e-10)
        for name in ("rmse", "mae"):
            self.assertAlmostEqual(got["metrics"][name], want[name], places=9)

    def test_cox_and_its_metrics(self):
        want = GOLDEN["lives"]
        self.fit(self.table, "--label", "hours", "--event-col", "failed", "--drop", "fail,value", "--model", "cox",
                 "--lambda", 0)
        got, rows = self.score(self.table)
        self.close([float(r["prediction"]) for r in rows], want["cox"], 1e-6)
        self.assertAlmostEqual(got["metrics"]["concordance"], want["concordance"][0], places=9)
        self.assertAlmostEqual(got["metrics"]["brier_integrated"], want["brier_integrated"][0], places=6)
        self.close(got["over_time"]["times"], want["times"], 1e-12)
        self.close(got["over_time"]["auc"], want["auc"], 1e-9)
        self.close(got["over_time"]["brier"], want["brier"], 1e-6)

    def test_accelerated_failure_times(self):
        for law in ("weibull", "lognormal", "loglogistic"):
            grid = self.path / "g.json"
            grid.write_text(json.dumps({"model": "aft", "distribution": law, "lambda": 0}))
            self.fit(self.table, "--label", "hours", "--event-col", "failed", "--drop", "fail,value", "--grid", grid)
            _, rows = self.score(self.table)
            self.close([float(r["prediction"]) for r in rows], GOLDEN["lives"][law], 1e-6)


class Answers(Case):
    """On seeded data with known truth."""

    def make(self, name, n, seed):
        """Machines of eight rows with a level of their own; fail, a value with wide noise, and a life."""
        rnd = random.Random(seed)
        path = self.path / name
        with path.open("w") as f:
            f.write("unit,a,b,noise,fail,value,hours,failed\n")
            for i in range(n):
                if i % 8 == 0:
                    level = rnd.gauss(0, 0.7)
                a, b = rnd.gauss(0, 1), rnd.random()
                life, end = 100 * math.exp(-a) * rnd.weibullvariate(1, 2), rnd.uniform(20, 250)
                f.write(f"u{seed}x{i // 8},{a:.5f},{b:.5f},{rnd.random():.5f},"
                        f"{int(rnd.random() < 1 / (1 + math.exp(-2 * a - b - level)))},"
                        f"{2 * a + level + rnd.gauss(0, 1 + b):.5f},{min(life, end) + .01:.3f},{int(life <= end)}\n")
        return path

    def test_intervals_of_metrics(self):
        table = self.make("t.csv", 1600, 1)
        flags = ["--label", "fail", "--drop", "value,hours,failed", "--model", "logistic"]
        grouped = self.fit(table, *flags, "--group", "unit", "--bootstrap", 300)["oof"]
        again = self.fit(table, *flags, "--group", "unit", "--bootstrap", 300, "--threads", 3)["oof"]
        self.assertEqual(grouped, again)
        self.assertEqual((grouped["rows"], grouped["intervals"]["groups"]), (1600, 200))
        for name, value in grouped["metrics"].items():
            lower, upper = grouped["intervals"][name]
            self.assertTrue(lower < value < upper, name)
        self.assertEqual(sum(b["rows"] for b in grouped["calibration_table"]), 1600)
        parts = grouped["brier_parts"]
        self.assertAlmostEqual(grouped["metrics"]["brier"], parts["reliability"] - parts["resolution"]
                               + parts["uncertainty"] + parts["within"], places=9)
        none = self.fit(table, *flags, "--bootstrap", 0)["oof"]
        self.assertNotIn("intervals", none)
        # Rows of one machine depend on each other: drawn apart they seem to tell more than they do.
        value = ["--label", "value", "--drop", "fail,hours,failed", "--model", "ridge", "--bootstrap", 300]
        width = []
        for group in (["--group", "unit"], ["--drop", "unit,fail,hours,failed"]):
            lower, upper = self.fit(table, *value, *group)["oof"]["intervals"]["rmse"]
            width.append(upper - lower)
        self.assertGreater(width[0], width[1])

    def test_calibration_maps(self):
        table, new = self.make("t.csv", 2400, 2), self.make("n.csv", 4000, 3)
        flags = ["--label", "fail", "--drop", "value,hours,failed,unit", "--trees", 150, "--leaves", 31, "--no-search"]
        loss = {}
        for kind in ("none", "platt", "isotonic", "beta", "best"):
            got = self.fit(table, *flags, "--calibration", kind)
            self.replays()
            if kind != "best":
                self.assertEqual(got["calibration"]["kind"], kind)
            loss[kind] = self.score(new)[0]["metrics"]["logloss"]
        tried = {t["kind"]: t["logloss"] for t in got["calibration"]["tried"]}
        self.assertEqual(set(tried), {"none", "platt", "isotonic", "beta"})
        self.assertEqual(got["calibration"]["kind"], min(tried, key=tried.get))
        for kind in ("platt", "isotonic", "beta", "best"):
            self.assertLess(loss[kind], loss["none"])
            self.assertAlmostEqual(loss[kind], tried.get(kind, loss["best"]), delta=0.05)

    def test_intervals_of_values(self):
        table, new = self.make("t.csv", 1200, 4), self.make("n.csv", 4000, 5)
        flags = ["--label", "value", "--drop", "fail,hours,failed,unit", "--trees", 40, "--leaves", 6, "--coverage", 0.8,
                 "--no-search"]
        split = self.fit(table, *flags)
        self.assertEqual((split["interval"]["kind"], split["interval"]["stated"]), ("split", 0.8))
        self.assertAlmostEqual(split["interval"]["observed"], 0.8, delta=0.05)
        for words in (["--interval", "cv+"], ["--interval", "cv+", "--threads", 3]):
            cross = self.fit(table, *flags, *words)
            self.assertEqual(cross["interval"]["kind"], "cv+")
            scored, rows = self.score(new)
            self.assertEqual(scored["metrics"]["coverage_nominal"], 0.8)
            self.assertAlmostEqual(scored["metrics"]["coverage_observed"], 0.8, delta=0.05)
            for r in rows[:200]:
                self.assertTrue(float(r["lower"]) < float(r["prediction"]) < float(r["upper"]))
        self.replays()
        # As many folds as rows: jackknife+.
        small = self.make("s.csv", 96, 6)
        got = self.fit(small, "--label", "value", "--drop", "fail,hours,failed,unit", "--model", "ridge", "--folds", 96,
                       "--interval", "cv+")
        self.assertEqual(got["cv"]["folds"], 96)
        self.assertAlmostEqual(self.score(new)[0]["metrics"]["coverage_observed"], 0.9, delta=0.07)

    def test_lives(self):
        table, new = self.make("t.csv", 1200, 7), self.make("n.csv", 3000, 8)
        for kind in ("cox", "aft", "gbdt"):
            got = self.fit(table, "--label", "hours", "--event-col", "failed", "--drop", "fail,value,unit", "--model", kind,
                           "--trees", 40, "--leaves", 4, "--bootstrap", 50)
            oof = got["oof"]
            self.assertGreater(oof["metrics"]["concordance"], 0.75)
            self.assertLess(oof["metrics"]["brier_integrated"], 0.2)
            self.assertEqual(len(oof["over_time"]["auc"]), 11)
            self.assertGreater(min(oof["over_time"]["auc"]), 0.75)
            self.assertGreaterEqual(got["interval"]["observed_upper"], 0.9)
            scored, rows = self.score(new, "--bootstrap", 0)
            self.assertEqual(scored["metrics"]["coverage_nominal"], 0.9)
            self.assertGreater(scored["metrics"]["coverage_observed"], 0.87)
            for name in ("concordance", "concordance_uno", "brier_integrated"):
                self.assertAlmostEqual(scored["metrics"][name], oof["metrics"][name], delta=0.03)
            for r in rows:
                self.assertGreater(float(r["lower"]), 0)
                if r["upper"]:
                    self.assertGreater(float(r["upper"]), float(r["lower"]))
            self.replays()

    def test_importance(self):
        table = self.make("t.csv", 1200, 9)
        for label, model in (("fail", "gbdt"), ("value", "ridge")):
            drop = "value,hours,failed" if label == "fail" else "fail,hours,failed"
            got = self.fit(table, "--label", label, "--group", "unit", "--drop", drop, "--model", model, "--trees", 30,
                           "--importance")
            rows = got["importance"]
            self.assertEqual(rows[0]["column"], "a")
            self.assertEqual({r["column"] for r in rows}, {"a", "b", "noise"})
            self.assertGreater(rows[0]["mean"], 5 * abs(rows[1]["mean"]))
            self.assertEqual(rows, sorted(rows, key=lambda r: -r["mean"]))


if __name__ == "__main__":
    unittest.main()
