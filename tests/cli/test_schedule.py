"""fettle schedule on a small demo plant: table, JSON, CSV, iCalendar, errors."""
import csv
import io
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import icalendar

FETTLE = os.environ["FETTLE"]


def fettle(*args, env=None):
    return subprocess.run([FETTLE, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=300, env={**os.environ, **(env or {})})


class Schedule(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.db = str(pathlib.Path(cls.folder.name) / "plant.db")
        done = fettle("demo", "--db", cls.db, "--assets", "24", "--days", "365", "--seed", "1",
                      "--step", "4h", "--end", "2026-10-31T00:00:00Z", "--no-train")
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def schedule(self, *args):
        done = fettle("schedule", "--db", self.db, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_json_contract(self):
        plan = json.loads(self.schedule("--json"))
        self.assertGreater(len(plan["items"]), 0)
        wanted = {"key", "asset", "component", "kind", "due", "earliest", "latest", "duration_h",
                  "crew", "reason", "risk_by_due", "expected_cost", "title", "status",
                  "work_order", "waiting_per_day", "pinned", "moves"}
        for item in plan["items"]:
            self.assertLessEqual(wanted, set(item))
            self.assertLessEqual(item["earliest"], item["due"])
            self.assertLessEqual(item["due"], item["latest"])
        for crew in plan["crews"]:
            for day in crew["days"]:
                self.assertLessEqual(day["hours_used"], day["hours_available"] + 1e-6, day)

    def test_second_call_changes_nothing(self):
        self.assertEqual(self.schedule("--json"), self.schedule("--json"))

    def test_ics_reads_back(self):
        plan = json.loads(self.schedule("--json"))
        calendar = icalendar.Calendar.from_ical(self.schedule("--ics"))
        events = {str(e["UID"]): e for e in calendar.walk("VEVENT")}
        live = {k for k, e in events.items() if str(e["STATUS"]) != "CANCELLED"}
        self.assertEqual(live, {f"{i['key']}@fettle" for i in plan["items"]})
        for item in plan["items"]:
            event = events[f"{item['key']}@fettle"]
            self.assertEqual(str(event["SUMMARY"]), item["title"])
            day = (item["scheduled"] or item["due"])[:10]
            self.assertEqual(event["DTSTART"].dt.isoformat(), day)
            self.assertGreater(event["DTEND"].dt, event["DTSTART"].dt)

    def test_csv_and_kinds(self):
        everything = list(csv.DictReader(io.StringIO(self.schedule("--csv"))))
        rules = list(csv.DictReader(io.StringIO(self.schedule("--csv", "--kind", "preventive"))))
        forecast = list(csv.DictReader(io.StringIO(self.schedule("--csv", "--kind",
                                                                 "predictive"))))
        self.assertEqual(len(everything), len(rules) + len(forecast))
        self.assertTrue(all(r["kind"] != "predictive" for r in rules))

    def test_span(self):
        plan = json.loads(self.schedule("--json"))
        first = min((i["scheduled"] or i["due"])[:10] for i in plan["items"])
        day = json.loads(self.schedule("--json", "--from", first, "--to", first))
        self.assertGreater(len(day["items"]), 0)
        self.assertTrue(all((i["scheduled"] or i["due"])[:10] == first for i in day["items"]))
        self.assertEqual(len(day["crews"][0]["days"]), 1)

    def test_table(self):
        out = self.schedule()
        self.assertIn("Work that does not pay", out)
        self.assertIn("WO-", out)

    def test_errors(self):
        self.assertEqual(fettle("schedule", "--db", self.db, "--kind", "x").returncode, 2)
        self.assertEqual(fettle("schedule", "--db", self.db, "--json", "--ics").returncode, 2)
        self.assertEqual(fettle("schedule", "--db", self.db, "--from", "soon").returncode, 4)
        done = fettle("schedule", "--db", self.db, "--from", "2026-05-02", "--to", "2026-05-01")
        self.assertEqual(done.returncode, 4)
        self.assertEqual(fettle("schedule", "--db", self.db + ".no").returncode, 3)


if __name__ == "__main__":
    unittest.main()
