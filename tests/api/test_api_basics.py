"""Static files, headers, conditional requests, problem bodies, lists, parameters."""
import json
import unittest

from api.server import Server


class Basics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def problem(self, r, status, kind):
        self.assertEqual(r.status, status, r.text)
        self.assertEqual(r.headers["Content-Type"], "application/problem+json")
        p = r.json
        self.assertEqual(p["type"], "/problems/" + kind)
        self.assertEqual(p["status"], status)
        self.assertEqual(p["request_id"], r.headers["X-Request-Id"])
        self.assertIn("detail", p)
        return p

    def test_health(self):
        self.assertEqual(self.s.get("/healthz").text, "ok\n")
        r = self.s.get("/readyz").json
        self.assertTrue(r["ready"] and r["database_writable"] and r["database_readable"])

    def test_security_headers_everywhere(self):
        for path in ("/", "/healthz", "/api/v1/site", "/nothing", "/api/v1/keys"):
            h = self.s.get(path).headers
            self.assertIn("default-src 'none'", h["Content-Security-Policy"])
            self.assertNotIn("unsafe", h["Content-Security-Policy"])
            self.assertEqual(h["X-Content-Type-Options"], "nosniff")
            self.assertEqual(h["Referrer-Policy"], "no-referrer")
            self.assertEqual(h["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertIn("camera=()", h["Permissions-Policy"])
            self.assertIsNone(h["Access-Control-Allow-Origin"])

    def test_dashboard_pages(self):
        index = self.s.get("/").body
        for path in ("/fleet", "/asset/P-101", "/asset/%C3%84%2F1", "/plan", "/roi", "/runs"):
            r = self.s.get(path)
            self.assertEqual((r.status, r.body), (200, index), path)
            self.assertTrue(r.headers["Content-Type"].startswith("text/html"))
        self.assertEqual(self.s.get("/static/nothing.js").status, 404)
        self.assertEqual(self.s.get("/plan/a/b").status, 404)

    def test_static_file_etag_and_gzip(self):
        r = self.s.get("/static/dygraph.min.js", Accept_Encoding="gzip")
        self.assertEqual(r.headers["Content-Encoding"], "gzip")
        self.assertTrue(r.headers["Content-Type"].startswith("text/javascript"))
        plain = self.s.get("/static/dygraph.min.js")
        self.assertIsNone(plain.headers["Content-Encoding"])
        self.assertEqual(plain.body, r.body)
        etag = plain.headers["ETag"]
        again = self.s.get("/static/dygraph.min.js", If_None_Match=etag)
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(plain.headers["Cache-Control"], "no-cache")
        kept = self.s.get("/static/dygraph.min.js?v=" + etag.strip('"')[:12])
        self.assertIn("immutable", kept.headers["Cache-Control"])

    def test_head(self):
        r = self.s.request("HEAD", "/api/v1/site")
        self.assertEqual((r.status, r.body), (200, b""))
        self.assertGreater(int(r.headers["Content-Length"]), 10)

    def test_api_etag(self):
        r = self.s.get("/api/v1/classes")
        again = self.s.get("/api/v1/classes", If_None_Match='"x", W/' + r.headers["ETag"])
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(self.s.get("/api/v1/classes", If_None_Match='"x"').status, 200)

    def test_gzip_of_large_answers_only(self):
        big = self.s.get("/openapi.json")
        r = self.s.get("/api/v1/readings?asset=P-101&sensor=vibration", Accept_Encoding="gzip")
        self.assertEqual(r.headers["Content-Encoding"], "gzip")
        self.assertLess(len(r.raw), len(r.body) / 3)
        self.assertIsNone(self.s.get("/api/v1/site", Accept_Encoding="gzip").headers["Content-Encoding"])
        self.assertIsNone(big.headers["Content-Encoding"])

    def test_problems(self):
        self.problem(self.s.get("/nope"), 404, "not-found")
        r = self.s.request("DELETE", "/api/v1/events")
        self.problem(r, 405, "method-not-allowed")
        self.assertEqual(r.headers["Allow"], "GET, HEAD, POST")
        self.problem(self.s.get("/api/v1/events?limt=3"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?limit=0"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?limit=1001"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?from=soon"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?cursor=abc"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?kind=party"), 400, "invalid")
        self.problem(self.s.get("/api/v1/events?asset=P-999"), 404, "not-found")
        self.problem(self.s.get("/api/v1/events?limit=3&limit=4"), 400, "malformed-request")
        self.problem(self.s.get("/api/v1/models/7"), 404, "not-found")
        self.problem(self.s.get("/api/v1/runs/x"), 404, "not-found")

    def test_problem_points_to_the_field(self):
        r = self.s.post("/api/v1/keys", {"name": "x", "role": "king"})
        p = self.problem(r, 422, "invalid")
        self.assertEqual(p["errors"][0]["pointer"], "/role")
        r = self.s.post("/api/v1/keys", {"name": "x", "role": "viewer", "rule": 1})
        self.problem(r, 422, "invalid")
        self.problem(self.s.post("/api/v1/keys", '{"name":', Content_Type="application/json"), 400,
                     "invalid")
        self.problem(self.s.post("/api/v1/keys", '{"name":"a","name":"b","role":"viewer"}',
                                 Content_Type="application/json"), 400, "invalid")
        self.problem(self.s.post("/api/v1/keys", "name=x", Content_Type="text/plain"), 415,
                     "media-type")

    def test_site(self):
        site = self.s.get("/api/v1/site").json
        self.assertEqual(site["role"], "viewer")
        self.assertEqual(site["last_reading_at"], "2026-03-25T07:00:00Z")
        self.assertEqual(self.s.get("/api/v1/site", role="engineer").json["role"], "engineer")

    def test_readings_keep_extremes(self):
        r = self.s.get("/api/v1/readings?asset=P-101&sensor=vibration&points=100").json
        self.assertNotEqual(r["resolution"], "raw")
        self.assertLessEqual(len(r["items"]), 100)
        self.assertEqual(max(i["max"] for i in r["items"]), 42.0 + 777 % 7 * 0.25)
        self.assertEqual(sum(i["n"] for i in r["items"]), 2000)
        day = self.s.get("/api/v1/readings?asset=P-101&sensor=vibration"
                         "&from=2026-01-02&to=2026-01-03&points=24").json
        self.assertEqual(day["resolution"], "raw")
        self.assertEqual(len(day["items"]), 24)
        self.assertEqual(day["items"][0]["at"], "2026-01-02T00:00:00Z")
        hourly = self.s.get("/api/v1/readings?asset=P-101&sensor=vibration"
                            "&from=2026-01-02&to=2026-01-04&points=10").json
        self.assertEqual(hourly["resolution"], "min-max of 4.8 h")
        self.assertEqual(self.s.get("/api/v1/readings?asset=P-101&sensor=vibration&from=2026-01-02"
                                    "&to=2026-01-04&max_points=10").json, hourly)
        self.assertEqual(self.s.get("/api/v1/readings?asset=P-101").status, 400)
        self.assertEqual(self.s.get("/api/v1/readings?asset=P-101&sensor=x").status, 404)
        empty = self.s.get("/api/v1/sensors?asset=P-101").json["items"]
        self.assertEqual([x["name"] for x in empty], ["temperature", "vibration"])

    def test_csv_of_a_list(self):
        r = self.s.get("/api/v1/events", Accept="text/csv")
        self.assertEqual(r.headers["Content-Type"], "text/csv; charset=utf-8")
        lines = r.text.split("\r\n")
        self.assertTrue(lines[0].startswith("id,asset,component,kind,at"))
        self.assertEqual(len(lines), 4)
        self.assertIn("P-102,seal,failure,2026-02-20T08:30:00Z", lines[1])

    def test_paging(self):
        seen, path = [], "/api/v1/events?limit=1"
        while path:
            r = self.s.get(path)
            seen += [e["asset"] for e in r.json["items"]]
            link = r.headers["Link"]
            self.assertEqual(link is None, r.json["next_cursor"] is None)
            if link:
                self.assertTrue(link.endswith('>; rel="next"'))
            path = link and link[1:link.index(">")]
        self.assertEqual(seen, ["P-102", "P-101"])

    def test_metrics(self):
        self.s.get("/api/v1/classes")
        text = self.s.get("/metrics").text
        self.assertRegex(text, r'fettle_http_requests_total\{method="GET",route="/api/v1/classes",'
                               r'status="2xx"\} \d+')
        for name in ("fettle_readings_ingested_total", "fettle_database_bytes",
                     "fettle_writer_queue_length", "fettle_last_retrain_timestamp_seconds",
                     "fettle_http_request_duration_seconds_bucket"):
            self.assertIn(name, text)
        self.assertNotIn("P-101", text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(#|fettle_)")

    def test_config_and_key_commands(self):
        done = self.s.run("key", "create", "--name", "x", "--role", "admin", check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("/api/v1/keys", done.stderr)
        listed = json.loads(self.s.run("key", "list", "--json").stdout)["items"]
        self.assertEqual(len([k for k in listed if k["name"].startswith("test ")]), 5)
        self.assertNotIn("hash", json.dumps(listed))
        shown = json.loads(self.s.run("config", "show", "--json").stdout)
        self.assertEqual(shown["server.listen"], {"value": "127.0.0.1:8080", "origin": "default"})
        bad = self.s.folder / "bad.conf"
        bad.write_text("[server]\nlisen = 1\n")
        done = self.s.run("config", "check", "--config", str(bad), check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("bad.conf line 2", done.stderr)
        done = self.s.run("serve", "--listen", "0.0.0.0:0", check=False)
        self.assertEqual(done.returncode, 5)


if __name__ == "__main__":
    unittest.main()
