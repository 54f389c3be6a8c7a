"""fettle roi: golden case, strict input, the site's own history, the example."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]

GOLDEN = {"inputs": {
    "assets": 40, "failures_per_asset_year": 0.6, "hours_unplanned": 6, "hours_planned": 1.5,
    "cost_per_hour": 4000, "mitigated_share": 0, "repair_unplanned": 9000, "repair_planned": 3500,
    "life_lost_share": 0, "predictable_share": 0.6, "recall": 0.525, "acted_share": 0.9,
    "false_alarms_per_year": 48, "inspection_cost": 450, "pm_events_per_year": 36, "pm_cost": 500,
    "pm_drop_share": 1, "setup_sensors": 120000, "setup_install": 0, "setup_training": 0,
    "running_support": 60000, "running_upkeep": 0, "running_admin": 0, "discount_rate": 0.1}}


def fettle(*args, stdin=None):
    return subprocess.run([FETTLE, *map(str, args)], capture_output=True, text=True, timeout=300,
                          input=stdin)


class Roi(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name)

    def tearDown(self):
        self.dir.cleanup()

    def run_case(self, case, *flags):
        (self.path / "case.json").write_text(json.dumps(case))
        return fettle("roi", "--input", self.path / "case.json", *flags)

    def test_golden_case(self):
        done = self.run_case(GOLDEN, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        r = json.loads(done.stdout)
        self.assertAlmostEqual(r["npv"], 119736.48, places=2)
        self.assertAlmostEqual(r["irr"], 0.33553, places=5)
        self.assertAlmostEqual(r["payback_years"], 2.707, places=3)
        self.assertAlmostEqual(r["bcr"], 1.34462, places=5)
        self.assertAlmostEqual(r["roi_frac"], 0.52573, places=5)
        for got, want in zip(r["flows"], [-120000, -13111.80, 65035.20, 96294, 96294, 96294]):
            self.assertAlmostEqual(got, want, places=2)
        for key in ("p_npv_positive", "percentiles", "tornado", "break_even", "p_star"):
            self.assertIn(key, r)

    def test_example_is_accepted_and_repeatable(self):
        example = fettle("roi", "--example")
        self.assertEqual(example.returncode, 0, example.stderr)
        (self.path / "e.json").write_text(example.stdout)
        first = fettle("roi", "--input", self.path / "e.json", "--json")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout,
                         fettle("roi", "--input", "-", "--json", stdin=example.stdout).stdout)
        r = json.loads(first.stdout)
        npv = r["percentiles"]["npv"]
        self.assertTrue(npv["p5"] < npv["p50"] < npv["p95"])
        swings = [abs(t["npv_high"] - t["npv_low"]) for t in r["tornado"]]
        self.assertEqual(swings, sorted(swings, reverse=True))

    def test_strict_input(self):
        for change, pointer in (({"asets": 3}, "/inputs/asets"), ({"assets": -3}, "/inputs/assets"),
                                ({"assets": "3"}, "/inputs/assets"),
                                ({"recall": {"value": 2}}, "/inputs/recall/value")):
            done = self.run_case({"inputs": {**GOLDEN["inputs"], **change}})
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertIn(pointer, done.stderr)
        self.assertEqual(self.run_case({**GOLDEN, "years": 0}).returncode, 4)
        self.assertEqual(fettle("roi", "--input", self.path / "no.json").returncode, 3)

    def test_own_history(self):
        db = self.path / "plant.db"
        made = fettle("demo", "--db", db, "--assets", 16, "--days", 300, "--step", "8h",
                      "--no-train")
        self.assertEqual(made.returncode, 0, made.stderr)
        r = json.loads(fettle("roi", "--db", db, "--json").stdout)
        inputs = r["input"]["inputs"]
        self.assertEqual(inputs["assets"]["value"], 16)
        self.assertEqual(inputs["failures_per_asset_year"]["origin"], "history")
        self.assertEqual(inputs["failures_per_asset_year"]["distribution"], "gamma")
        self.assertEqual(inputs["hours_unplanned"]["origin"], "history")
        self.assertEqual(inputs["acted_share"]["origin"], "default")
        self.assertIn("benchmark, replace me", inputs["acted_share"]["source"])
        self.assertIn("benchmark", r["answer"]["rest"])
        # What it printed as input is input that it takes, with the same result.
        again = json.loads(self.run_case(r["input"], "--json").stdout)
        self.assertAlmostEqual(again["npv"] / r["npv"], 1, places=9)
        table = fettle("roi", "--db", db)
        self.assertEqual(table.returncode, 0)
        self.assertIn("Break-even points", table.stdout)

    def test_summary(self):
        db = self.path / "plant.db"
        fettle("demo", "--db", db, "--assets", 8, "--days", 200, "--step", "8h", "--no-train")
        done = fettle("summary", "--db", db)
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("Top risks", "Next jobs", "Money"):
            self.assertIn(part, done.stdout)
        self.assertEqual(set(json.loads(fettle("summary", "--db", db, "--json").stdout)),
                         {"fleet", "kpi", "schedule"})


if __name__ == "__main__":
    unittest.main()
