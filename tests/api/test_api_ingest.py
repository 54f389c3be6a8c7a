"""Readings under pressure: compressed bodies, full lines, a full disk, and what they answer."""
import concurrent.futures
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from api.server import Server


def items(asset, sensor, n, start=1767225600):
    return [{"asset": asset, "sensor": sensor, "at": start + 60 * i, "value": i} for i in range(n)]


class Bodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def send(self, body, **headers):
        return self.s.post("/api/v1/readings", body, role="ingest", **headers)

    def test_gzip(self):
        body = gzip.compress(json.dumps(items("P-101", "gz", 3)).encode())
        r = self.send(body, Content_Type="application/json", Content_Encoding="gzip")
        self.assertEqual((r.status, r.json["created"]), (200, 3), r.text)
        r = self.send(body[:-3], Content_Type="application/json", Content_Encoding="gzip")
        self.assertEqual(r.status, 400, r.text)
        r = self.send(body, Content_Type="application/json", Content_Encoding="br")
        self.assertEqual(r.status, 415, r.text)

    def test_bomb(self):
        bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]", 9)
        r = self.send(bomb, Content_Type="application/json", Content_Encoding="gzip")
        self.assertEqual(r.status, 400, r.text)
        self.assertIn("decompressed", r.text)

    def test_metrics(self):
        self.send(items("P-101", "m", 2))
        text = self.s.get("/metrics").text
        for name in ("writer_commits_total", "writer_points_waiting", "writer_seconds_bucket",
                     "writer_refused_total", "disk_free_bytes", "disk_full", "http_busy_total",
                     "ingest_queue_length", "http_body_bytes"):
            self.assertIn("fettle_" + name, text)

    def test_idempotency_key_in_a_group(self):
        body = items("P-101", "once", 2)
        first = self.send(body, Idempotency_Key="ingest-1")
        again = self.send(body, Idempotency_Key="ingest-1")
        self.assertEqual((first.status, again.status), (200, 200))
        self.assertEqual(first.text, again.text)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(self.send(body[:1], Idempotency_Key="ingest-1").status, 422)


class Pressure(unittest.TestCase):
    def test_full_line_is_said_and_reads_go_on(self):
        config = "[server]\nworkers = 3\n[ingest]\nmax_waiting = 1\n"
        with Server(config) as s:
            bodies = [json.dumps(items("P-101", f"s{i}", 20000)).encode() for i in range(16)]

            def send(body):
                return s.post("/api/v1/readings", body, role="ingest",
                              Content_Type="application/json")

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                running = [pool.submit(send, b) for b in bodies]
                reads = [s.get("/api/v1/site").status for _ in range(5)]
                replies = [f.result() for f in running]
            self.assertEqual(set(reads), {200})
            self.assertEqual({r.status for r in replies}, {200, 503})
            for r in replies:
                if r.status == 503:
                    self.assertGreaterEqual(int(r.headers["Retry-After"]), 1)
            # What was acknowledged is there, what was refused is not.
            taken = sum(r.json["created"] for r in replies if r.status == 200)
            sensors = s.get("/api/v1/sensors?asset=P-101").json["items"]
            self.assertEqual(sum(x["readings"] for x in sensors if x["name"].startswith("s")), taken)
            self.assertNotIn("fettle_http_busy_total 0\n", s.get("/metrics").text)

    def test_body_memory(self):
        with Server("[ingest]\nbody_memory = 1MiB\n", data=False) as s:
            big = json.dumps(items("P-1", "a", 15000)).encode()
            self.assertGreater(len(big), 1 << 19)

            def send(_):
                return s.post("/api/v1/readings?class=x", big, role="ingest",
                              Content_Type="application/json")

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                codes = {r.status for r in pool.map(send, range(8))}
            self.assertTrue(codes <= {200, 503}, codes)
            self.assertEqual(send(0).status, 200)
            self.assertIn("fettle_http_body_bytes 0\n", s.get("/metrics").text)


class FullDisk(unittest.TestCase):
    def test_limits_of_the_configuration(self):
        with Server("[ingest]\nmin_free = 1000000TiB\n") as s:
            r = s.post("/api/v1/readings", items("P-101", "a", 1), role="ingest")
            self.assertEqual(r.status, 507, r.text)
            self.assertEqual(r.json["type"], "/problems/disk-full")
            self.assertEqual(r.headers["Retry-After"], "10")
            self.assertEqual(s.get("/api/v1/assets").status, 200)
            order = s.post("/api/v1/work-orders", {"title": "Clean the disk", "asset": "P-101"})
            self.assertEqual(order.status, 201, order.text)
            self.assertIn("fettle_disk_full 1\n", s.get("/metrics").text)

    def test_small_file_system_fills_and_recovers(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="fettle-disk-"))
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)],
                capture_output=True).returncode != 0:
            folder.rmdir()
            self.skipTest("a small file system can be mounted by root only")
        try:
            env = {"FETTLE_DB": str(folder / "fettle.db")}
            with Server("[ingest]\nmin_free = 20MiB\n", env=env) as s:
                self.assertEqual(
                    s.post("/api/v1/readings", items("P-101", "a", 5), role="ingest").status, 200)
                (folder / "filler").write_bytes(b"x" * (44 << 20))
                self.wait_for(s, 507)
                self.assertEqual(s.get("/api/v1/readings?asset=P-101&sensor=a").status, 200)
                (folder / "filler").unlink()
                self.wait_for(s, 200)
                got = s.get("/api/v1/readings?asset=P-101&sensor=a").json
                self.assertEqual(len(got["items"]), 5)
        finally:
            subprocess.run(["umount", str(folder)], check=True)
            shutil.rmtree(folder, ignore_errors=True)

    def wait_for(self, s, status):
        end = time.monotonic() + 10
        while True:
            r = s.post("/api/v1/readings", items("P-101", "a", 5), role="ingest")
            if r.status == status:
                return
            self.assertLess(time.monotonic(), end, r.text)
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
