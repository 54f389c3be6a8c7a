"""Hours of readings, thinning and dropping, against sums made here."""
import collections
import contextlib
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import tempfile
import time
import unittest

FETTLE = os.environ["FETTLE"]
HOUR = 3600
STEP = 5  # seconds


class Retain(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.db = pathlib.Path(self.folder.name) / "plant.db"
        rng = random.Random(3)
        self.now = int(time.time()) // STEP * STEP
        self.begin = self.now // HOUR * HOUR - 5 * 24 * HOUR
        self.rows = [(t, round(rng.gauss(50, 5), 2)) for t in range(self.begin, self.now, STEP)]
        self.load("pump", self.rows)
        self.sparse = [(t, 1.5) for t in range(self.begin, self.now, HOUR)]
        self.load("slow", self.sparse)

    def tearDown(self):
        self.folder.cleanup()

    def fettle(self, *words):
        p = subprocess.run([FETTLE, *map(str, words), "--db", self.db], capture_output=True, text=True,
                           timeout=120)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout

    def retain(self, *words):
        return json.loads(self.fettle("retain", *words, "--json"))

    def load(self, asset, rows):
        path = self.db.with_suffix(".csv")
        path.write_text("asset,time,temp\n" + "".join(
            f"{asset},{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))},{v}\n" for t, v in rows))
        self.fettle("import", "readings", path)

    def hours(self, asset="pump"):
        with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as c:
            return {h // 1000: tuple(rest) for h, *rest in c.execute(
                "SELECT start_ms, n, min, max, mean, last FROM bi_rollup WHERE asset = ? ORDER BY start_ms",
                (asset,))}

    def readings(self, asset="pump"):
        rows = [line.split(",") for line in self.fettle("export", "readings", "--asset", asset).split()[1:]]
        return [(r[-2], float(r[-1])) for r in rows]

    def check_hours(self, hours, begin, end):
        """hours has every hour of [begin, end), as the rows say."""
        want = collections.defaultdict(list)
        for t, v in self.rows:
            if begin <= t < end:
                want[t // HOUR * HOUR].append(v)
        self.assertEqual(list(hours), sorted(want))
        for h, (n, low, high, mean, last) in hours.items():
            v = want[h]
            self.assertEqual((n, low, high, last), (len(v), min(v), max(v), v[-1]))
            self.assertAlmostEqual(mean, sum(v) / len(v), places=9)

    def test_hours_thinned_dropped(self):
        last_hour = self.rows[-1][0] // HOUR * HOUR
        done = self.retain()
        self.assertEqual((done["thinned"], done["dropped"]), (0, 0))
        self.check_hours(self.hours(), self.begin, last_hour)
        self.assertEqual(self.hours("slow"), {})  # as coarse as its readings
        self.assertEqual(self.retain()["hours"], 0)

        # A correction is summed up again.
        at = 1234
        self.rows[at] = (self.rows[at][0], 999.0)
        self.load("pump", [self.rows[at]])
        self.assertGreater(self.retain()["hours"], 0)
        self.check_hours(self.hours(), self.begin, last_hour)

        # Thinned: at most three a minute, the extremes among them; hours stay exact.
        n = len(self.readings())
        done = self.retain("--thin-after", "3d")
        left = self.readings()
        self.assertGreater(done["thinned"], 0)
        self.assertEqual(len(left), n - done["thinned"])
        cut = (int(time.time()) - 3 * 24 * HOUR) // HOUR * HOUR
        minutes = collections.defaultdict(list)
        for t, v in self.rows:
            if t < cut:
                minutes[t // 60].append((t, v))
        kept = set()
        for rows in minutes.values():
            kept |= {min(rows, key=lambda r: r[1]), max(rows, key=lambda r: r[1]), rows[-1]}
        kept |= {(t, v) for t, v in self.rows if t >= cut}
        self.assertEqual(len(left), len(kept))
        self.assertEqual(sorted(v for _, v in left), sorted(v for _, v in kept))
        self.check_hours(self.hours(), self.begin, last_hour)
        self.assertEqual(self.retain("--thin-after", "3d")["thinned"], 0)

        # Dropped: the hours alone stay, those of the slow sensor too.
        done = self.retain("--thin-after", "3d", "--drop-after", "4d")
        self.assertGreater(done["dropped"], 0)
        cut = (int(time.time()) - 4 * 24 * HOUR) // HOUR * HOUR
        self.assertEqual(len(self.readings()), sum(1 for t, _ in kept if t >= cut))
        self.check_hours(self.hours(), self.begin, last_hour)
        self.assertEqual(list(self.hours("slow")), [t for t, _ in self.sparse if t < cut])
        self.fettle("rebuild")
        self.check_hours(self.hours(), self.begin, last_hour)
        self.fettle("check")


if __name__ == "__main__":
    unittest.main()
