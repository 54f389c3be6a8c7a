"""fettle import work-orders | codes: a messy history, what is guessed from it, and what it is told."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]

HISTORY = """WONUM;EQUNR;Description;Work type;Status;Report date;Act finish;Hours;Cost;Problem
4711;P-1;Bearing noisy, replaced;BRKD;COMP;01.02.2026 10:00;02.02.2026 14:00;4,5;1200,50;noise
4712;P-1;PM seal replacement;PM;TECO;2026-03-01;2026-03-02;2;;
4713;P-2;Check belt;;open;2026-03-05;;;;
4714;P-2;Odd one;XYZ;COMP;2026-03-06;2026-03-07;1;;
4715;P-9;Unknown machine;CM;COMP;2026-03-06;2026-03-07;1;;
4716;P-2;No date at all;CM;COMP;;;1;;
"""


class ImportOrders(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = self.path("p.db")
        self.write("assets.csv", "asset,class\nP-1,pump\nP-2,pump\n")
        self.write("events.csv", "asset,time,component\nP-1,2025-01-01,bearing\nP-1,2025-02-01,seal\n")
        self.run_ok("import", "assets", self.path("assets.csv"))
        self.run_ok("import", "events", self.path("events.csv"), "--kind", "failure")
        self.write("wo.csv", HISTORY)

    def path(self, name):
        return str(pathlib.Path(self.folder.name) / name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text, encoding="utf-8")

    def fettle(self, *args):
        return subprocess.run([FETTLE, *args, "--db", self.db], capture_output=True, text=True,
                              timeout=60)

    def run_ok(self, *args):
        done = self.fettle(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_history_with_guesses(self):
        mapping = self.path("map.json")
        self.write("map.json", json.dumps({"columns": {"ended": "Act finish"},
                                           "kinds": {"XYZ": "inspection"}}))
        dry = json.loads(self.fettle("import", "work-orders", self.path("wo.csv"), "--mapping", mapping,
                                     "--dry-run", "--json").stdout)
        self.assertEqual((dry["new"], dry["quarantined"]), (4, 2), dry)
        done = self.fettle("import", "work-orders", self.path("wo.csv"), "--mapping", mapping,
                           "--events", "--json")
        got = json.loads(done.stdout)
        self.assertEqual((done.returncode, got["new"], got["quarantined"]), (6, 4, 2), done.stderr)
        words = {(g["what"], g["word"]): g for g in got["mapping"]["guesses"]}
        self.assertEqual(words["kind", "BRKD"]["meaning"], "emergency")
        self.assertTrue(words["kind", "BRKD"]["guessed"])
        self.assertEqual(words["kind", "XYZ"]["meaning"], "inspection")
        self.assertFalse(words["kind", "XYZ"]["guessed"])
        self.assertEqual(words["status", "TECO"]["meaning"], "closed")
        self.assertEqual(got["mapping"]["events"], 2)
        self.assertEqual(got["mapping"]["kinds_from_title"], 1)
        self.assertIn("'BRKD' read as emergency, 1 row (guessed)", done.stderr)
        rows = [json.loads(line) for line in
                self.run_ok("export", "work-orders", "--format", "ndjson").stdout.splitlines()] \
            if "ndjson" in self.fettle("export", "work-orders", "-h").stdout else []
        for row in rows:
            self.assertIn(row["asset"], ("P-1", "P-2"))
        again = json.loads(self.fettle("import", "work-orders", self.path("wo.csv"), "--mapping",
                                       mapping, "--events", "--json").stdout)
        self.assertEqual((again["new"], again["unchanged"], again["mapping"]["events"]), (0, 4, 0))

    def test_wrong_mapping(self):
        self.write("map.json", '{"columns":{"asset":"NOPE"}}')
        done = self.fettle("import", "work-orders", self.path("wo.csv"), "--mapping",
                           self.path("map.json"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("NOPE", done.stderr)

    def test_codes(self):
        self.write("codes.csv", "kind,code,name\nfailure,leak,Leckage\ncause,frost,Frost\nword,x,y\n")
        done = self.fettle("import", "codes", self.path("codes.csv"), "--json")
        got = json.loads(done.stdout)
        self.assertEqual((got["new"], got["changed"], got["quarantined"]), (1, 1, 1), done.stderr)


if __name__ == "__main__":
    unittest.main()
