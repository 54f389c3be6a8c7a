"""fettle schedule on a small demo plant: table, JSON, CSV, iCalendar, errors."""
import csv
import io
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import shutil

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

    @unittest.skipIf(shutil.which("khal") is None, "khal is not installed")
    def test_ics_khal_reads_it(self):
        folder = pathlib.Path(self.folder.name)
        (folder / "plan.ics").write_text(self.schedule("--ics", "--to", "2026-11-28"), newline="")
        (folder / "khal").mkdir(exist_ok=True)
        (folder / "khal.conf").write_text(
            f"[calendars]\n[[plan]]\npath = {folder}/khal\n[sqlite]\npath = {folder}/khal.db\n"
            "[locale]\nlocal_timezone = Europe/Berlin\ndefault_timezone = Europe/Berlin\n"
            "dateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\ntimeformat = %H:%M\n"
            "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
            "[default]\ndefault_calendar = plan\n")
        khal = ["khal", "-c", str(folder / "khal.conf")]
        for _ in range(2):  # the second import updates, it does not double
            done = subprocess.run([*khal, "import", "--batch", str(folder / "plan.ics")],
                                  capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
        listed = subprocess.run([*khal, "list", "--format", "{uid}", "2026-10-31", "29d"],
                                capture_output=True, text=True, timeout=120).stdout
        items = json.loads(self.schedule("--json", "--to", "2026-11-28"))["items"]
        self.assertGreater(len(items), 0)
        self.assertEqual({line for line in listed.splitlines() if "@" in line},
                         {i["key"] + "@fettle" for i in items}, listed)
        self.assertEqual(len(list((folder / "khal").glob("*.ics"))), len(items))

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
