"""Line protocol as InfluxDB clients speak it: both addresses, precision, gzip, keys in all the places
where those clients put them, partial writes, and the client of InfluxDB 1.x itself."""
import base64
import gzip
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from api.server import Server


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def write(self, body, query="precision=s", path="/write", role="ingest", **headers):
        return self.s.post(f"{path}?{query}", body, role=role, **headers)

    def values(self, asset, sensor):
        q = urllib.parse.urlencode({"asset": asset, "sensor": sensor})
        return [i["value"] for i in self.s.get("/api/v1/readings?" + q).json["items"]]

    def test_write(self):
        r = self.write("vib,asset=L-1 value=1.5 1767225600\nvib,asset=L-1 value=2.5 1767225601\n"
                       "pump,asset=L-1,loc=a\\ b temp=3i,on=true,note=\"text\" 1767225600\n",
                       query="db=plant&rp=auto&consistency=one&precision=s")
        self.assertEqual((r.status, r.body), (204, b""), r.text)
        self.assertIn("X-Influxdb-Version", r.headers)
        self.assertEqual(self.values("L-1", "vib"), [1.5, 2.5])
        self.assertEqual(self.values("L-1", "pump.temp,loc=a b"), [3])
        self.assertEqual(self.values("L-1", "pump.on,loc=a b"), [1])
        self.assertIn("default", [c["name"] for c in self.s.get("/api/v1/classes").json["items"]])

    def test_precisions_and_gzip(self):
        for precision, factor in (("", 10**9), ("n", 10**9), ("u", 10**6), ("ms", 10**3), ("s", 1)):
            body = gzip.compress(f"L-2 p{precision}=1 {1767225600 * factor}\n".encode())
            r = self.write(body, f"precision={precision}" if precision else "db=x",
                           Content_Encoding="gzip")
            self.assertEqual(r.status, 204, r.text)
        r = self.s.get("/api/v1/sensors?asset=L-2").json["items"]
        self.assertEqual({i["first_at"] for i in r}, {"2026-01-01T00:00:00Z"})
        self.assertEqual(len(r), 5)
        self.assertEqual(self.write("L-2 p=1 1", "precision=sec").status, 400)

    def test_partial_write(self):
        r = self.write("L-3 a=1 1767225600\nnonsense\nL-3 a=x 1767225601\nL-3 a=2 1767225602\n")
        self.assertEqual(r.status, 400)
        self.assertIn("partial write: ", r.json["error"])
        self.assertIn("dropped=2", r.json["error"])
        self.assertEqual([(i["line"]) for i in r.json["lines"]], [2, 3])
        self.assertEqual(self.values("L-3", "a"), [1, 2])
        r = self.write("nonsense\n", path="/api/v2/write", query="bucket=b&org=o")
        self.assertEqual((r.status, r.json["code"]), (400, "invalid"), r.text)
        self.assertIn("nonsense", r.json["message"])
        raw = [q["raw"] for q in self.s.get("/api/v1/quarantine?limit=100").json["items"]
               if q["file"] == "/write"]
        self.assertIn("L-3 a=x 1767225601", raw)

    def test_bytes_that_are_no_text(self):
        r = self.write(b"L-3\xff a=1 1767225600\nL-3 b=1 1767225600\n")
        self.assertEqual((r.status, r.json["dropped"]), (400, 1), r.body)
        r = self.s.post("/api/v1/readings", b"ass\xff;b\xff;b\xff\r\na;b\r\n", role="ingest",
                        Content_Type="text/csv")
        self.assertIn("occurs twice", r.json["detail"])

    def test_empty_and_too_large(self):
        self.assertEqual(self.write("\n# nothing\n").status, 204)
        r = self.write(b"x" * (17 << 20))
        self.assertEqual(r.status, 413)

    def test_future(self):
        ahead = int(time.time()) + 40 * 3600
        r = self.write(f"L-4 a=1 {ahead}\n")
        self.assertEqual(r.status, 400)
        self.assertIn("max_future", r.json["error"])
        self.assertEqual(self.write("L-4 a=1\n").status, 204)  # now

    def test_where_keys_stand(self):
        key = self.s.keys["ingest"]
        basic = base64.b64encode(f"telegraf:{key}".encode()).decode()
        line = "L-5 a=1 1767225600"
        for headers in ({"Authorization": "Token " + key}, {"Authorization": "Bearer " + key},
                        {"Authorization": "Basic " + basic}):
            r = self.s.request("POST", "/write?precision=s", line, headers=headers)
            self.assertEqual(r.status, 204, r.text)
        r = self.s.request("POST", f"/write?precision=s&u=me&p={key}", line)
        self.assertEqual(r.status, 204, r.text)
        for headers in ({}, {"Authorization": "Token wrong"}, {"Authorization": "Basic !"},
                        {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}):
            r = self.s.request("POST", "/write?precision=s", line, headers=headers)
            self.assertEqual(r.status, 401, r.text)
            self.assertIn("error", r.json)
        # Elsewhere neither a password nor a parameter is a key.
        r = self.s.request("POST", "/api/v1/readings", "[]",
                           headers={"Authorization": "Basic " + basic})
        self.assertEqual(r.status, 401)
        r = self.s.request("POST", f"/api/v1/readings?p={key}", "[]")
        self.assertEqual(r.status, 401)
        self.assertEqual(self.write(line, role="viewer").status, 403)

    def test_ping_and_query(self):
        r = self.s.get("/ping")
        self.assertEqual(r.status, 204)
        self.assertTrue(r.headers["X-Influxdb-Version"].startswith("1."))
        r = self.s.post("/query", "q=CREATE+DATABASE+%22telegraf%22", role="ingest",
                        Content_Type="application/x-www-form-urlencoded")
        self.assertEqual((r.status, r.json), (200, {"results": [{"statement_id": 0}]}))
        r = self.s.get("/query?q=show%20databases", role="ingest").json
        self.assertEqual(r["results"][0]["series"][0]["values"], [["fettle"]])
        r = self.s.get("/query?q=select%201", role="ingest").json
        self.assertIn("/api/v1", r["results"][0]["error"])

    def test_influx_client(self):
        if shutil.which("influx") is None:
            self.skipTest("the client of InfluxDB 1.x is not installed (influxdb-client)")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "points.txt"
            file.write_text("# DDL\nCREATE DATABASE plant\n# DML\n# CONTEXT-DATABASE: plant\n" +
                            "".join(f"flow,asset=L-6 value={i} {1767225600 + i}\n"
                                    for i in range(12000)))
            base = ["influx", "-host", "127.0.0.1", "-port", str(self.s.port), "-username", "any",
                    "-password", self.s.keys["ingest"], "-database", "plant", "-precision", "s"]
            done = subprocess.run(base + ["-import", "-path", str(file)], timeout=60,
                                  capture_output=True, text=True)
            self.assertIn("Processed 12000 inserts", done.stdout + done.stderr)
            self.assertIn("Failed 0 inserts", done.stdout + done.stderr)
            self.assertEqual(done.returncode, 0)
            done = subprocess.run(base + ["-execute", "INSERT flow,asset=L-6 value=-1 1767000000"],
                                  timeout=60, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        s = self.s.get("/api/v1/sensors?asset=L-6").json["items"]
        self.assertEqual([(i["name"], i["readings"]) for i in s], [("flow", 12001)])


class Policy(unittest.TestCase):
    def test_refuse_unknown_and_mapping(self):
        config = ("[ingest]\nunknown = refuse\nasset_tags = unit\ndrop_tags = host\n"
                  "strings = refuse\n")
        with Server(config) as s:
            def write(body):
                return s.post("/write?precision=s", body, role="ingest")

            r = write("vibration,unit=P-101,host=h value=1 1767000000\n")
            self.assertEqual(r.status, 204, r.text)
            for body in ("vibration,unit=P-999 value=1 1", "new,unit=P-101 value=1 1",
                         'vibration,unit=P-101 value="x" 1'):
                self.assertEqual(write(body).status, 400, body)
            item = {"asset": "P-101", "sensor": "new", "at": "2026-01-01T00:00:00Z", "value": 1}
            for change in ({}, {"asset": "P-999", "sensor": "vibration"}):
                r = s.post("/api/v1/readings?class=pump", [item | change], role="ingest")
                self.assertEqual((r.status, r.json["rejected"]), (207, 1), change)

    def test_cardinality_cap(self):
        with Server("[ingest]\nmax_sensors = 10\n") as s:
            lines = "".join(f"C-{i} a=1 1767000000\n" for i in range(20))
            r = s.post("/write?precision=s", lines, role="ingest")
            self.assertEqual(r.status, 400)
            self.assertIn("max_sensors", r.json["error"])
            self.assertEqual(r.json["written"] + r.json["dropped"], 20)
            self.assertEqual(len(s.get("/api/v1/sensors").json["items"]), 10)
            item = {"asset": "C-0", "sensor": "b", "at": "2026-01-01T00:00:00Z", "value": 1}
            r = s.post("/api/v1/readings", [item, item | {"sensor": "a"}], role="ingest")
            self.assertEqual([i["status"] for i in r.json["items"]], ["rejected", "created"])
            self.assertIn("max_sensors", r.json["items"][0]["detail"])

    def test_clock_skew(self):
        ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
        item = {"asset": "K-1", "sensor": "b", "at": ahead, "value": 1}
        with Server("[ingest]\nmax_future = 1h\n") as s:
            r = s.post("/api/v1/readings?class=k", [item], role="ingest")
            self.assertEqual(r.json["rejected"], 1)
            self.assertIn("max_future", r.json["items"][0]["detail"])


if __name__ == "__main__":
    unittest.main()
