"""Life data analysis over HTTP: the answer of the command line, problems, limits."""
import json
import os
import subprocess
import unittest

from api.server import Server

LIVES = {"time": [70, 82, 90, 95, 101, 104, 110, 118, 120, 120, 120],
         "failed": [True] * 8 + [False] * 3, "cost_planned": 1, "cost_failure": 8, "bootstrap": 50}


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def test_same_as_the_command(self):
        r = self.s.post("/api/v1/models/life", LIVES)
        self.assertEqual(r.status, 200, r.text)
        rows = "time,failed\n" + "".join(f"{t},{int(f)}\n" for t, f in zip(LIVES["time"], LIVES["failed"]))
        done = subprocess.run([os.environ["FETTLE"], "life", "-", "--cost-planned", "1", "--cost-failure", "8",
                               "--bootstrap", "50", "--json"], input=rows, capture_output=True, text=True, check=True)
        self.assertEqual(r.json, json.loads(done.stdout))

    def test_intervals_modes_and_plot(self):
        r = self.s.post("/api/v1/models/life", {"time": [0, 10, 20, 10, 30, 20], "upper": [10, 20, 30, 20, None, 30],
                                                "failed": [True, True, True, True, False, True],
                                                "mode": ["a", "b", "a", "a", None, "a"], "plot": True}).json
        self.assertEqual(r["failures"], 5)
        self.assertGreater(len(r["turnbull"]), 1)
        self.assertEqual([m["mode"] for m in r["modes"]], ["a", "b"])
        self.assertIn("one failure", r["modes"][1]["error"])
        self.assertEqual(len(r["plot"]["contour"]["points"]), 60)

    def test_recurrent(self):
        r = self.s.post("/api/v1/models/life", {"time": [5, 9, 20, 7, 20], "failed": [True, True, False, True, False],
                                                "asset": ["x", "x", "x", "y", "y"]}).json
        self.assertEqual((r["assets"], r["events"]), (2, 3))
        self.assertEqual(len(r["mcf"]), 3)

    def test_the_site_itself(self):
        r = self.s.get("/api/v1/models/life")
        self.assertEqual(r.status, 200, r.text)
        self.assertEqual(r.json["confidence"], 0.9)
        self.assertGreater(len(r.json["components"]), 0)
        for part in r.json["components"]:
            self.assertIn(part["verdict"], ("replace_at", "run_to_failure", "unsettled", None))
            self.assertTrue(part["reason"])
        self.assertAlmostEqual(sum(p["hours_per_year"] for p in r.json["stop"]), r.json["hours_per_year"])
        self.assertEqual(r.body, self.s.get("/api/v1/models/life").body)
        self.assertEqual(self.s.get("/api/v1/models/life", role="viewer").status, 200)

    def test_a_part_of_the_site(self):
        parts = self.s.get("/api/v1/models/life").json["components"]
        part = max(parts, key=lambda p: p["failures"])
        ask = {"class": part["class"], "component": part["component"]}
        r = self.s.post("/api/v1/models/life", ask)
        self.assertEqual(r.status, 200, r.text)
        self.assertEqual(len(r.json["lives"]), r.json["failures"] + r.json["censored"])
        self.assertTrue(r.json["answer"]["lead"])
        if part["best_interval_d"] is not None:   # the same figures as in the list of parts
            self.assertAlmostEqual(r.json["optimal_interval"], part["best_interval_d"], delta=0.01)
        gone = self.s.post("/api/v1/models/life", dict(ask, drop=[r.json["lives"][0]["id"]])).json
        self.assertEqual(len(gone["lives"]), len(r.json["lives"]))
        self.assertEqual(sum(life["dropped"] for life in gone["lives"]), 1)
        self.assertEqual(self.s.post("/api/v1/models/life", {"class": "no such"}).status, 404)
        self.assertIn(self.s.post("/api/v1/models/life", {"class": part["class"], "colour": 1}).status, (400, 422))

    def test_problems(self):
        for body, text in (({"time": [5, -1]}, "unit 2"), ({"time": [5, 6], "failed": [False, False]}, "no failure"),
                           ({"colour": 1}, "colour"), ({"time": [5, 6], "distribution": "normal"}, "weibull")):
            r = self.s.post("/api/v1/models/life", body)
            self.assertIn(r.status, (400, 422), body)
            self.assertIn(text, r.json["detail"])


if __name__ == "__main__":
    unittest.main()
