"""Retraining by the server: started over HTTP and by the clock, while readings come in; child killed,
server stopped, server killed: the old champions stay, and the next night runs."""
import json
import os
import pathlib
import signal
import time
import unittest

from api.server import SANITIZED, Server

LIMIT_S = 600 if SANITIZED else 240


def children(pid):
    out = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            out += [int(x) for x in (task / "children").read_text().split()]
        except OSError:
            pass
    return out


class Night(unittest.TestCase):
    def setUp(self):
        self.s = Server(data=False)
        self.addCleanup(self.s.close)
        self.s.run("demo", "--assets", "12", "--days", "150", "--seed", "5", "--no-train")

    def begin(self, **headers):
        r = self.s.post("/api/v1/runs", {"kind": "retrain"}, role="engineer", **headers)
        self.assertEqual(r.status, 202, r.text)
        self.assertEqual(r.headers["Location"], f"/api/v1/runs/{r.json['id']}")
        return r.headers["Location"]

    def wait(self, path, states=("done", "failed", "interrupted"), seconds=LIMIT_S):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = self.s.get(path).json
            if run["state"] in states:
                return run
            time.sleep(0.2)
        self.fail(f"still {run}")

    def wait_child(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = children(self.s.process.pid)
            if found:
                return found[0]
            time.sleep(0.02)
        self.fail("no child was started")

    def forecasts(self):
        return self.s.get("/api/v1/forecasts?limit=1000").json["items"]

    def test_over_http(self):
        self.s.start()
        path = self.begin(Idempotency_Key="night-1")
        self.assertEqual(self.begin(Idempotency_Key="night-1"), path)
        again = self.s.post("/api/v1/runs", {"kind": "retrain"}, role="engineer")
        self.assertIn(again.status, (409, 202))
        n = 0
        while self.s.get(path).json["state"] == "running" and n < 2000:
            n += 1
            r = self.s.post("/api/v1/readings", [{"asset": "N-1", "sensor": "x", "value": n,
                                                  "at": 1767225600 + n}], role="ingest")
            if r.status == 503:  # the writer is busy with the result: said at once, come again
                self.assertTrue(r.headers.get("Retry-After"), r.headers)
            else:
                self.assertEqual(r.status, 207)  # unknown asset: answered, not hung
            time.sleep(0.05)
        run = self.wait(path)
        self.assertEqual(self.s.post("/api/v1/readings", [
            {"asset": "N-1", "sensor": "x", "value": 0, "at": 1767225600}],
            role="ingest").status, 207)
        self.assertEqual(run["state"], "done", run)
        self.assertTrue(run["report"]["classes"])
        self.assertTrue(self.forecasts())
        self.assertRegex(self.s.get("/metrics").text,
                         r"fettle_last_retrain_timestamp_seconds [1-9]")
        newest = self.s.get("/api/v1/runs?kind=retrain&limit=1").json["items"][0]
        self.assertIn(newest["state"], ("done", "running"))
        self.assertEqual(self.s.post("/api/v1/runs", {"kind": "party"}, role="engineer").status, 422)

    def test_child_killed_then_again(self):
        self.s.start()
        path = self.begin()
        os.kill(self.wait_child(), signal.SIGKILL)
        run = self.wait(path)
        self.assertEqual(run["state"], "failed", run)
        self.assertEqual(self.forecasts(), [])
        self.assertEqual(self.wait(self.begin())["state"], "done")
        self.assertTrue(self.forecasts())

    def test_server_stopped_then_killed(self):
        self.s.start()
        path = self.begin()
        child = self.wait_child()
        code, took = self.s.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 10)
        self.assertFalse(pathlib.Path(f"/proc/{child}/exe").exists())
        self.s.start()
        self.assertEqual(self.s.get(path).json["state"], "interrupted")
        path = self.begin()
        child = self.wait_child()
        self.s.stop(signal.SIGKILL)
        self.s.start()
        self.assertEqual(self.s.get(path).json["state"], "interrupted")
        self.assertEqual(self.forecasts(), [])
        # The lease of the killed server does not hold the next night up.
        self.assertEqual(self.wait(self.begin())["state"], "done")
        # What the killed server's child left behind goes with the next night at the latest.
        self.assertEqual(self.wait(self.begin())["state"], "done")
        self.assertEqual(list(self.s.folder.glob("*.night-*")), [])

    def test_by_the_clock(self):
        self.s.config = "[night]\nretrain_at = * * * * *\n"
        self.s.start()
        self.assertEqual(self.s.get("/api/v1/runs?kind=retrain").json["items"], [])
        end = time.monotonic() + 70
        while time.monotonic() < end:
            items = self.s.get("/api/v1/runs?kind=retrain").json["items"]
            if items:
                break
            time.sleep(0.5)
        self.assertEqual(len(items), 1)
        self.assertTrue(self.wait_child())

    def test_bad_cron_is_said_at_start(self):
        (self.s.folder / "bad.conf").write_text("[night]\nretrain_at = 99 2 * * *\n")
        done = self.s.run("serve", "--listen", "127.0.0.1:0", "--config", "bad.conf", check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("retrain_at", done.stderr)


if __name__ == "__main__":
    unittest.main()
