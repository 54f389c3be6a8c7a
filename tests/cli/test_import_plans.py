"""fettle import plans | crews | calendar: the tables that planning rests on."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]

PLANS = """PM number,Task,Machine,Every,Duration,Steps,Parts,Colour
PM-1,Grease,P-1,FREQ=MONTHLY;BYDAY=1MO,1.5,Lock|Grease|Unlock,grease x2 | rag,red
PM-2,Look,P-1,30d,0.5,,,
PM-3,Bad,P-1,now and then,1,,,
PM-4,Bad,P-9,30d,1,,,
"""


class ImportPlans(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = str(pathlib.Path(self.folder.name) / "p.db")
        self.write("assets.csv", "asset,class\nP-1,pump\n")
        self.run_ok("import", "assets", self.path("assets.csv"))

    def path(self, name):
        return str(pathlib.Path(self.folder.name) / name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text, encoding="utf-8")

    def fettle(self, *args):
        return subprocess.run([FETTLE, *args, "--db", self.db], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "FETTLE_NOW": "2026-11-02T06:00:00Z"})

    def run_ok(self, *args):
        done = self.fettle(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_plans(self):
        self.write("pm.csv", PLANS)
        dry = self.fettle("import", "plans", self.path("pm.csv"), "--dry-run", "--json")
        self.assertEqual((dry.returncode, json.loads(dry.stdout)["new"]), (6, 2), dry.stderr)
        done = self.fettle("import", "plans", self.path("pm.csv"), "--json")
        got = json.loads(done.stdout)
        self.assertEqual((done.returncode, got["new"], got["quarantined"]), (6, 2, 2), done.stderr)
        self.assertIn("not used: Colour", done.stderr)
        self.assertIn("now and then", done.stderr)
        self.assertEqual(got["mapping"]["interval_s"], "Every")
        again = json.loads(self.fettle("import", "plans", self.path("pm.csv"), "--json").stdout)
        self.assertEqual((again["new"], again["changed"], again["unchanged"]), (0, 0, 2))
        self.write("less.csv", "key,duration_h\nPM-2,2\n")
        less = json.loads(self.run_ok("import", "plans", self.path("less.csv"), "--json").stdout)
        self.assertEqual(less["changed"], 1)
        plan = json.loads(self.run_ok("schedule", "--json").stdout)
        self.assertEqual({i["reason"].split(".")[0] for i in plan["items"] if i["asset"] == "P-1"},
                         {"Due every month on 1st Mon by plan PM-1", "Due every 30 d by plan PM-2"})

    def test_crews_and_calendar(self):
        self.write("crews.csv", "crew,skills,hours,weekdays\nMech,\"mech,weld\",8,Mon|Tue\n")
        self.run_ok("import", "crews", self.path("crews.csv"))
        self.write("cal.csv", "kind,start,end,crew,note,rrule\n"
                              "holiday,2026-12-25,2026-12-27,,Christmas,FREQ=YEARLY\n"
                              "crew_away,2026-11-03,2026-11-04,Mech,Training,\n"
                              "stop,2026-11-10,2026-11-09,,,\n")
        done = self.fettle("import", "calendar", self.path("cal.csv"), "--json")
        got = json.loads(done.stdout)
        self.assertEqual((got["new"], got["quarantined"]), (2, 1), done.stderr)
        again = json.loads(self.fettle("import", "calendar", self.path("cal.csv"), "--json").stdout)
        self.assertEqual((again["new"], again["unchanged"]), (0, 2))

    def test_no_database(self):
        self.write("pm.csv", PLANS)
        done = subprocess.run([FETTLE, "import", "plans", self.path("pm.csv"), "--dry-run", "--db",
                               self.path("none.db")], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 4, done.stderr)


if __name__ == "__main__":
    unittest.main()
