"""fettle life: published data sets with their published answers, refusals, verdicts, words."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]
ROOT = pathlib.Path(os.environ["FETTLE_ROOT"])
DATA = pathlib.Path(os.environ.get("FETTLE_DATA", ROOT.parent / "shared" / "data")) / "reliability_life"


def life(*words, text=None):
    return subprocess.run([FETTLE, "life", *map(str, words)], input=text, capture_output=True,
                          text=True, timeout=60)


def answer(*words, text=None):
    done = life(*words, "--json", text=text)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@unittest.skipUnless(DATA.is_dir(), f"no reliability data at {DATA}")
class Published(unittest.TestCase):
    # units, failures, Weibull scale, shape, log-likelihood: figures of the books, by R survival.
    SETS = {"lzbearing": (23, 23, 81.875, 2.102, -113.692),
            "shockabsorber": (38, 11, 27718.7, 3.160, -123.995),
            "locomotivecontrol": (96, 37, 183.40, 2.331, -237.383),
            "fan": (70, 12, 26296.8, 1.058, -135.153),
            "bearingcage": (1703, 6, 11792.2, 2.035, -76.437)}

    def test_weibull_of_each_set(self):
        for name, (n, failures, scale, shape, loglik) in self.SETS.items():
            with self.subTest(name):
                a = answer(DATA / f"{name}.csv")
                self.assertEqual((a["n"], a["failures"], a["censored"]), (n, failures, n - failures))
                self.assertAlmostEqual(a["scale"] / scale, 1, delta=5e-5)
                self.assertAlmostEqual(a["shape"], shape, delta=6e-4)
                self.assertAlmostEqual(a["log_likelihood"], loglik, delta=6e-4)
                self.assertLess(a["ci"]["shape"][0], shape)
                self.assertGreater(a["ci"]["profile"]["scale"][1], scale)
                self.assertEqual(a["goodness"]["why_not"], None)
                self.assertGreater(a["goodness"]["p_value"], 0.05)
                self.assertIn("do not speak against it", a["goodness"]["words"])

    def test_locomotive_lognormal(self):
        a = answer(DATA / "locomotivecontrol.csv", "--distribution", "lognormal")
        self.assertAlmostEqual(a["scale"], 166.82, delta=0.006)
        self.assertAlmostEqual(1 / a["shape"], 1.417, delta=6e-4)
        self.assertAlmostEqual(a["log_likelihood"], -237.094, delta=6e-4)
        best = answer(DATA / "locomotivecontrol.csv", "--distribution", "best")
        self.assertEqual(best["distribution"], "lognormal")
        self.assertEqual(len(best["candidates"]), 6)

    def test_recurrent_events_are_refused(self):
        done = life(DATA / "valveseat.csv")
        self.assertEqual(done.returncode, 4)
        self.assertIn("column event", done.stderr)

    def test_valve_seats_as_in_the_book(self):
        """Meeker and Escobar 1998, chapter 16: power law 1.400 and 553.6, no constant rate."""
        a = answer(DATA / "valveseat.csv", "--asset-col", "engine", "--cost-renewal", 5, "--cost-repair", 1)
        self.assertEqual((a["assets"], a["events"]), (41, 48))
        self.assertAlmostEqual(a["power_law"]["shape"], 1.400, delta=6e-4)
        self.assertAlmostEqual(a["power_law"]["scale"], 553.6, delta=0.06)
        self.assertEqual(a["trend"]["verdict"], "deteriorating")
        self.assertAlmostEqual(a["mcf"][0]["mean"], 1 / 41, places=9)
        self.assertLess(a["mcf"][-1]["lower"], a["mcf"][-1]["mean"])
        self.assertGreater(a["minimal_repair"]["interval"], 0)
        said = life(DATA / "valveseat.csv", "--asset-col", "engine").stdout
        self.assertIn("41 assets, 48 events", said)
        self.assertIn("deteriorate", said)

    def test_shock_absorber_modes(self):
        a = answer(DATA / "shockabsorber.csv", "--mode-col", "mode")
        modes = {m["mode"]: m for m in a["modes"]}
        self.assertEqual({k: m["failures"] for k, m in modes.items()}, {"Mode1": 7, "Mode2": 4})
        # Both modes together are all failures: log-likelihoods of independent modes against one law.
        self.assertEqual(modes["Mode1"]["fit"]["n"], 38)
        share = sum(m["incidence"][-1]["incidence"] for m in a["modes"])
        self.assertAlmostEqual(share + a["kaplan_meier"][-1]["survival"], 1, places=12)

    def test_three_parameters_and_paper(self):
        a = answer(DATA / "lzbearing.csv", "--distribution", "weibull3", "--plot")
        self.assertAlmostEqual(a["threshold"], 14.876, delta=0.01)
        self.assertAlmostEqual(a["log_likelihood"], -112.850, delta=6e-4)
        self.assertEqual(len(a["plot"]["paper"]["points"]), 22)
        self.assertEqual(sorted(a["ci"]["profile"]), ["scale", "shape", "threshold"])
        self.assertEqual(a["ci"]["profile"]["shape"][0], 0)  # nothing limits it below 1
        self.assertTrue(any("no bound for shapes below 1" in w for w in a["warnings"]))
        b = answer(DATA / "lzbearing.csv", "--plot")
        self.assertEqual(len(b["plot"]["contour"]["points"]), 60)
        for p in b["plot"]["paper"]["line"]:
            self.assertLess(p["lower"], p["time"])
            self.assertLess(p["time"], p["upper"])


class Words(unittest.TestCase):
    WEAR = "hours,event\n" + "".join(f"{t},1\n" for t in (70, 82, 90, 95, 101, 104, 110, 118)) + "120,0\n" * 3

    def test_replace_at(self):
        a = answer("-", "--cost-planned", 1, "--cost-failure", 8, text=self.WEAR)
        self.assertEqual(a["verdict"], "replace_at")
        self.assertGreater(a["saving_frac"], 0.3)
        self.assertLess(a["optimal_interval"], a["scale"])
        self.assertLess(a["cost_rate"], a["run_to_failure_cost_rate"])
        said = life("-", "--cost-planned", 1, "--cost-failure", 8, text=self.WEAR).stdout
        self.assertIn("Replace at", said)
        self.assertIn(" h: saves", said)
        self.assertIn("11 units: 8 failed, 3 still running", said)

    def test_wrong_law_is_told(self):
        two = "hours,event\n" + "".join(f"{t},1\n" for t in [*range(5, 30), *range(200, 225)])
        a = answer("-", text=two)
        self.assertLess(a["goodness"]["p_value"], 0.05)
        self.assertTrue(any("speak against a weibull life" in w for w in a["warnings"]))
        b = answer("-", "--bootstrap", "0", text=two)
        self.assertEqual((b["goodness"]["p_value"], b["goodness"]["why_not"]),
                         (None, "no samples were asked for"))

    def test_swapped_costs_run_to_failure(self):
        a = answer("-", "--cost-planned", 8, "--cost-failure", 1, text=self.WEAR)
        self.assertEqual(a["verdict"], "run_to_failure")
        self.assertIsNone(a["optimal_interval"])
        self.assertEqual(a["saving_frac"], 0)
        self.assertTrue(any("swapped" in w for w in a["warnings"]))

    def test_no_costs_no_verdict(self):
        a = answer("-", text=self.WEAR)
        self.assertIsNone(a["verdict"])
        self.assertIn("No verdict yet", life("-", text=self.WEAR).stdout)

    def test_too_little_data_is_refused_with_advice(self):
        none = life("-", text="t,event\n5,0\n6,0\n")
        self.assertEqual(none.returncode, 4)
        self.assertIn("no failure", none.stderr)
        one = life("-", text="t,event\n5,1\n6,0\n")
        self.assertEqual(one.returncode, 4)
        self.assertIn("--shape", one.stderr)
        fixed = answer("-", "--shape", 2, text="t,event\n3,1\n4,0\n")
        self.assertAlmostEqual(fixed["scale"], 5, places=12)
        self.assertTrue(fixed["shape_given"])

    def test_left_truncation_and_count(self):
        rows = "start_age,age,status,units\n"
        plain = answer("-", "--entry-col", "start_age", "--count-col", "units",
                       text=rows + "0,10,F,2\n5,12,F,1\n8,15,C,3\n3,9,F,1\n")
        long = answer("-", "--entry-col", "start_age",
                      text="start_age,age,status\n0,10,F\n0,10,F\n5,12,F\n8,15,C\n8,15,C\n8,15,C\n3,9,F\n")
        self.assertEqual(plain["n"], 7)
        self.assertAlmostEqual(plain["shape"], long["shape"], places=9)
        self.assertAlmostEqual(plain["log_likelihood"], long["log_likelihood"], places=9)

    def test_intervals(self):
        rows = "lower,upper,units\n0,100,3\n100,200,7\n200,300,6\n300,,4\n250,250,1\n"
        a = answer("-", "--distribution", "best", "--count-col", "units", text=rows)
        self.assertEqual((a["n"], a["failures"]), (21, 17))
        self.assertEqual(a["columns"]["upper"], "upper")
        self.assertEqual(a["kaplan_meier"], [])
        self.assertAlmostEqual(sum(p["probability"] for p in a["turnbull"]), 1, places=9)
        for c in a["candidates"]:
            self.assertIn("log_likelihood", c)

    def test_decisions_have_limits_and_words(self):
        words = ["-", "--cost-planned", 1, "--cost-failure", 8, "--units", 30, "--lead-time", 20, "--pf", 10,
                 "--detection", 0.8, "--cost-look", 0.01, "--bootstrap", 80]
        a = answer(*words, text=self.WEAR)
        d = a["decisions"]
        self.assertEqual(d["draws"], 80)
        low, high = d["age"]["interval_ci"]
        self.assertTrue(low < a["optimal_interval"] < high)
        self.assertEqual(d["age"]["interval"], a["optimal_interval"])
        self.assertLess(d["age"]["cost_rate"], d["block"]["cost_rate"])
        self.assertGreaterEqual(d["spares"]["met_probability"], 0.95)
        self.assertEqual(d["inspection"]["looks"], 2)
        said = life(*words, text=self.WEAR).stdout
        self.assertIn("Decisions:", said)
        self.assertIn("Hold ", said)
        one = life(*words, "--json", "--threads", 1, text=self.WEAR).stdout
        self.assertEqual(one, life(*words, "--json", "--threads", 3, text=self.WEAR).stdout)

    def test_prior_of_the_shape(self):
        few = "t,event\n50,1\n80,0\n90,0\n120,0\n"
        a = answer("-", "--shape-prior", 2.5, text=few)
        self.assertEqual(a["ci"]["method"], "posterior")
        self.assertTrue(1 < a["shape"] < 3)
        self.assertGreater(a["rises_probability"], 0.9)
        self.assertIsNone(a["aic"])

    def test_mixture_says_when_one_is_enough(self):
        a = answer("-", "--distribution", "mixture", text=self.WEAR + "1,1\n" * 0)
        self.assertTrue(any("population" in w or "mixture" in w for w in a["warnings"]))

    def test_usage_errors(self):
        for words in ([], ["a", "b"], ["-", "--cost-planned", "1"], ["-", "--confidence", "1"],
                      ["-", "--distribution", "normal"], ["-", "--shape", "0"],
                      ["-", "--shape", "2", "--distribution", "gamma"],
                      ["-", "--cost-planned", "-1", "--cost-failure", "5"], ["-", "--cost-renewal", "5"],
                      ["-", "--shape", "2", "--shape-prior", "2"], ["-", "--bootstrap", "-1"]):
            done = life(*words, text=self.WEAR)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stdout, "")
        self.assertEqual(life("/nowhere.csv").returncode, 3)

    def test_help_shows_examples_first(self):
        done = life("-h")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("Examples:"))

    def test_same_bytes_each_time_and_gz(self):
        first = life("-", "--distribution", "best", "--json", text=self.WEAR).stdout
        self.assertEqual(first, life("-", "--distribution", "best", "--json", text=self.WEAR).stdout)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "wear.csv"
            path.write_text(self.WEAR)
            subprocess.run(["gzip", path], check=True)
            self.assertEqual(first, life(f"{path}.gz", "--distribution", "best", "--json").stdout)


if __name__ == "__main__":
    unittest.main()
