"""train, evaluate, predict, retrain and rebuild on real data: the bars of the product."""
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

FETTLE = os.environ.get("FETTLE", "build/fettle")
ROOT = Path(os.environ.get("FETTLE_ROOT", "."))
DATA = Path(os.environ.get("FETTLE_DATA", ROOT / "../shared/data"))
# The bars are measured without sanitizers, whose runs of these take many minutes; the same code
# runs under them in unit/test_train_job, api/test_api_night and the killed child below.
SLOW = unittest.skipIf(os.environ.get("FETTLE_SANITIZED"), "real data takes minutes when sanitized")


class Learn(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = str(Path(self.folder.name) / "t.db")

    def fettle(self, *args, code=0, timeout=240):
        done = subprocess.run([FETTLE, *map(str, args), "--db", self.db], capture_output=True,
                              text=True, timeout=timeout)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout[-500:])
        return done.stdout

    def need(self, *parts):
        path = DATA.joinpath(*parts)
        if not path.exists():
            self.skipTest(f"real data is absent: {path}")
        return path


class CMapss(Learn):
    @SLOW
    def test_fd001(self):
        train = self.need("cmapss", "train_FD001.txt.gz")
        self.fettle("import", "cmapss", "--train", train, "--test",
                    self.need("cmapss", "test_FD001.txt.gz"), "--rul",
                    self.need("cmapss", "RUL_FD001.txt"), "--class", "fd001")
        report = json.loads(self.fettle("train", "--target", "rul", "--cap", 125, "--json"))
        self.assertTrue(report["champion"])
        self.assertEqual(report["folds"], {"n": 5, "by": "asset", "share_assets": False})
        self.assertEqual(report["assets"], 100)  # the 100 held-out engines are never trained on
        self.assertIn("weibull_age", [c["kind"] for c in report["candidates"]])
        for key in ("run_id", "class", "target", "model_id", "seconds", "cores_used",
                    "serial_share"):
            self.assertIn(key, report)
        result = json.loads(self.fettle("evaluate", "--json"))
        self.assertEqual(result["assets"], 100)
        self.assertLessEqual(result["rmse_capped"], 11)
        best = [c["kind"] for c in report["candidates"] if c.get("champion")]
        self.assertEqual(best, ["gbdt_health"])
        self.assertGreater(result["baseline"]["rmse_capped"], 2 * result["rmse_capped"])
        self.assertAlmostEqual(result["coverage"]["observed"], result["coverage"]["nominal"],
                               delta=0.1)
        items = json.loads(self.fettle("predict", "--dry", "--json"))["items"]
        self.assertEqual(len(items), 100)  # engines that failed for good get no forecast
        for item in items:
            chance = [h["p"] for h in item["horizons"]]
            self.assertEqual(chance, sorted(chance))
            points = item["base_points"] + sum(r["points"] for r in item["reasons"])
            at = next(h["p"] for h in item["horizons"] if h["t_s"] == 30 * 86400)
            self.assertAlmostEqual(points, at, places=6)


class Azure(Learn):
    def load(self):
        files = [self.need("azure_pdm", f"PdM_{n}.csv")
                 for n in ("machines", "errors", "maint", "failures")]
        common = ("--asset-col", "machineID")
        self.fettle("import", "assets", files[0], *common, "--class", "machine")
        common += ("--time-col", "datetime")
        self.fettle("import", "events", files[1], "--kind", "alarm", *common, "--code-col",
                    "errorID")
        self.fettle("import", "events", files[2], "--kind", "replacement", *common,
                    "--component-col", "comp")
        self.fettle("import", "events", files[3], "--kind", "failure", *common, "--component-col",
                    "failure")

    @SLOW
    def test_components_forward_in_time(self):
        self.load()
        report = json.loads(self.fettle("train", "--component", "all", "--horizon", "24h",
                                        "--until", "2015-08-31", "--json"))
        self.assertEqual(len(report["components"]), 4)
        result = json.loads(self.fettle("evaluate", "--json"))
        self.assertEqual([c["component"] for c in result["components"]],
                         ["comp1", "comp2", "comp3", "comp4"])
        for c in result["components"]:
            self.assertGreaterEqual(c["pr_auc"], 3 * c["baseline"]["pr_auc"], c["component"])
            self.assertGreater(c["positives"], 20)
        # A champion must not be measured on what it has seen.
        self.fettle("evaluate", "--from", "2015-06-01", code=5)
        # The night: promotes or keeps, rescores, writes the report; rebuild gives the same again.
        night = json.loads(self.fettle("retrain", "--json"))
        self.assertEqual(night["forecasts"], 500)
        db = sqlite3.connect(self.db)
        count = lambda table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        self.assertEqual(count("forecast"), 500)
        self.assertEqual(db.execute("SELECT state FROM run WHERE kind = 'retrain'").fetchall(),
                         [("done",)])
        self.assertEqual(count("model WHERE state = 'champion'"), 4)
        self.assertEqual(count("lease"), 0)
        before = db.execute("SELECT asset_id, component_id, body FROM forecast ORDER BY 1, 2")
        before = before.fetchall()
        self.fettle("rebuild")
        after = db.execute("SELECT asset_id, component_id, body FROM forecast ORDER BY 1, 2")
        self.assertEqual(before, after.fetchall())
        db.close()

    def test_killed_child_leaves_everything(self):
        self.load()
        out = Path(self.folder.name) / "night.json"
        args = [FETTLE, "retrain", "--child", "--out", str(out), "--db", self.db]
        for wait in (0.1, 0.6, 1.5):
            child = subprocess.Popen(args, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            child.send_signal(signal.SIGKILL)
            child.wait(10)
            self.assertFalse(out.exists())
        db = sqlite3.connect(self.db)
        self.assertEqual(db.execute("SELECT count(*) FROM model").fetchone()[0], 0)
        db.close()
        self.assertEqual(subprocess.run(args, stderr=subprocess.DEVNULL, timeout=240).returncode,
                         0)
        result = json.loads(out.read_text())
        self.assertEqual(len(result["results"]), 1)
        self.assertGreaterEqual(len(result["results"][0]["models"]), 4)


class Refusals(Learn):
    def test_words(self):
        self.fettle("train", code=3)  # no database
        sample = Path(self.folder.name) / "a.csv"
        sample.write_text("asset,kind\nA-1,x\nA-2,y\n")
        self.fettle("import", "assets", sample, "--class", "mill")
        self.fettle("train", "--target", "weather", code=2)
        self.fettle("train", "--class", "ship", code=3)
        self.fettle("train", "--class", "mill", code=4)  # nothing to learn from
        self.fettle("evaluate", code=3)
        items = json.loads(self.fettle("predict", "--dry", "--json"))["items"]
        self.assertEqual([i for i in items if i["horizons"]], [])


if __name__ == "__main__":
    unittest.main()
