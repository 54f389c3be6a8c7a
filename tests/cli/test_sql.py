"""Readings and reports in SQL: the sqlite3 shell with the loadable extension, the plain views."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

FETTLE = pathlib.Path(os.environ["FETTLE"])
EXTENSION = FETTLE.parent / "fettle_sqlite.so"


class Sql(unittest.TestCase):
    def setUp(self):
        if shutil.which("sqlite3") is None:
            self.skipTest("the sqlite3 shell is not installed")
        if not EXTENSION.exists():
            self.skipTest(f"{EXTENSION} is not built (make build)")
        self.folder = tempfile.TemporaryDirectory()
        self.db = pathlib.Path(self.folder.name) / "plant.db"

    def tearDown(self):
        self.folder.cleanup()

    def sql(self, text, db=None):
        p = subprocess.run(["sqlite3", "-readonly", str(db or self.db), f".load {EXTENSION}", text],
                           capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    def test_shell_reads_what_was_imported(self):
        csv = self.db.with_suffix(".csv")
        rows = [(f"P-{i % 3}", f"2026-01-0{1 + i // 2000}T{i // 100 % 20:02}:{i // 60 % 60:02}:{i % 60:02}Z",
                 i / 8) for i in range(6000)]
        rows = list({(a, t): (a, t, v) for a, t, v in rows}.values())
        csv.write_text("asset,time,temp\n" + "".join(f"{a},{t},{v}\n" for a, t, v in rows))
        subprocess.run([FETTLE, "import", "readings", csv, "--db", self.db], check=True,
                       capture_output=True, timeout=60)
        code, out, err = self.sql("SELECT asset, sensor, ts, value FROM reading WHERE asset = 'P-1'")
        self.assertEqual((code, err), (0, ""))
        want = sorted(f"{a}|temp|{t}|{v}" for a, t, v in rows if a == "P-1")
        self.assertEqual(out.split(), want)
        code, out, _ = self.sql("SELECT asset, n_sealed FROM bi_sensor ORDER BY asset")
        self.assertEqual(sum(int(line.split("|")[1]) for line in out.split()), len(rows))
        subprocess.run([FETTLE, "check", "--db", self.db], check=True, capture_output=True, timeout=60)

    def test_other_files_are_refused(self):
        other = self.db.with_name("other.db")
        subprocess.run(["sqlite3", str(other), "CREATE TABLE t (a)"], check=True, timeout=60)
        code, _, err = self.sql("SELECT * FROM reading", other)
        self.assertNotEqual(code, 0)
        self.assertIn("not a Fettle database", err)


if __name__ == "__main__":
    unittest.main()
