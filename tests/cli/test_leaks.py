"""train refuses sensors and attributes that know the future, and says which and why."""
import os
import random
import subprocess
import tempfile
import unittest
from datetime import datetime, timedelta
from pathlib import Path

FETTLE = os.environ.get("FETTLE", "build/fettle")
START = datetime(2024, 1, 1)
DAYS, PUMPS, HORIZON = 300, 12, 10


def plant(seed=7):
    """Daily rows of pumps that wear out and are renewed: [pump, day, days to the failure or None,
    vibration, load] and the failures."""
    draw = random.Random(seed)
    rows, failures = [], []
    for pump in range(PUMPS):
        ends, day = [], 0
        while day < DAYS:
            day += draw.randint(35, 90)
            ends.append(day)
        began = 0
        for day in range(DAYS):
            if day >= ends[0]:
                began = ends.pop(0)
                failures.append((pump, began))
            wear = (day - began) / (ends[0] - began)
            left = ends[0] - day if ends[0] < DAYS else None
            rows.append([pump, day, left, 2 + 3 * wear ** 3 + draw.gauss(0, 0.5),
                         50 + draw.gauss(0, 5)])
    return draw, rows, failures


class Leaks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        self.db = str(self.path / "t.db")

    def fettle(self, *args, code=0):
        done = subprocess.run([FETTLE, *map(str, args), "--db", self.db], capture_output=True,
                              text=True, timeout=240)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout[-500:])
        return done.stdout + done.stderr

    def load(self, name=None, value=None):
        draw, rows, failures = plant()
        out = self.path / "readings.csv"
        with open(out, "w") as f:
            f.write("asset,time,vibration,load" + (f",{name}" if name else "") + "\n")
            for i, row in enumerate(rows):
                pump, day, _, vibration, load = row
                time = (START + timedelta(days=day, hours=12)).isoformat()
                extra = f",{value(draw, i, row, rows):.6f}" if name else ""
                f.write(f"P{pump},{time},{vibration:.4f},{load:.3f}{extra}\n")
        events = self.path / "failures.csv"
        with open(events, "w") as f:
            f.write("asset,time\n")
            for pump, day in failures:
                f.write(f"P{pump},{(START + timedelta(days=day, hours=6)).isoformat()}\n")
        self.fettle("import", "readings", out, "--class", "pump")
        self.fettle("import", "events", events, "--kind", "failure")

    def train(self, *more, code=0):
        return self.fettle("train", "--class", "pump", "--horizon", f"{HORIZON}d", "--folds", 3,
                           "--models", "gbdt", *more, code=code)

    def refused(self, name, value, why):
        self.load(name, value)
        said = self.train(code=5)
        self.assertIn(f"'{name}'", said)
        self.assertIn(why, said)
        self.assertIn("--trust", said)
        self.assertIn("champion", self.train("--trust", name))

    def test_clean_plant_is_trained(self):
        self.load()
        self.assertIn("champion", self.train())

    def test_date_of_the_next_work(self):
        def value(draw, i, row, rows):
            return (row[2] if row[2] is not None else 60) + draw.gauss(0, 25)
        self.refused("days_to_next_pm", value, "named after the plan or the future")

    def test_count_of_alarms_to_come(self):
        def value(draw, i, row, rows):
            soon = row[2] is not None and row[2] <= HORIZON
            return float(draw.random() < (0.8 if soon else 0.2)) + draw.randint(0, 1)
        self.refused("future_alarm_count", value, "named after the plan or the future")

    def test_place_in_a_file_sorted_by_the_label(self):
        place = {}

        def value(draw, i, row, rows):
            if not place:
                far = sorted(range(len(rows)), key=lambda k: -(rows[k][2] or 999))
                place.update({k: n for n, k in enumerate(far)})
            return place[i]
        self.refused("row", value, "tells the label almost alone")

    def test_copy_of_the_label_with_noise(self):
        def value(draw, i, row, rows):
            return float(row[2] is not None and row[2] <= HORIZON) + draw.gauss(0, 0.2)
        self.refused("quality", value, "tells the label almost alone")


if __name__ == "__main__":
    unittest.main()
