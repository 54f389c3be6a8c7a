"""Plans, crews and the calendar over HTTP: make, change with a version, refuse, optimise."""
import unittest

from api.server import Server


class Plans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def new(self, **more):
        body = {"name": "Grease", "asset": "P-101", "rrule": "FREQ=MONTHLY;BYDAY=1MO", **more}
        return self.s.post("/api/v1/plans", body, role="planner")

    def test_make_read_change(self):
        r = self.new(checklist=["Lock", "Grease"], parts=[{"part": "grease", "quantity": 2}])
        self.assertEqual(r.status, 201, r.text)
        key, etag = r.json["key"], r.headers["ETag"]
        self.assertTrue(r.headers["Location"].endswith("/plans/" + key))
        self.assertEqual(r.json["every"], "every month on 1st Mon")
        got = self.s.get("/api/v1/plans/" + key)
        self.assertEqual((got.json, got.headers["ETag"]), (r.json, etag))
        path = "/api/v1/plans/" + key
        no = self.s.request("PATCH", path, {"active": False}, role="planner")
        self.assertEqual(no.status, 428, no.text)
        yes = self.s.request("PATCH", path, {"active": False, "rrule": "FREQ=WEEKLY"}, role="planner",
                             headers={"If-Match": etag})
        self.assertEqual((yes.status, yes.json["active"], yes.json["every"]),
                         (200, False, "every week"), yes.text)
        late = self.s.request("PATCH", path, {"active": True}, role="planner",
                              headers={"If-Match": etag})
        self.assertEqual(late.status, 412, late.text)
        self.assertEqual(self.s.request("PATCH", path, {}, role="viewer",
                                        headers={"If-Match": etag}).status, 403)

    def test_same_key_and_kept_answer(self):
        r = self.new(key="PM-K")
        self.assertEqual(r.status, 201, r.text)
        self.assertEqual(self.new(key="PM-K").status, 409)
        body = {"name": "Once", "asset": "P-101", "interval_s": 86400}
        a = self.s.post("/api/v1/plans", body, role="planner", Idempotency_Key="plan-1")
        b = self.s.post("/api/v1/plans", body, role="planner", Idempotency_Key="plan-1")
        self.assertEqual((a.status, a.json), (b.status, b.json))

    def test_refuses(self):
        for more, word in (({"rrule": "FREQ=HOURLY"}, "/rrule"), ({"asset": "none"}, "/asset"),
                           ({"season": "x"}, "/season"), ({"colour": 1}, "colour")):
            r = self.new(**more)
            self.assertEqual(r.status, 422, r.text)
            self.assertIn(word, r.json["detail"])
        self.assertEqual(self.s.get("/api/v1/plans/none").status, 404)

    def test_verdicts_and_optimum(self):
        self.new(key="PM-V")
        items = self.s.get("/api/v1/plans?verdict=all").json["items"]
        mine = next(i for i in items if i["key"] == "PM-V")
        self.assertEqual(mine["verdict"], "keep")
        r = self.s.post("/api/v1/plans/optimise", {"class": "none", "component": "x"},
                        role="planner")
        self.assertEqual(r.status, 422, r.text)

    def test_crews_and_calendar(self):
        r = self.s.post("/api/v1/crews", {"name": "Night", "weekdays": ["Sat", "Sun"]},
                        role="planner")
        self.assertEqual((r.status, r.json["weekdays"]), (200, ["Sun", "Sat"]), r.text)
        r = self.s.post("/api/v1/calendar",
                        {"kind": "holiday", "start": "2026-12-25", "end": "2026-12-27",
                         "rrule": "FREQ=YEARLY"}, role="planner")
        self.assertEqual(r.status, 201, r.text)
        items = self.s.get("/api/v1/calendar?from=2039-01-01&to=2040-01-01").json["items"]
        self.assertIn(r.json["id"], [i["id"] for i in items])
        path = f"/api/v1/calendar/{r.json['id']}"
        self.assertEqual(self.s.request("DELETE", path, role="planner").status, 204)
        self.assertEqual(self.s.request("DELETE", path, role="planner").status, 404)


if __name__ == "__main__":
    unittest.main()
