"""The demo plant: same seed same plant, sample_data is what the program makes, nothing overwritten."""
import filecmp
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]
ROOT = pathlib.Path(os.environ["FETTLE_ROOT"])
SMALL = ["--seed", "3", "--assets", "8", "--days", "60", "--step", "4h", "--end",
         "2026-10-31T00:00:00Z", "--no-train"]


def fettle(*words):
    return subprocess.run([FETTLE, *map(str, words)], capture_output=True, text=True, timeout=300)


def facts(db):
    with sqlite3.connect(db) as c:
        return [c.execute(q).fetchall() for q in (
            "SELECT key, name, area, commissioned_ms FROM asset ORDER BY key",
            "SELECT asset_id, component_id, kind, ts_ms, code FROM event ORDER BY id",
            "SELECT sensor_id, start_ms, end_ms, n, crc FROM reading_block ORDER BY 1, 2",
            "SELECT key, interval_ms FROM plan ORDER BY key")]


class Demo(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name)

    def tearDown(self):
        self.dir.cleanup()

    def test_same_seed_same_plant(self):
        for name in ("a.db", "b.db"):
            done = fettle("demo", "--db", self.path / name, "--json", *SMALL)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["assets"], 8)
        self.assertEqual(facts(self.path / "a.db"), facts(self.path / "b.db"))

    def test_health_index_needs_no_model(self):
        db = self.path / "h.db"
        self.assertEqual(fettle("demo", "--db", db, *SMALL).returncode, 0)
        done = fettle("predict", "--health", "--db", db, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        items = {i["asset"]: i for i in json.loads(done.stdout)["items"]}
        self.assertEqual(len(items), 8)
        for key, item in items.items():
            if key.startswith("M-"):  # one machine that stands still at night: too little
                self.assertEqual((item["method"], item["items"]), ("none", []))
            else:
                self.assertTrue(0 <= item["health"] <= 100)
                self.assertEqual(item["method"], "anomaly")
        key = sorted(items)[0]
        done = fettle("predict", "--health", "--asset", key, "--db", db)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(done.stdout.splitlines()), 40)
        self.assertEqual(fettle("predict", "--health", "--asset", "none", "--db", db).returncode, 3)
        self.assertEqual(fettle("predict", "--health", "--class", "none", "--db", db).returncode, 3)
        self.assertEqual(fettle("predict", "--asset", key, "--db", db).returncode, 2)
        done = fettle("evaluate", "--anomaly", "--class", "pump", "--db", db, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        judged = json.loads(done.stdout)
        self.assertEqual(judged["target"], "anomaly")
        self.assertEqual(judged["alarms"],
                         judged["followed"] + judged["open"] + judged["unfollowed"])
        done = fettle("evaluate", "--anomaly", "--class", "pump", "--db", db)
        self.assertIn("named 3 d ahead", done.stdout)

    def test_forecasts_say_which_method_spoke(self):
        csv, db = self.path / "csv", self.path / "cold.db"
        self.assertEqual(fettle("demo", "--csv", csv, *SMALL).returncode, 0)
        for words in (["assets", csv / "assets.csv"],
                      ["readings", csv / "readings_pump.csv", "--class", "pump"]):
            done = fettle("import", *words, "--db", db)
            self.assertEqual(done.returncode, 0, done.stderr)
        done = fettle("predict", "--class", "pump", "--db", db, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        for item in json.loads(done.stdout)["items"]:
            self.assertEqual((item["component"], item["method"], item["horizons"]),
                             (None, "anomaly", []))
            self.assertEqual(item["next"], {"method": "constant_rate", "failures_missing": 1,
                                            "about": None})
        demo = self.path / "demo.db"
        self.assertEqual(fettle("demo", "--db", demo, *SMALL).returncode, 0)
        done = fettle("predict", "--dry", "--db", demo, "--json")
        items = json.loads(done.stdout)["items"]
        known = {"sensors", "remaining_life", "weibull", "constant_rate", "components", "anomaly",
                 "none"}
        self.assertLessEqual({i["method"] for i in items}, known)
        for item in items:
            if item["method"] == "constant_rate":
                self.assertEqual(item["next"]["method"], "weibull")
                self.assertGreater(item["next"]["about"], item["as_of"])

    def test_existing_plant_is_not_overwritten(self):
        db = self.path / "a.db"
        self.assertEqual(fettle("demo", "--db", db, *SMALL).returncode, 0)
        before = facts(db)
        done = fettle("demo", "--db", db, *SMALL)
        self.assertEqual(done.returncode, 5)
        self.assertIn("already holds 8 assets", done.stderr)
        self.assertEqual(facts(db), before)

    def test_sample_data_is_what_the_program_makes(self):
        done = fettle("demo", "--csv", self.path / "s", "--seed", "5", "--assets", "24", "--days",
                      "240", "--step", "8h", "--end", "2026-10-31T00:00:00Z")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = sorted(p.name for p in (ROOT / "sample_data").glob("*.csv"))
        self.assertEqual(names, sorted(p.name for p in (self.path / "s").glob("*.csv")))
        for name in names:
            self.assertTrue(filecmp.cmp(ROOT / "sample_data" / name, self.path / "s" / name, False),
                            f"{name} differs")

    def test_truth_names_every_part(self):
        truth = self.path / "truth.csv"
        done = fettle("demo", "--db", self.path / "a.db", "--truth", truth, *SMALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = truth.read_text().splitlines()
        self.assertEqual(lines[0], "asset,component,installed,fails,wear,sign,silent")
        self.assertEqual(len(lines), 1 + 8 * 3)

    def test_bad_flags_are_usage_errors(self):
        for words in (["--assets", "2"], ["--days", "1"], ["--step", "1s"], ["--seed", "x"],
                      ["--colour", "red"], ["--end", "yesterday"]):
            done = fettle("demo", "--db", self.path / "a.db", *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr.startswith("fettle: "), done.stderr)
            self.assertFalse((self.path / "a.db").exists())


if __name__ == "__main__":
    unittest.main()
