"""fettle import, export, check, backup and restore, driven as a user would."""
import contextlib
import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

FETTLE = os.environ.get("FETTLE", "build/fettle")
ROOT = pathlib.Path(os.environ.get("FETTLE_ROOT", "."))
DATA = pathlib.Path(os.environ.get("FETTLE_DATA", ROOT.parent / "shared" / "data"))


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fettle-test-import-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.db = self.dir / "plant.db"

    def run_fettle(self, *args, db=None, stdin=None, env=None, expect=0):
        done = subprocess.run([FETTLE, *map(str, args), "--db", str(db or self.db)], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=dict(os.environ, TZ="UTC", **(env or {})))
        out, err = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, expect, f"{args}\n{out}\n{err}")
        return out, err

    def write(self, name, text):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self, what, *args, expect=0, **kw):
        """Imports with --json: the summary and the messages."""
        out, err = self.run_fettle("import", what, *args, "--json", expect=expect, **kw)
        return (json.loads(out) if out else None), err

    def export(self, what, *args, db=None):
        return self.run_fettle("export", what, *args, db=db)[0].splitlines()

    def readings(self, *args, db=None):
        return self.export("readings", *args, db=db)[1:]

    def quarantine(self):
        with sqlite3.connect(self.db) as c:
            return c.execute("SELECT line, column_name, reason, raw FROM quarantine "
                             "ORDER BY line").fetchall()


WIDE = """machineID,datetime,volt,rotate
7,2015-01-01 06:00:00,176.2,418.5
7,2015-01-01 07:00:00,162.9,402.7
8,2015-01-01 06:00:00,170.0,
"""
WIDE_ROWS = ["7,2015-01-01T06:00:00Z,rotate,418.5", "7,2015-01-01T07:00:00Z,rotate,402.7",
             "7,2015-01-01T06:00:00Z,volt,176.2", "7,2015-01-01T07:00:00Z,volt,162.9",
             "8,2015-01-01T06:00:00Z,volt,170"]


