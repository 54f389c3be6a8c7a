"""The reading side over a demo plant: fleet, asset page, schedule in its three forms."""
import json
import unittest

from api.server import Server


class Plant(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server(data=False)
        cls.s.run("demo", "--assets", "8", "--days", "120", "--seed", "3")
        cls.planned = json.loads(cls.s.run("schedule", "--json").stdout)["items"]
        cls.s.start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def test_fleet(self):
        r = self.s.get("/api/v1/assets?expand=forecast,case,next_work&limit=3")
        self.assertEqual(r.status, 200, r.text)
        body = r.json
        self.assertEqual((len(body["items"]), body["total"]), (3, 8))
        self.assertTrue(body["answer"]["lead"].endswith("."))
        for item in body["items"]:
            self.assertIn(item["state"], ("act", "soon", "watch", "normal", "no_data"))
        link = r.headers["Link"]
        self.assertIn(body["next_cursor"], link)
        seen = [a["key"] for a in body["items"]]
        while link:
            r = self.s.get(link[1:link.index(">")])
            seen += [a["key"] for a in r.json["items"]]
            link = r.headers["Link"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(len(seen), 8)
        plain = self.s.get("/api/v1/assets").json["items"][0]
        self.assertNotIn("money_at_risk", plain)
        csv = self.s.get("/api/v1/assets?expand=forecast", Accept="text/csv")
        self.assertEqual(len(csv.text.strip().split("\r\n")), 9)
        self.assertEqual(self.s.get("/api/v1/assets?sort=colour").status, 400)
        self.assertEqual(self.s.get("/api/v1/assets?window=soon").status, 400)

    def test_kpi(self):
        k = self.s.get("/api/v1/kpi?period=now&window=30d").json
        for name in ("money_at_risk", "cases", "crew_load", "net_saved", "data", "areas", "changes"):
            self.assertIn(name, k)
        self.assertEqual(self.s.get("/api/v1/kpi?period=soon").status, 400)
        figures = {i["key"]: i for i in self.s.get("/api/v1/kpi?period=365d").json["items"]}
        self.assertGreater(figures["failures"]["n"], 0)
        self.assertIn("/", figures["mtbf"]["formula"])
        actors = self.s.get("/api/v1/kpi/bad-actors?period=365d&limit=3").json["items"]
        self.assertLessEqual(len(actors), 3)
        self.assertEqual([a["cost"] for a in actors], sorted((a["cost"] for a in actors), reverse=True))

    def test_asset_page_and_timeline(self):
        for a in self.s.get("/api/v1/assets").json["items"]:
            page = self.s.get("/api/v1/assets/" + a["key"])
            self.assertEqual(page.status, 200, page.text)
            self.assertEqual(page.json["key"], a["key"])
            self.assertTrue(page.json["sensors"])
            line = self.s.get(f"/api/v1/assets/{a['key']}/timeline").json["items"]
            self.assertEqual([x["at"] for x in line], sorted(x["at"] for x in line))
        self.assertEqual(self.s.get("/api/v1/assets/none").status, 404)
        self.assertEqual(self.s.get("/api/v1/assets/none/timeline").status, 404)

    def test_asset_health(self):
        for a in self.s.get("/api/v1/assets").json["items"]:
            reply = self.s.get(f"/api/v1/assets/{a['key']}/health")
            self.assertEqual(reply.status, 200, reply.text)
            health = reply.json
            self.assertEqual(health["asset"], a["key"])
            self.assertEqual(health["method"], "anomaly")
            self.assertTrue(0 <= health["health"] <= 100)
            self.assertEqual(health["items"][-1]["health"], health["health"])
            self.assertEqual([x["at"] for x in health["items"]], sorted(x["at"] for x in health["items"]))
            short = self.s.get(f"/api/v1/assets/{a['key']}/health?limit=5").json["items"]
            self.assertEqual(short, health["items"][-len(short):])
        self.assertEqual(self.s.get("/api/v1/assets/none/health").status, 404)
        self.assertEqual(self.s.get(f"/api/v1/assets/{a['key']}/health?limit=0").status, 400)

    def test_schedule_forms(self):
        body = self.s.get("/api/v1/schedule").json
        self.assertEqual(self.s.get("/api/v1/schedule?kind=party").status, 400)
        for path, headers in (("/api/v1/schedule.ics", {}),
                              ("/api/v1/schedule", {"Accept": "text/calendar"})):
            r = self.s.get(path, **headers)
            self.assertEqual(r.headers["Content-Type"], "text/calendar; charset=utf-8")
            self.assertTrue(r.text.startswith("BEGIN:VCALENDAR\r\n"))
            self.assertTrue(r.text.endswith("END:VCALENDAR\r\n"))
        for path, headers in (("/api/v1/schedule.csv", {}),
                              ("/api/v1/schedule", {"Accept": "text/csv"})):
            r = self.s.get(path, **headers)
            self.assertEqual(r.headers["Content-Type"], "text/csv; charset=utf-8")
            self.assertEqual(len(r.text.strip().splitlines()), 1 + len(body["items"]))
        self.assertTrue(body["items"])
        self.assertEqual([i["key"] for i in body["items"]], [i["key"] for i in self.planned])

    def test_crews_plans_roi(self):
        self.assertTrue(self.s.get("/api/v1/crews").json["items"][0]["weekdays"])
        self.assertTrue(self.s.get("/api/v1/plans").json["items"])
        own = self.s.get("/api/v1/roi").json
        self.assertEqual(own["input"]["inputs"]["assets"]["origin"], "history")
        again = self.s.post("/api/v1/roi", own["input"], role=None)
        self.assertAlmostEqual(again.json["npv"], own["result"]["npv"], places=6)
        self.assertEqual(again.json["answer"], own["result"]["answer"])
        bad = self.s.post("/api/v1/roi", {"inputs": {"no_such_figure": 1}}, role=None)
        self.assertEqual(bad.status, 422)
        good = self.s.post("/api/v1/roi", {"inputs": {}, "draws": 500}, role=None)
        self.assertEqual(good.status, 200, good.text)
        self.assertEqual(len(good.json["flows"]), 6)
        self.assertIn("percentiles", good.json)


if __name__ == "__main__":
    unittest.main()
