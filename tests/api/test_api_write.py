"""The writing side: bulk readings and events, work orders with their versions, kept answers."""
import json
import unittest

from api.server import Server


class Write(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def new_order(self, **more):
        r = self.s.post("/api/v1/work-orders",
                        {"title": "Replace bearing", "asset": "P-101", **more}, role="planner")
        self.assertEqual(r.status, 201, r.text)
        return r

    def patch(self, key, body, etag, role="planner"):
        headers = {"If-Match": etag} if etag else {}
        return self.s.request("PATCH", "/api/v1/work-orders/" + key, body, role=role,
                              headers=headers)

    # --- readings ---------------------------------------------------------------------------------

    def test_readings_json(self):
        items = [{"asset": "P-101", "sensor": "current", "at": "2026-05-01T00:00:00Z", "value": 1.5},
                 {"asset": "P-101", "sensor": "current", "at": 1777597200, "value": 2.5}]
        r = self.s.post("/api/v1/readings", items, role="ingest")
        self.assertEqual(r.status, 200, r.text)
        self.assertEqual((r.json["received"], r.json["created"], r.json["rejected"]), (2, 2, 0))
        r = self.s.post("/api/v1/readings", {"items": items}, role="ingest")
        self.assertEqual((r.json["created"], r.json["unchanged"]), (0, 2))
        got = self.s.get("/api/v1/readings?asset=P-101&sensor=current").json
        self.assertEqual([i["value"] for i in got["items"]], [1.5, 2.5])

    def test_readings_ndjson_and_csv(self):
        lines = '{"asset":"P-101","sensor":"nd","at":"2026-05-01","value":1}\n\n' \
                '{"asset":"P-101","sensor":"nd","at":"2026-05-02","value":2}\r\n'
        r = self.s.post("/api/v1/readings", lines, role="ingest", Content_Type="application/x-ndjson")
        self.assertEqual((r.status, r.json["created"]), (200, 2), r.text)
        csv = "asset;sensor;at;value\r\nP-101;\"cs;v\";2026-05-01;1.25\r\nP-101;cs;2026-05-01;x\r\n"
        r = self.s.post("/api/v1/readings", csv, role="ingest", Content_Type="text/csv; charset=utf-8")
        self.assertEqual((r.status, r.json["created"], r.json["rejected"]), (207, 1, 1), r.text)
        got = self.s.get("/api/v1/readings?asset=P-101&sensor=cs%3Bv").json
        self.assertEqual(got["items"][0]["value"], 1.25)

    def test_readings_partial(self):
        items = [{"asset": "P-101", "sensor": "part", "at": "2026-05-01T00:00:00Z", "value": 1},
                 {"asset": "nobody", "sensor": "part", "at": "2026-05-01T00:00:00Z", "value": 1},
                 {"asset": "P-101", "sensor": "part", "at": "yesterday", "value": 1},
                 {"asset": "P-101", "sensor": "part", "at": "2026-05-01T01:00:00Z", "value": "1"},
                 {"asset": "P-101", "sensor": "part", "at": "2026-05-01T01:00:00Z", "vlaue": 1},
                 "text",
                 {"asset": "P-101", "sensor": "part", "at": "2026-05-01T02:00:00Z", "value": 3}]
        r = self.s.post("/api/v1/readings", items, role="ingest")
        self.assertEqual(r.status, 207, r.text)
        self.assertEqual([i["status"] for i in r.json["items"]],
                         ["created", "rejected", "rejected", "rejected", "rejected", "rejected",
                          "created"])
        self.assertEqual([i["index"] for i in r.json["items"]], list(range(7)))
        details = [i.get("detail", "") for i in r.json["items"]]
        self.assertIn("nobody", details[1])
        self.assertIn("/at", details[2])
        self.assertIn("/value", details[3])
        self.assertIn("vlaue", details[4])
        got = self.s.get("/api/v1/readings?asset=P-101&sensor=part").json
        self.assertEqual([i["value"] for i in got["items"]], [1, 3])
        kept = self.s.get("/api/v1/quarantine?limit=50").json["items"]
        mine = [q for q in kept if "nobody" in q["raw"]]
        self.assertEqual(mine[0]["file"], "/api/v1/readings")
        self.assertEqual(mine[0]["line"], 2)

    def test_readings_new_assets_in_a_class(self):
        item = [{"asset": "N-1", "sensor": "a", "at": "2026-05-01", "value": 1}]
        self.assertEqual(self.s.post("/api/v1/readings", item, role="ingest").json["rejected"], 1)
        r = self.s.post("/api/v1/readings?class=fan", item, role="ingest")
        self.assertEqual(r.json["created"], 1, r.text)
        self.assertIn("fan", [c["name"] for c in self.s.get("/api/v1/classes").json["items"]])

    def test_bulk_that_is_no_list(self):
        for body, status in (('{"items":3}', 400), ("3", 400), ("", 400), ('{"itms":[]}', 400),
                             ("[1,]", 400)):
            r = self.s.post("/api/v1/readings", body, role="ingest", Content_Type="application/json")
            self.assertIn(r.status, (status, 422), body)
        r = self.s.post("/api/v1/readings", "x", role="ingest", Content_Type="application/xml")
        self.assertEqual(r.status, 415)
        self.assertEqual(self.s.post("/api/v1/readings", [], role="ingest").json["received"], 0)

    def test_bulk_limits(self):
        r = self.s.post("/api/v1/readings", [1] * 100001, role="ingest")
        self.assertEqual(r.status, 422, r.text[:200])
        big = b"[" + b" " * (17 << 20) + b"]"
        r = self.s.request("POST", "/api/v1/readings", big, role="ingest",
                           headers={"Content-Type": "application/json"})
        self.assertEqual(r.status, 413)
        r = self.s.post("/api/v1/work-orders", {"title": "x" * (1 << 20), "asset": "P-101"})
        self.assertEqual(r.status, 413)

    def test_bulk_of_many(self):
        items = [{"asset": "P-102", "sensor": "many", "at": 1767225600 + 60 * i, "value": i}
                 for i in range(20000)]
        r = self.s.post("/api/v1/readings", items, role="ingest")
        self.assertEqual((r.status, r.json["created"]), (200, 20000))
        got = self.s.get("/api/v1/readings?asset=P-102&sensor=many&points=50").json
        self.assertEqual(sum(i["n"] for i in got["items"]), 20000)
        self.assertEqual(max(i["max"] for i in got["items"]), 19999)

    # --- events -----------------------------------------------------------------------------------

    def test_events(self):
        items = [{"asset": "P-102", "kind": "alarm", "at": "2026-06-01T00:00:00Z", "code": "E7"},
                 {"asset": "P-102", "kind": "failure", "at": "2026-06-02T00:00:00Z",
                  "component": "seal", "downtime_h": 4.5, "cost": 1234.5, "external_key": "M-77",
                  "note": "leak"},
                 {"asset": "P-102", "kind": "party", "at": "2026-06-02T00:00:00Z"}]
        r = self.s.post("/api/v1/events", items, role="ingest")
        self.assertEqual(r.status, 207, r.text)
        self.assertEqual([i["status"] for i in r.json["items"]], ["created", "created", "rejected"])
        again = self.s.post("/api/v1/events", items[:2], role="ingest")
        self.assertEqual((again.status, again.json["unchanged"]), (200, 2), again.text)
        self.assertEqual([i["id"] for i in again.json["items"]],
                         [i["id"] for i in r.json["items"][:2]])
        got = self.s.get("/api/v1/events?asset=P-102&from=2026-06-01&kind=failure,alarm").json["items"]
        self.assertEqual([e["kind"] for e in got], ["failure", "alarm"])
        self.assertEqual((got[0]["downtime_h"], got[0]["cost"], got[0]["external_key"],
                          got[0]["component"], got[0]["note"]), (4.5, 1234.5, "M-77", "seal", "leak"))

    # --- work orders ------------------------------------------------------------------------------

    def test_work_order_life(self):
        r = self.new_order(external_key="CMMS-1", due="2026-12-01T00:00:00Z", duration_h=2.5)
        w, etag = r.json, r.headers["ETag"]
        self.assertEqual(r.headers["Location"], "/api/v1/work-orders/" + w["key"])
        self.assertEqual((w["status"], w["kind"], w["duration_h"]), ("draft", "corrective", 2.5))
        for path in (w["key"], "ext:CMMS-1"):
            g = self.s.get("/api/v1/work-orders/" + path)
            self.assertEqual((g.json, g.headers["ETag"]), (w, etag))
        self.assertEqual(self.s.get("/api/v1/work-orders/" + w["key"],
                                    If_None_Match=etag).status, 304)
        r = self.patch(w["key"], {"status": "approved", "note": "ok"}, etag)
        self.assertEqual((r.status, r.json["status"], r.json["version"]),
                         (200, "approved", w["version"] + 1), r.text)
        self.assertEqual((w["approved"], r.json["approved"]), (None, r.json["updated"]))
        self.assertNotEqual(r.headers["ETag"], etag)
        self.assertEqual(self.patch(w["key"], {"note": None}, r.headers["ETag"]).json["note"], None)
        for bad in ({"code": "B1"}, {"cause_code": "leak"}, {"remedy_code": "?"}):
            r = self.s.post(f"/api/v1/work-orders/{w['key']}/outcome", {"outcome": "had_failed", **bad}, role="planner")
            self.assertEqual(r.status, 422, r.text)
            self.assertIn(f"/{next(iter(bad))}: ", r.json["detail"])
            self.assertIn("worn" if "code" in bad else "age" if "cause_code" in bad else "replaced", r.json["detail"])
        etag = self.s.get("/api/v1/work-orders/" + w["key"]).headers["ETag"]
        self.assertEqual(self.patch(w["key"], {"failure_code": "B1"}, etag).status, 422)
        done = self.s.post(f"/api/v1/work-orders/{w['key']}/outcome",
                           {"outcome": "had_failed", "component": "bearing", "code": "broken",
                            "downtime_h": 3, "ended": "2026-11-20T10:00:00Z"}, role="planner")
        self.assertEqual((done.status, done.json["status"], done.json["outcome"]),
                         (200, "closed", "had_failed"), done.text)
        events = self.s.get("/api/v1/events?asset=P-101&kind=failure&from=2026-11-20").json["items"]
        self.assertEqual((events[0]["component"], events[0]["at"]), ("bearing", "2026-11-20T10:00:00Z"))
        again = self.s.post(f"/api/v1/work-orders/{w['key']}/outcome", {"outcome": "confirmed"})
        self.assertEqual(again.status, 409)

    def test_work_order_preconditions(self):
        r = self.new_order()
        key, etag = r.json["key"], r.headers["ETag"]
        self.assertEqual(self.patch(key, {"note": "a"}, None).status, 428)
        self.assertEqual(self.patch(key, {"note": "a"}, '"wo-0-0"').status, 412)
        self.assertEqual(self.patch(key, {"note": "a"}, "W/" + etag).status, 412)
        self.assertEqual(self.patch(key, {"note": "a"}, etag).status, 200)
        r = self.patch(key, {"note": "b"}, etag)
        self.assertEqual((r.status, r.json["type"]), (412, "/problems/changed"))
        self.assertEqual(self.s.get("/api/v1/work-orders/" + key).json["note"], "a")
        self.assertEqual(self.patch(key, {"note": "c"}, "*").status, 200)

    def test_work_order_refusals(self):
        for body, pointer in (({"asset": "P-101"}, "/title"), ({"title": "x"}, "/asset"),
                              ({"title": "x", "asset": "P-101", "priority": 9}, "/priority"),
                              ({"title": "x", "asset": "P-101", "due": "soon"}, "/due"),
                              ({"title": "x", "asset": "P-101", "status": "lost"}, "/status")):
            r = self.s.post("/api/v1/work-orders", body)
            self.assertEqual(r.status, 422, r.text)
            self.assertEqual(r.json["errors"][0]["pointer"], pointer)
        r = self.new_order(external_key="TWICE")
        again = self.s.post("/api/v1/work-orders", {"title": "x", "asset": "P-101",
                                                    "external_key": "TWICE"})
        self.assertEqual(again.status, 409, again.text)
        bad = self.patch(r.json["key"], {"status": "closed"}, r.headers["ETag"])
        self.assertEqual(bad.status, 409, bad.text)
        self.assertEqual(self.s.get("/api/v1/work-orders/WO-99999").status, 404)

    def test_work_order_list(self):
        keys = [self.new_order(title=f"n {i}").json["key"] for i in range(3)]
        seen, path = [], "/api/v1/work-orders?asset=P-101&status=draft&limit=2"
        while path:
            r = self.s.get(path)
            seen += [w["key"] for w in r.json["items"]]
            path = r.headers["Link"] and r.headers["Link"][1:r.headers["Link"].index(">")]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue(set(keys) <= set(seen))
        csv = self.s.get("/api/v1/work-orders", Accept="text/csv").text
        self.assertIn(keys[0], csv)

    def test_idempotency_key(self):
        body = {"title": "once", "asset": "P-102", "external_key": "IDEM-1"}
        first = self.s.post("/api/v1/work-orders", body, Idempotency_Key="k-1")
        self.assertEqual(first.status, 201, first.text)
        again = self.s.post("/api/v1/work-orders", body, Idempotency_Key="k-1")
        self.assertEqual((again.status, again.json), (201, first.json))
        self.assertEqual(again.headers["Location"], first.headers["Location"])
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertIsNone(first.headers["Idempotent-Replayed"])
        other = self.s.post("/api/v1/work-orders", {**body, "title": "twice"}, Idempotency_Key="k-1")
        self.assertEqual((other.status, other.json["type"]),
                         (422, "/problems/idempotency-key-reused"))
        route = self.s.post("/api/v1/events", body, Idempotency_Key="k-1")
        self.assertEqual(route.status, 422)
        # Another caller's key of the same name is another key.
        mine = self.s.post("/api/v1/work-orders", {"title": "x", "asset": "P-102"}, role="planner",
                           Idempotency_Key="k-1")
        self.assertEqual(mine.status, 201)
        # A refused request is not kept: it may be corrected under the same key.
        bad = self.s.post("/api/v1/work-orders", {"title": "x"}, Idempotency_Key="k-2")
        self.assertEqual(bad.status, 422)
        good = self.s.post("/api/v1/work-orders", {"title": "x", "asset": "P-102"},
                           Idempotency_Key="k-2")
        self.assertEqual(good.status, 201)
        self.assertEqual(self.s.post("/api/v1/work-orders", body, Idempotency_Key="").status, 400)
        self.assertEqual(self.s.post("/api/v1/work-orders", body,
                                     Idempotency_Key="k" * 201).status, 400)

    def test_formulas_do_not_reach_a_spreadsheet(self):
        self.new_order(title="=HYPERLINK(\"http://x\")", note="@x")
        csv = self.s.get("/api/v1/work-orders?limit=1000", Accept="text/csv").text
        self.assertNotIn(",=HYPER", csv)
        self.assertNotIn(',"=HYPER', csv)
        self.assertIn("'=HYPER", csv)

    def test_openapi_schemas_hold(self):
        """Answers of the lists have every member that their schema requires."""
        self.new_order()
        spec = self.s.get("/openapi.json").json
        for path, methods in spec["paths"].items():
            if "get" not in methods or "{" in path or not path.startswith("/api"):
                continue
            if path == "/api/v1/readings":
                path += "?asset=P-101&sensor=vibration"
            r = self.s.get(path, role="admin")
            if r.status != 200 or "json" not in r.headers["Content-Type"]:
                continue
            content = methods["get"]["responses"]["200"]["content"]
            self.check(spec, content["application/json"]["schema"], r.json, path)

    def check(self, spec, schema, value, where):
        if "$ref" in schema:
            schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            if value is None:
                return
            schema = schema["anyOf"][0]
            return self.check(spec, schema, value, where)
        kinds = {"object": dict, "array": list, "string": str, "integer": int,
                 "number": (int, float), "boolean": bool}
        self.assertIsInstance(value, kinds[schema["type"]], f"{where}: {json.dumps(value)[:80]}")
        if schema["type"] == "array":
            for i, item in enumerate(value[:3]):
                self.check(spec, schema["items"], item, f"{where}[{i}]")
        for name in schema.get("required", []):
            self.assertIn(name, value, where)
        for name, sub in schema.get("properties", {}).items():
            if name in value:
                self.check(spec, sub, value[name], f"{where}.{name}")


if __name__ == "__main__":
    unittest.main()
