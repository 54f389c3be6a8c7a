"""The memory that fit plans for is enough: its peak stays below, and so does a fit under --memory with the number that
a refusal names."""
import array
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import unittest

FETTLE = os.environ["FETTLE"]
ROWS, COLS = 60000, 20


def fettle(*words):
    return subprocess.run([FETTLE, *map(str, words)], capture_output=True, text=True, timeout=600)


def write_npy(path, shape, values):
    head = str({"descr": "<f4", "fortran_order": False, "shape": shape})
    head += " " * (117 - len(head)) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
                     + array.array("f", values).tobytes())


@unittest.skipIf(os.environ.get("FETTLE_SANITIZED"), "a sanitizer's own memory is not planned")
class FitMemory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.dir.name)
        rng = random.Random(5)
        values = [v / 7 for v in array.array("H", rng.randbytes(2 * ROWS * COLS))]
        for k in range(0, len(values), 37):
            values[k] = float("nan")
        label = [float(values[i * COLS + 1] + 3000 * rng.random() > 6000) for i in range(ROWS)]
        write_npy(cls.path / "x.npy", (ROWS, COLS), values)
        write_npy(cls.path / "y.npy", (ROWS,), label)

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def words(self, *more):
        return ["fit", self.path / "x.npy", "--label", self.path / "y.npy", "--out", self.path / "m.model", "--json",
                "--no-search", "--trees", "4", *more]

    def test_peak_stays_below_the_plan(self):
        for more in (("--folds", "0", "--threads", "1"),
                     ("--folds", "0", "--threads", "8", "--leaves", "500"),
                     ("--folds", "3", "--threads", "2"),
                     ("--folds", "4", "--threads", "4", "--early-stopping", "2"),
                     ("--folds", "2", "--threads", "2", "--task", "regress", "--objective", "quantile"),
                     ("--folds", "2", "--threads", "2", "--class-weight", "3"),
                     ("--folds", "2", "--threads", "2", "--model", "logistic")):
            with self.subTest(more):
                done = fettle(*self.words(*more))
                self.assertEqual(done.returncode, 0, done.stderr)
                got = json.loads(done.stdout)
                self.assertLessEqual(got["peak_rss_bytes"], got["planned_bytes"])

    def test_the_number_of_a_refusal_suffices(self):
        refused = fettle(*self.words("--folds", "4", "--threads", "4", "--memory", "40M"))
        self.assertEqual(refused.returncode, 5, refused.stderr)
        number = int(re.search(r"(\d+) ?MiB would", refused.stderr).group(1))
        done = fettle(*self.words("--folds", "4", "--threads", "4", "--memory", f"{number}M"))
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        self.assertLessEqual(got["planned_bytes"], number << 20)
        self.assertLessEqual(got["peak_rss_bytes"], number << 20)


if __name__ == "__main__":
    unittest.main()
