"""What fit can be told beside its trees: class weights, monotone columns, stopping early, elastic net."""
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


def fettle(*words):
    return subprocess.run([FETTLE, *map(str, words)], capture_output=True, text=True, timeout=600)


class FitFlags(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name)
        self.model = self.path / "m.model"
        rnd = random.Random(11)
        self.table = self.path / "t.csv"
        with self.table.open("w") as f:
            f.write("unit,wear,margin,mode,fail\n")
            for i in range(3000):
                wear, margin = rnd.random(), rnd.random()
                z = 4 * wear - 3 * margin - 3 + rnd.gauss(0, 1)
                f.write(f"u{i // 12},{wear:.5f},{margin:.5f},{rnd.choice('AB')},"
                        f"{int(rnd.random() < 1 / (1 + math.exp(-z)))}\n")

    def tearDown(self):
        self.dir.cleanup()

    def fit(self, *words):
        done = fettle("fit", self.table, "--label", "fail", "--group", "unit", "--out", self.model, "--json",
                      *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refuse(self, code, *words):
        done = fettle("fit", self.table, "--label", "fail", "--out", self.model, *words)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def replays(self):
        done = fettle("replay", self.model)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def predict(self, rows):
        path = self.path / "grid.csv"
        with path.open("w") as f:
            f.write("wear,margin,mode\n")
            f.writelines(f"{w},{m},{mode}\n" for w, m, mode in rows)
        done = fettle("score", "--model", self.model, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [float(r["prediction"]) for r in csv.DictReader(done.stdout.splitlines())]

    def test_monotone_columns(self):
        steps = [i / 40 for i in range(41)]
        others = [(0.1, "A"), (0.5, "B"), (0.9, "A")]

        def falls():
            """Pairs of neighbours on which the answer goes against the signs."""
            n = 0
            for other, mode in others:
                up = self.predict([(s, other, mode) for s in steps])
                down = self.predict([(other, s, mode) for s in steps])
                n += sum(b < a for a, b in zip(up, up[1:])) + sum(b > a for a, b in zip(down, down[1:]))
            return n

        self.fit("--trees", "80", "--no-search")
        self.assertGreater(falls(), 0)
        got = self.fit("--trees", "80", "--monotone", "+wear,-margin")
        self.assertEqual([c["kind"] for c in got["candidates"]], ["gbdt"])  # no search for products
        self.assertEqual(falls(), 0)
        self.replays()
        self.assertIn("'speed'", self.refuse(4, "--monotone", "+speed"))
        self.assertIn("texts", self.refuse(4, "--monotone", "+mode"))
        self.assertIn("+ or -", self.refuse(4, "--monotone", "wear"))
        self.assertIn("trees", self.refuse(4, "--monotone", "+wear", "--model", "logistic"))

    def test_early_stopping(self):
        full = self.fit("--trees", "400", "--no-search")
        got = self.fit("--trees", "400", "--early-stopping", "10")
        self.assertEqual(full["best"]["trees"], 400)
        self.assertLess(got["best"]["trees"], 200)
        self.assertEqual(got["best"]["trees"], got["candidates"][0]["trees"])
        self.assertEqual(got["candidates"][0]["params"]["early_stopping"], 10)
        self.assertGreater(got["cv"]["mean"], full["cv"]["mean"])
        one, two = (self.fit("--trees", "400", "--early-stopping", "10", "--threads", n) for n in (1, 3))
        self.assertEqual(one["model_sha256"], two["model_sha256"])
        self.replays()
        self.refuse(2, "--early-stopping", "5", "--folds", "0")
        # With a grid and a nested estimate, beside a kind that does not stop.
        grid = self.path / "g.json"
        grid.write_text('[{"leaves": 4}, {"leaves": 8, "early_stopping": 5}, {"model": "logistic"}]')
        got = self.fit("--trees", "60", "--grid", grid, "--nested")
        self.assertEqual(got["candidates"][0]["trees"], 60)
        self.assertLess(got["candidates"][1]["trees"], 60)
        self.assertNotIn("trees", got["candidates"][2])
        self.replays()

    def test_class_weight(self):
        self.fit("--model", "logistic")
        self.fit("--model", "logistic", "--class-weight", "balanced")
        self.replays()
        for words in (("--class-weight", "8"), ("--class-weight", "balanced", "--no-search"),
                      ("--class-weight", "8", "--model", "logistic")):
            got = self.fit(*words, "--trees", "20", "--folds", "0")
            self.assertEqual(got["best"]["class_weight"], "balanced" if "balanced" in words else 8)
            p = self.predict([(0.5, 0.5, "A")] * 2)
            plain_words = [w for w in words if w not in ("--class-weight", "8", "balanced")]
            self.fit(*plain_words, "--trees", "20", "--folds", "0")
            self.assertGreater(p[0], self.predict([(0.5, 0.5, "A")])[0] + 0.1)
        self.refuse(2, "--class-weight", "0")

    def test_l1_drops_columns(self):
        got = self.fit("--model", "logistic", "--l1-share", "1", "--lambda", "60")
        self.assertEqual(got["best"]["l1_share"], 1)
        a, b = self.predict([(0.5, 0.5, "A"), (0.5, 0.5, "B")])
        self.assertEqual(a, b)  # mode says nothing
        a, b = self.predict([(0.2, 0.5, "A"), (0.8, 0.5, "A")])
        self.assertLess(a, b)
        self.replays()
        self.refuse(2, "--l1-share", "1.5")


if __name__ == "__main__":
    unittest.main()