class Readings(Case):
    def test_wide_guesses_the_header_and_shows_it(self):
        s, err = self.load("readings", self.write("w.csv", WIDE))
        self.assertEqual((s["rows"], s["new"], s["changed"], s["unchanged"], s["quarantined"]),
                         (3, 5, 0, 0, 0))
        self.assertEqual((s["assets"], s["assets_new"], s["sensors"], s["missing"]), (2, 2, 3, 1))
        self.assertEqual((s["first"], s["last"]), ("2015-01-01T06:00:00Z", "2015-01-01T07:00:00Z"))
        self.assertEqual(s["mapping"]["sensors"], ["volt", "rotate"])
        self.assertIn("asset from column machineID, time from datetime, 2 sensors: volt, rotate",
                      err)
        self.assertEqual(self.readings(), WIDE_ROWS)

    def test_same_file_twice_changes_nothing(self):
        path = self.write("w.csv", WIDE + "8,soon,1,2\n")
        self.load("readings", path, expect=6)
        before = (self.readings(), self.quarantine())
        s, _ = self.load("readings", path, expect=6)
        self.assertEqual((s["new"], s["changed"], s["unchanged"], s["quarantined"]), (0, 0, 5, 1))
        self.assertEqual((self.readings(), self.quarantine()), before)

    def test_changed_value_wins(self):
        self.load("readings", self.write("w.csv", WIDE))
        s, _ = self.load("readings", self.write("w2.csv", WIDE.replace("176.2", "177")))
        self.assertEqual((s["new"], s["changed"], s["unchanged"]), (0, 1, 4))
        self.assertIn("7,2015-01-01T06:00:00Z,volt,177", self.readings())

    def test_long_by_guess_and_by_flags(self):
        text = ("tag,ts,signal,unit,val\nP1,2026-01-01T00:00:00Z,temp,C,20.5\n"
                "P1,2026-01-01T01:00:00Z,temp,C,21\nP1,2026-01-01T00:00:00Z,vib,mm/s,1.25\n"
                "P2,2026-01-01T00:00:00Z,temp,C,NA\n")
        s, err = self.load("readings", self.write("l.csv", text))
        self.assertEqual((s["mapping"]["form"], s["new"], s["missing"]), ("long", 3, 1))
        self.assertIn("sensor from signal, value from val", err)
        want = ["P1,2026-01-01T00:00:00Z,temp,20.5", "P1,2026-01-01T01:00:00Z,temp,21",
                "P1,2026-01-01T00:00:00Z,vib,1.25"]
        self.assertEqual(self.readings(), want)
        other = self.write("m.csv", text.replace("tag,ts,signal,unit,val", "a b,c,d,e,f"))
        s, _ = self.load("readings", other, "--asset-col", "a b", "--time-col", "c", "--sensor-col",
                         "d", "--value-col", "f", db=self.dir / "b.db")
        self.assertEqual(self.readings(db=self.dir / "b.db"), want)

    def test_gzip_zstd_and_stdin_by_their_bytes(self):
        zst = self.dir / "named.dat"
        subprocess.run(["zstd", "-q", "-o", zst, self.write("w.csv", WIDE)], check=True)
        packed = gzip.compress(WIDE[:40].encode()) + gzip.compress(WIDE[40:].encode())
        for i, (arg, stdin) in enumerate([(self.write("w.bin", packed), None), (zst, None),
                                          ("-", WIDE.encode()), ("-", packed)]):
            db = self.dir / f"{i}.db"
            self.load("readings", arg, stdin=stdin, db=db)
            self.assertEqual(self.readings(db=db), WIDE_ROWS)

    def test_damaged_gzip_is_invalid(self):
        text = WIDE + "".join(f"9,2015-01-01 06:{i % 60:02}:{i // 60:02},{i},{i * i}\n"
                              for i in range(3000))
        _, err = self.load("readings", self.write("w.gz", gzip.compress(text.encode())[:-400]),
                           expect=4)
        self.assertIn("cut off", err)

    def test_semicolon_decimal_comma_bom_crlf_day_first(self):
        text = "\ufeffMaschine;Zeit;Temp\r\nA;01.02.2026 10:30;1,5\r\nA;01.02.2026 10:31:30;-2,25\r\n"
        s, err = self.load("readings", self.write("d.csv", text))
        self.assertEqual((s["mapping"]["delimiter"], s["mapping"]["decimal"]), (";", ","))
        self.assertIn("decimal comma", err)
        self.assertEqual(self.readings(), ["A,2026-02-01T10:30:00Z,Temp,1.5",
                                           "A,2026-02-01T10:31:30Z,Temp,-2.25"])

    def test_semicolon_with_decimal_point_and_tab_and_pipe(self):
        for i, (d, flag) in enumerate([(";", []), ("\t", []), ("|", []),
                                       ("|", ["--delimiter", "|", "--decimal", "."])]):
            db = self.dir / f"{i}.db"
            text = f"asset{d}time{d}x\nA{d}2026-01-01{d}1.5\n"
            self.load("readings", self.write("d.csv", text), *flag, db=db)
            self.assertEqual(self.readings(db=db), ["A,2026-01-01T00:00:00Z,x,1.5"])

    def test_quotes_with_line_ends_inside(self):
        text = ('asset,time,"temp, in ""C""",note\n"A 1","2026-01-01T00:00:00Z","1.5","two\nlines"\n'
                'A 1,2026-01-01T01:00:00Z,2.5,x\nA 1,bad,3,y\nA 1,2026-01-01T02:00:00Z,3.5,z\n')
        s, err = self.load("readings", self.write("q.csv", text), expect=6)
        self.assertIn("column note holds text", err)
        self.assertEqual(self.readings(), ['A 1,2026-01-01T00:00:00Z,"temp, in ""C""",1.5',
                                           'A 1,2026-01-01T01:00:00Z,"temp, in ""C""",2.5',
                                           'A 1,2026-01-01T02:00:00Z,"temp, in ""C""",3.5'])
        self.assertEqual(self.quarantine()[0][0], 5)  # the line of the file, not of the record
        self.assertEqual(s["quarantined"], 1)

    def test_quarantine_names_line_column_reason_and_keeps_the_rest(self):
        text = ("asset,time,a,b\nX,2026-01-01T00:00:00Z,1,2\nX,2026-01-01T01:00:00Z,oops,3\n"
                "X,not a time,4,5\n,2026-01-01T02:00:00Z,6,7\nX,2026-01-01T03:00:00Z,8\n\n"
                "X,2026-01-01T04:00:00Z,inf,9\nX,2026-01-01T05:00:00Z,x,y\n"
                "X,2026-01-01T06:00:00Z,null,NaN\nX,2026-01-01T07:00:00Z,\"1,2\nlast,2026-01-01,1,2\n")
        s, err = self.load("readings", self.write("q.csv", text), expect=6)
        bad = self.quarantine()
        self.assertEqual([(b[0], b[1]) for b in bad],
                         [(3, "a"), (4, "time"), (5, "asset"), (6, None), (8, "a"), (9, "a"),
                          (11, None)])
        self.assertIn("'oops' is not a number", bad[0][2])
        self.assertEqual(bad[0][3], "X,2026-01-01T01:00:00Z,oops,3")
        self.assertIn("3 fields, the header has 4", bad[3][2])
        self.assertIn("column b: 'y'", bad[5][2])
        self.assertIn("never closed", bad[6][2])
        self.assertEqual((s["quarantined"], s["rows"], s["missing"]), (7, 10, 2))
        self.assertIn("line 3: column a: 'oops' is not a number", err)
        self.assertEqual(sorted(self.readings()),
                         ["X,2026-01-01T00:00:00Z,a,1", "X,2026-01-01T00:00:00Z,b,2",
                          "X,2026-01-01T01:00:00Z,b,3", "X,2026-01-01T04:00:00Z,b,9",
                          "last,2026-01-01T00:00:00Z,a,1", "last,2026-01-01T00:00:00Z,b,2"])

    def test_bytes_that_are_no_utf8_are_kept_readable(self):
        self.load("readings", self.write("q.csv", b"asset,time,x\nS\xfcd,2026-01-01,1\n"), expect=6)
        self.assertEqual(self.quarantine()[0][3], "S\ufffdd,2026-01-01,1")

    def test_header_that_cannot_be_understood(self):
        for text, words in [("1,2015-01-01,5\n2,2015-01-01,6\n", ("line 1", "expected a header")),
                            ("asset,x\nA,1\n", ("line 1", "no time column", "--time-col")),
                            ("time,x\n2026-01-01,1\n", ("line 1", "no asset column", "--asset NAME")),
                            ("asset,time\nA,2026-01-01\n", ("line 1", "no sensor column")),
                            ("asset,time,x,x\n", ("line 1", "twice")),
                            ("", ("empty", "header")), ("\n\n", ("line 1",)),
                            (b"\xff\xfea\x00", ("UTF-16",)), (b"PK\x03\x04\x00\x00", ("binary",))]:
            _, err = self.load("readings", self.write("h.csv", text), expect=4)
            for word in words:
                self.assertIn(word, err)
        self.assertIn("no column 'nope'", self.load(
            "readings", self.write("h.csv", WIDE), "--asset-col", "nope", expect=4)[1])

    def test_flags_that_are_wrong(self):
        path = self.write("w.csv", WIDE)
        self.load("readings", expect=2)
        self.load("readings", path, "--nope", expect=2)
        self.load("readings", path, "--delimiter", "x", expect=2)
        self.load("readings", path, "--decimal", ";", expect=2)
        self.load("readings", path, "--tz", "Mars/Base", expect=2)
        self.load("readings", path, "--sensor-col", "volt", expect=4)
        self.load("readings", self.dir / "absent.csv", expect=3)
        self.load("nothing", path, expect=2)
        self.run_fettle("import", expect=2)
        self.assertFalse(self.db.exists() and self.readings())

    def test_asset_flag_class_settings_and_meters(self):
        path = self.write("s.csv", "time,load,hours,x\n2026-01-01,1,100,5\n")
        s, _ = self.load("readings", path, "--asset", "Pump 1", "--class", "pump", "--setting",
                         "load", "--meter", "hours,other")
        self.assertEqual(s["mapping"]["asset"], None)
        with sqlite3.connect(self.db) as c:
            self.assertEqual(c.execute("SELECT name, role FROM sensor ORDER BY name").fetchall(),
                             [("hours", "meter"), ("load", "setting"), ("x", "sensor")])
            self.assertEqual(c.execute("SELECT a.key, c.name FROM asset a JOIN asset_class c "
                                       "ON c.id = a.class_id").fetchall(), [("Pump 1", "pump")])
        self.load("readings", path, "--asset", "Pump 1", "--class", "fan", expect=5)
        self.load("readings", path, "--asset", "Pump 1")

    def test_cycles(self):
        path = self.write("c.csv", "engine,cycle,x\n1,1,5\n1,2,6\n1,2.5,7\n")
        self.load("readings", path, "--cycle", "1h", "--class", "e", expect=6)
        self.assertEqual(self.readings(), ["1,1970-01-01T01:00:00Z,x,5",
                                           "1,1970-01-01T02:00:00Z,x,6"])
        with sqlite3.connect(self.db) as c:
            self.assertEqual(c.execute("SELECT cycle_ms FROM asset_class").fetchone(), (3600000,))
        self.load("readings", path, "--cycle", "2h", expect=5)

    def test_cycle_numbers_without_the_flag_are_pointed_out(self):
        path = self.write("c.csv", "engine,time,x\n1,1,5\n1,2,6\n")
        self.assertIn("--cycle", self.load("readings", path)[1])
        self.assertNotIn("--cycle", self.load("readings", self.write("w.csv", WIDE))[1])

    def test_time_zone_and_epochs(self):
        text = ("asset,time,x\nA,2026-07-01 12:00,1\nA,2026-03-29 02:30,2\nA,2026-10-25 02:30,3\n"
                "A,2026-01-01T00:00:00+05:30,4\nA,1420092000,5\nA,1420092001000,6\n")
        self.load("readings", self.write("z.csv", text), "--tz", "Europe/Berlin")
        self.assertEqual([r.split(",")[1] for r in sorted(self.readings(), key=lambda r: r[-1])],
                         ["2026-07-01T10:00:00Z", "2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z",
                          "2025-12-31T18:30:00Z", "2015-01-01T06:00:00Z", "2015-01-01T06:00:01Z"])

    def test_dry_run_writes_nothing(self):
        path = self.write("w.csv", WIDE + "8,soon,1,2\n")
        s, _ = self.load("readings", path, "--dry-run", expect=6)
        self.assertEqual((s["new"], s["quarantined"], s["dry_run"]), (5, 1, True))
        self.assertFalse(self.db.exists())
        self.load("readings", self.write("part.csv", WIDE.replace("176.2", "1")))
        before = self.db.read_bytes()
        s, _ = self.load("readings", path, "--dry-run", expect=6)
        self.assertEqual((s["new"], s["changed"], s["unchanged"]), (0, 1, 4))
        self.assertEqual(self.db.read_bytes(), before)

    def test_several_files(self):
        a = self.write("a.csv", WIDE)
        b = self.write("b.csv", WIDE.replace("2015-01-01", "2015-01-02"))
        s, _ = self.load("readings", a, b)
        self.assertEqual((s["rows"], s["new"], len(s["files"])), (6, 10, 2))
        out, _ = self.run_fettle("import", "readings", a, b)
        self.assertIn("unchanged 5", out)

    def test_chunks_and_threads_do_not_show(self):
        """Many chunks, interleaved assets, times out of order: the same content as one chunk."""
        rng = random.Random(4)
        rows = [(f"A{i % 7}", 1700000000 + 60 * (i // 7), rng.gauss(0, 1)) for i in range(30000)]
        late = rows[::50]
        text = "asset,time,x,y\n" + "".join(f"{a},{t},{v:.6f},{-v:.3f}\n" for a, t, v in rows)
        text += "".join(f"{a},{t},{v + 1:.6f},\n" for a, t, v in late)
        path = self.write("big.csv", text)
        other = self.dir / "other.db"
        self.load("readings", path)
        self.load("readings", path, "--memory", "64KiB", db=other)
        got = self.readings()
        self.assertEqual(len(got), 60000)
        self.assertEqual(got, self.readings(db=other))
        want = {(a, t): f"{v:.6f}" for a, t, v in rows}
        want.update({(a, t): f"{v + 1:.6f}" for a, t, v in late})
        times = {time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)): t for _, t, _ in rows}
        for line in got:
            asset, when, sensor, value = line.split(",")
            if sensor == "x":
                self.assertEqual(float(value), float(want[asset, times[when]]))

    def test_export_import_round_trip(self):
        values = [0.1, 1 / 3, 1e-300, -1.5e300, 5e-324, 123456789.123456789, -0.0, 2.0 ** 60]
        text = "asset,time,x\n" + "".join(f"-A;1,{1000000000 + i},{v!r}\n"
                                          for i, v in enumerate(values))
        self.load("readings", self.write("v.csv", text))
        back = self.write("back.csv", "\n".join(self.export("readings")) + "\n")
        self.load("readings", back, db=self.dir / "b.db")
        got = self.readings(db=self.dir / "b.db")
        self.assertEqual(got, self.readings())
        self.assertEqual([float(r.rsplit(",", 1)[1]) for r in got], values)
        self.assertEqual(self.load("readings", back)[0]["new"], 0)
        rows = json.loads(self.run_fettle("export", "readings", "--json")[0])
        self.assertEqual([r["value"] for r in rows], values)
        self.assertEqual(rows[0]["asset"], "-A;1")

    def test_export_filters(self):
        self.load("readings", self.write("w.csv", WIDE))
        self.assertEqual(self.readings("--asset", "8"), WIDE_ROWS[4:])
        self.assertEqual(self.readings("--from", "2015-01-01T06:30:00Z"), WIDE_ROWS[1:4:2])
        self.assertEqual(len(self.readings("--to", "2015-01-01T07:00:00Z")), 3)
        self.assertEqual(self.readings("--class", "default"), WIDE_ROWS)
        self.run_fettle("export", "readings", "--asset", "nobody", expect=3)
        self.run_fettle("export", "readings", "--class", "nobody", expect=3)
        self.run_fettle("export", "dreams", expect=2)


class Interrupts(Case):
    ROWS = 60000

    def big_file(self):
        rng = random.Random(9)
        with open(self.dir / "big.csv", "w") as f:
            f.write("asset,time,a,b,c\n")
            for i in range(self.ROWS):
                f.write(f"M{i % 5},{1600000000 + 60 * (i // 5)},{rng.random():.5f},{i % 100},"
                        f"{rng.gauss(0, 1):.4f}\n")
        return self.dir / "big.csv"

    def start(self, path, db):
        return subprocess.Popen([FETTLE, "import", "readings", str(path), "--memory", "300KiB",
                                 "--db", str(db)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def test_ctrl_c_keeps_whole_chunks_and_resumes(self):
        fifo = self.dir / "pipe"
        os.mkfifo(fifo)
        text = self.big_file().read_bytes()
        p = self.start(fifo, self.db)
        with open(fifo, "wb", buffering=0) as f:
            f.write(text[:100000])
            time.sleep(0.3)
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=20)
        self.assertEqual(p.returncode, 130)
        self.assertIn("run the same command again", err.decode())
        self.run_fettle("check")
        s, _ = self.load("readings", self.dir / "big.csv")
        self.assertEqual(s["new"] + s["unchanged"], 3 * self.ROWS)
        self.assertEqual(len(self.readings()), 3 * self.ROWS)

    def is_half_made(self):
        """Killed between two migrations of a new file: the next writer makes the rest."""
        with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as c:
            version = c.execute("PRAGMA user_version").fetchone()[0]
        return version < len(list((ROOT / "db" / "migrations").glob("*.sql")))

    def test_kill_9_at_random_moments_loses_nothing(self):
        """50 times; FETTLE_KILLS says how often, make bench does 200."""
        n_kills = int(os.environ.get("FETTLE_KILLS", "50"))
        path = self.big_file()
        whole = self.dir / "whole.db"
        start = time.monotonic()
        self.load("readings", path, db=whole)
        self.run_fettle("import", "readings", path, "--memory", "300KiB", db=self.dir / "t.db")
        span = time.monotonic() - start
        rng = random.Random(2)
        n_killed = 0
        last = 0
        for i in range(n_kills):
            p = self.start(path, self.db)
            try:
                p.wait(timeout=rng.uniform(0.005, max(0.05, span / 2)))
            except subprocess.TimeoutExpired:
                p.kill()
                n_killed += 1
            p.wait()
            p.stderr.close()
            if self.db.exists() and i % 10 == 9:
                if self.is_half_made():
                    self.assertEqual(last, 0)
                    continue
                self.run_fettle("check")
                n = len(self.readings())
                self.assertGreaterEqual(n, last)  # what was committed stays
                last = n
            if i % 10 == 4:  # begin again, so that kills meet every stage
                for f in self.dir.glob("plant.db*"):
                    f.unlink()
                last = 0
        self.assertGreater(n_killed, 10)
        self.load("readings", path)
        self.run_fettle("check")
        self.assertEqual(self.readings(), self.readings(db=whole))


class Tables(Case):
    def test_assets_columns_and_attributes(self):
        text = ("Asset ID,Class,Name,Location,Commissioned,Downtime cost per hour,model,age\n"
                "P1,pump,Stock pump,Hall 1/Line 2,2020-01-05,450.50,m3,18\nP2,fan,,,,,m4,7\n")
        path = self.write("a.csv", text)
        s, err = self.load("assets", path)
        self.assertEqual((s["new"], s["changed"], s["unchanged"]), (2, 0, 0))
        self.assertIn("2 attributes", err)
        self.assertEqual(self.export("assets"), [
            "asset,class,name,area,commissioned,retired,downtime_cost_per_hour,held_out,"
            "true_rul_ms,age,model",
            "P1,pump,Stock pump,Hall 1/Line 2,2020-01-05T00:00:00Z,,450.5,,,18,m3",
            "P2,fan,,,,,,,,7,m4"])
        s, _ = self.load("assets", path)
        self.assertEqual((s["new"], s["changed"], s["unchanged"]), (0, 0, 2))
        s, _ = self.load("assets", self.write("b.csv", text.replace(",18", ",19")))
        self.assertEqual((s["changed"], s["unchanged"]), (1, 1))
        back = self.write("back.csv", "\n".join(self.export("assets")) + "\n")
        self.assertEqual(self.load("assets", back)[0]["unchanged"], 2)
        self.load("assets", back, db=self.dir / "b.db")
        self.assertEqual(self.export("assets"), self.export("assets", db=self.dir / "b.db"))

    def test_assets_class_flag_bad_rows_and_dry_run(self):
        text = "machine,commissioned,cost per hour\nA,2020-01-01,5\nB,someday,5\n,2020-01-01,5\nC,,x\nD,,\n"
        path = self.write("a.csv", text)
        s, _ = self.load("assets", path, "--dry-run", "--class", "k", expect=6)
        self.assertFalse(self.db.exists())
        s, _ = self.load("assets", path, "--class", "k", expect=6)
        self.assertEqual((s["new"], s["quarantined"]), (2, 3))
        self.assertEqual([(q[0], q[1]) for q in self.quarantine()],
                         [(3, "commissioned"), (4, "machine"), (5, "cost per hour")])
        self.assertTrue(all(r.split(",")[1] == "k" for r in self.export("assets")[1:]))
        self.load("assets", self.write("x.csv", "colour\nred\n"), expect=4)

    def test_events_of_every_kind(self):
        for kind in ("failure", "replacement", "repair", "inspection", "alarm"):
            path = self.write("e.csv", "datetime,machineID,comp\n2015-01-05 06:00:00,1,comp4\n")
            s, _ = self.load("events", path, "--kind", kind)
            self.assertEqual(s["new"], 1)
            self.assertEqual(self.load("events", path, "--kind", kind)[0]["unchanged"], 1)
        self.assertEqual(len(self.export("events")), 6)
        self.load("events", path, "--kind", "party", expect=2)
        self.load("events", path, expect=4)

    def test_events_guess_failure_and_error_columns(self):
        self.load("assets", self.write("a.csv", "machineID\n1\n2\n"), "--class", "press")
        f = self.write("f.csv", '"datetime","machineID","failure"\n2015-01-05 06:00:00,1,"comp4"\n')
        s, err = self.load("events", f, "--kind", "failure", "--dry-run")
        self.assertEqual((s["new"], s["dry_run"]), (1, True))
        self.assertEqual(len(self.export("events")), 1)
        self.load("events", f, "--kind", "failure")
        self.assertEqual(self.load("events", f, "--kind", "failure", "--dry-run")[0]["unchanged"], 1)
        e = self.write("e.csv", "datetime,machineID,errorID\n2015-01-03 07:00:00,2,error1\n"
                                "2015-01-03 07:00:00,9,error2\nnever,2,error1\n")
        s, _ = self.load("events", e, "--kind", "alarm", "--class", "spare", expect=6)
        self.assertEqual((s["assets_new"], s["quarantined"]), (1, 1))
        self.assertEqual(self.export("events")[1:],
                         ["2,2015-01-03T07:00:00Z,alarm,,error1,,,,",
                          "9,2015-01-03T07:00:00Z,alarm,,error2,,,,",
                          "1,2015-01-05T06:00:00Z,failure,comp4,,,,,"])

    def test_events_flags_cycle_and_one_asset(self):
        path = self.write("e.csv", "when happened,what broke,why\n2026-01-05,seal,worn\n")
        self.load("events", path, "--kind", "failure", "--asset", "P1", "--time-col",
                  "when happened", "--component-col", "what broke", "--code-col", "why")
        self.assertEqual(self.export("events")[1:], ["P1,2026-01-05T00:00:00Z,failure,seal,worn,,,,"])
        path = self.write("c.csv", "engine,cycle\n1,192\n")
        self.load("events", path, "--kind", "failure", "--cycle", "1h", db=self.dir / "c.db")
        self.assertEqual(self.export("events", db=self.dir / "c.db")[1:],
                         ["1,1970-01-09T00:00:00Z,failure,,,,,,"])

    def test_events_round_trip_with_kind_column(self):
        text = ("asset,time,kind,component,code,note,downtime_h,cost,external_key\n"
                "A,2026-01-01T00:00:00Z,failure,seal,F1,\"leak, bad\",4.5,1200.5,WO-1\n"
                "A,2026-01-02T00:00:00Z,alarm,,E7,,,,\n")
        path = self.write("e.csv", text)
        self.load("events", path)
        self.assertEqual(self.export("events"), text.splitlines())
        self.load("events", path, db=self.dir / "b.db")
        clash = text.splitlines()[0] + "\nA,2026-03-01T00:00:00Z,failure,seal,F1,,,,WO-1\n"
        s, _ = self.load("events", self.write("f.csv", clash), expect=6)
        self.assertEqual(s["quarantined"], 1)

    def test_assets_after_events_take_their_components_along(self):
        self.load("events", self.write("e.csv", "time,asset,component\n2026-01-05,P1,seal\n"),
                  "--kind", "failure")
        self.load("assets", self.write("a.csv", "asset,class\nP1,pump\n"))
        with sqlite3.connect(self.db) as c:
            self.assertEqual(
                c.execute("SELECT k.name, p.name FROM event e JOIN component p ON p.id = "
                          "e.component_id JOIN asset_class k ON k.id = p.class_id").fetchall(),
                [("pump", "seal")])


def engine_text(lives, cut=0):
    return "".join(f"{e} {c} " + " ".join(f"{e + c / 10 + k:.4f}" for k in range(24)) + " \n"
                   for e, life in enumerate(lives, 1) for c in range(1, life - cut + 1))


class Cmapss(Case):
    def args(self, **files):
        out = ["--class", "FD"]
        for flag, text in files.items():
            out += [f"--{flag}", self.write(f"{flag}.txt", text)]
        return out

    def test_small_files(self):
        args = self.args(train=engine_text([30, 20]), test=engine_text([25, 15], 10), rul="10 \n12\n")
        s, _ = self.load("cmapss", *args)
        self.assertEqual((s["rows"], s["assets"], s["new"]), (70, 4, 70 * 24 + 2))
        self.assertEqual((s["first"], s["last"]), ("2000-01-02T00:00:00Z", "2000-01-31T00:00:00Z"))
        self.assertEqual(self.export("events")[1:],
                         ["FD-train-2,2000-01-21T00:00:00Z,failure,,,,,,",
                          "FD-train-1,2000-01-31T00:00:00Z,failure,,,,,,"])
        assets = {a["asset"]: a for a in json.loads(self.run_fettle("export", "assets", "--json")[0])}
        self.assertEqual((assets["FD-test-2"]["held_out"], assets["FD-test-2"]["true_rul_ms"]),
                         (True, 12 * 86400000))
        self.assertEqual((assets["FD-train-1"]["held_out"], assets["FD-train-1"]["commissioned"]),
                         (False, "2000-01-01T00:00:00Z"))
        with sqlite3.connect(self.db) as c:
            roles = dict(c.execute("SELECT name, role FROM sensor WHERE asset_id = 1"))
        self.assertEqual((len(roles), roles["mach"], roles["T24"]), (24, "setting", "sensor"))
        self.assertEqual(self.load("cmapss", *args)[0]["new"], 0)

    def test_cycle_length_and_dry_run(self):
        args = self.args(train=engine_text([3]))
        s, _ = self.load("cmapss", *args, "--dry-run")
        self.assertEqual((s["rows"], s["assets"]), (3, 1))
        self.assertFalse(self.db.exists())
        self.load("cmapss", *args, "--cycle", "90m")
        self.assertEqual(self.export("events")[1:],
                         ["FD-train-1,2000-01-01T04:30:00Z,failure,,,,,,"])

    def test_faults_name_file_and_line(self):
        good = engine_text([3, 3])
        lines = good.splitlines()
        for text, words in [
                (good + "1 2 3\n", ("train.txt: line 7", "3 fields, expected 26")),
                (good.replace("2 2 ", "2 x ", 1), ("train.txt: line 5", "field 2")),
                ("\n".join([lines[0], lines[2]]) + "\n", ("train.txt: line 2", "expected 2")),
                ("\n".join([lines[3]]) + "\n", ("train.txt: line 1", "engine 2")),
                ("", ("train.txt", "empty"))]:
            _, err = self.load("cmapss", *self.args(train=text), expect=4)
            for word in words:
                self.assertIn(word, err)
        for rul, words in [("5\n", ("rul.txt: line 2", "1 lines", "2 engines")),
                           ("5\n6\n7\n", ("rul.txt: line 3", "3 lines")),
                           ("5\nx\n", ("rul.txt: line 2", "whole number"))]:
            _, err = self.load("cmapss", *self.args(train=good, test=good, rul=rul), expect=4)
            for word in words:
                self.assertIn(word, err)
        self.assertEqual(len(self.export("assets")), 1)
        self.load("cmapss", "--class", "FD", expect=2)
        self.load("cmapss", *self.args(train=good, test=good), expect=2)

    @unittest.skipUnless((DATA / "cmapss").is_dir(), f"no real data in {DATA}")
    def test_real_fd001(self):
        d = DATA / "cmapss"
        s, _ = self.load("cmapss", "--train", d / "train_FD001.txt.gz", "--test",
                         d / "test_FD001.txt.gz", "--rul", d / "RUL_FD001.txt", "--class", "FD001")
        self.assertEqual((s["rows"], s["assets"]), (20631 + 13096, 200))
        self.assertEqual(s["new"], (20631 + 13096) * 24 + 100)


@unittest.skipUnless((DATA / "azure_pdm").is_dir(), f"no real data in {DATA}")
class Azure(Case):
    def test_all_tables(self):
        d = DATA / "azure_pdm"
        self.assertEqual(self.load("assets", d / "PdM_machines.csv", "--class", "p")[0]["new"], 100)
        for name, kind, n in [("failures", "failure", 761), ("maint", "replacement", 3286),
                              ("errors", "alarm", 3919)]:
            s, _ = self.load("events", d / f"PdM_{name}.csv", "--kind", kind)
            self.assertEqual((s["new"], s["assets_new"]), (n, 0))
        s, _ = self.load("readings", d / "PdM_telemetry_m001-020_2015q1.csv.gz")
        self.assertEqual((s["rows"], s["new"], s["sensors"]), (43200, 172800, 80))
        report = json.loads(self.run_fettle("check", "--json")[0])
        (c,) = report["classes"]
        self.assertEqual((c["assets"], c["readings"], c["events"]["failure"]), (100, 172800, 761))
        self.assertEqual(c["failures"], {"comp1": 192, "comp2": 259, "comp3": 131, "comp4": 179})
        self.assertEqual((c["issues"], c["findings"]), ({}, []))
        self.assertEqual([(m["component"], m["failures_with_telemetry"], m["level"], m["missing"])
                          for m in c["models"]],
                         [(None, 44, "sensors", 0), ("comp1", 13, "sensors", 0), ("comp2", 16, "sensors", 0),
                          ("comp3", 6, "age_only", 4), ("comp4", 9, "age_only", 1)])
        self.assertEqual(c["label_audit"]["failures_without_telemetry"], 717)
        self.assertLess(c["label_audit"]["work_before_failure"],
                        2 * c["label_audit"]["work_before_failure_by_chance"] + 3)
        self.assertEqual(len(c["sensor_list"]), 80)


class File(Case):
    def test_check_finds_stuck_constant_gaps_and_no_data(self):
        rows = ["asset,time,fine,stuck,constant,gappy"]
        for i in range(200):
            gappy = "" if 50 <= i < 120 else i % 7
            rows.append(f"A,{1700000000 + 3600 * i},{i % 10},{5 if 40 <= i < 90 else i},3,{gappy}")
        self.load("readings", self.write("r.csv", "\n".join(rows) + "\n"))
        (c,) = json.loads(self.run_fettle("check", "--json")[0])["classes"]
        found = {(f["kind"], f["sensor"]) for f in c["findings"]}
        self.assertEqual(found, {("stuck", "stuck"), ("constant", "constant"), ("gap", "gappy")})
        out, _ = self.run_fettle("check")
        self.assertIn("A stuck: stuck at 5 for 2.0 days", out)
        self.assertIn("No failure is known", out)

    def test_sensors_limits_and_roll_over(self):
        rows = ["asset,time,temp,hours"]
        for i in range(300):
            rows.append(f"A,{1700000000 + 3600 * i},{20 + i % 9},{(900 + i) % 1000}")
        self.load("readings", self.write("r.csv", "\n".join(rows) + "\n"))
        tags = "sensor,asset,unit,role,low,high,rollover\ntemp,A,Cel,,,27.5,\nhours,,h,meter,,,\nghost,,,,,,\n"
        s, _ = self.load("sensors", self.write("t.csv", tags), expect=6)
        self.assertEqual((s["changed"], s["quarantined"]), (2, 1))
        (c,) = json.loads(self.run_fettle("check", "--json")[0])["classes"]
        self.assertEqual({(f["kind"], f["sensor"]) for f in c["findings"]},
                         {("out_of_range", "temp"), ("counter_falls", "hours")})
        s, _ = self.load("sensors", self.write("t.csv", "sensor,class,rollover\nhours,default,1000\n"))
        self.assertEqual(s["changed"], 1)
        (c,) = json.loads(self.run_fettle("check", "--json")[0])["classes"]
        self.assertEqual({(f["kind"], f["sensor"]) for f in c["findings"]}, {("out_of_range", "temp")})

    def test_part_serial_comes_back(self):
        text = ("asset,time,kind,component,part_serial\nA,2026-01-01T00:00:00Z,replacement,seal,S1\n"
                "B,2026-02-01T00:00:00Z,replacement,seal,S1\n")
        s, _ = self.load("events", self.write("e.csv", text))
        self.assertEqual(s["new"], 2)
        out, _ = self.run_fettle("export", "events")
        self.assertEqual([line.split(",")[-1] for line in out.split()], ["part_serial", "S1", "S1"])

    def test_waveform(self):
        rows = "t,acc\n" + "".join(f"{i / 1000},{(i * 37 % 101) / 50 - 1}\n" for i in range(2500))
        args = ("import", "waveform", self.write("v.csv", rows), "--asset", "A", "--sensor", "vib", "--rate",
                "1000", "--column", "acc", "--block", "1000", "--at", "2026-01-01T00:00:00Z", "--json")
        s = json.loads(self.run_fettle(*args, "--dry-run")[0])
        self.assertEqual((s["blocks"], s["left_over"], s["new"]), (2, 500, 0))
        self.assertFalse(self.db.exists())
        s = json.loads(self.run_fettle(*args)[0])
        self.assertEqual((s["blocks"], s["new"], s["last"]), (2, 24, "2026-01-01T00:00:01Z"))
        self.assertIn("vib_env_2_8hz", s["sensors"])
        s = json.loads(self.run_fettle(*args)[0])
        self.assertEqual((s["new"], s["known"]), (0, 24))
        self.run_fettle(*args, "--bands", "10-600", expect=2)
        self.run_fettle(*args, "--format", "f64le", expect=4)

    def test_check_without_database_and_with_garbage(self):
        self.run_fettle("check", expect=3)
        self.db.write_bytes(b"this is no database" * 1000)
        self.run_fettle("check", expect=4)
        self.load("readings", self.write("w.csv", WIDE), expect=4)

    def test_check_finds_damage(self):
        rows = "".join(f"A,{1700000000 + 60 * i},{i * 1.37:.2f}\n" for i in range(20000))
        self.load("readings", self.write("r.csv", "asset,time,x\n" + rows))
        data = bytearray(self.db.read_bytes())
        for at in range(len(data) // 2, len(data) - 512, 1024):
            data[at + 100:at + 140] = bytes(40)
        self.db.write_bytes(data)
        self.run_fettle("check", expect=4)

    def test_backup_and_restore(self):
        self.load("readings", self.write("w.csv", WIDE))
        copy = self.dir / "copy.db"
        s = json.loads(self.run_fettle("backup", copy, "--json")[0])
        self.assertEqual(s["bytes"], copy.stat().st_size)
        self.run_fettle("backup", copy, expect=5)
        self.assertEqual(self.readings(db=copy), WIDE_ROWS)
        self.load("readings", self.write("m.csv", WIDE.replace("2015", "2016")))
        self.assertEqual(len(self.readings()), 10)
        self.run_fettle("restore", copy)
        self.assertEqual(self.readings(), WIDE_ROWS)
        self.assertEqual(len(self.readings(db=f"{self.db}.before-restore")), 10)
        self.load("readings", self.dir / "m.csv")
        new = self.dir / "new.db"
        self.run_fettle("restore", copy, db=new)
        self.assertEqual(self.readings(db=new), WIDE_ROWS)

    def test_restore_refuses_bad_backups_and_itself(self):
        self.load("readings", self.write("w.csv", WIDE))
        self.run_fettle("restore", self.dir / "absent.db", expect=3)
        self.run_fettle("restore", self.write("junk.db", "junk" * 500), expect=4)
        self.run_fettle("restore", self.db, expect=4)
        self.run_fettle("restore", expect=2)
        self.assertEqual(self.readings(), WIDE_ROWS)

    def test_restore_over_a_damaged_database(self):
        self.load("readings", self.write("w.csv", WIDE))
        copy = self.dir / "copy.db"
        self.run_fettle("backup", copy)
        self.db.write_bytes(b"ruined" * 2000)
        self.run_fettle("restore", copy)
        self.assertEqual(self.readings(), WIDE_ROWS)

    def test_one_writer_at_a_time(self):
        self.load("readings", self.write("w.csv", WIDE))
        copy = self.dir / "copy.db"
        self.run_fettle("backup", copy)
        fifo = self.dir / "pipe"
        os.mkfifo(fifo)
        p = subprocess.Popen([FETTLE, "import", "readings", str(fifo), "--db", str(self.db)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(fifo, "wb") as f:
            f.write(WIDE.encode())
            f.flush()
            deadline = time.monotonic() + 10
            while not pathlib.Path(f"{self.db}.lock").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            self.load("readings", self.dir / "w.csv", expect=7)
            self.run_fettle("restore", copy, expect=7)
            self.run_fettle("backup", self.dir / "during.db")
        self.assertEqual(p.wait(timeout=20), 0)

    def test_help_shows_examples_first(self):
        for args in (["import", "readings"], ["import", "events"], ["import", "assets"],
                     ["import", "cmapss"], ["export"], ["backup"], ["restore"], ["check"]):
            out, _ = self.run_fettle(*args, "-h")
            self.assertTrue(out.startswith("Examples:"), out)


if __name__ == "__main__":
    unittest.main()
