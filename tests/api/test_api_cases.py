"""Cases, scenarios and the price of a move over HTTP, on a small demo plant whose forecasts are written
by hand: a model is not what is tested here."""
import json
import sqlite3
import unittest

from api.server import Server

DEMO = ("demo", "--assets", "20", "--days", "365", "--seed", "3", "--step", "4h", "--end",
        "2026-10-31T00:00:00Z", "--no-train")
AS_OF = "2026-10-31T00:00:00Z"


def forecast(p_30d):
    """A part with constant hazard."""
    days = (7, 30, 90)
    return json.dumps({
        "as_of": AS_OF, "model_kind": "gbdt", "spoke": "test",
        "horizons": [{"t_s": d * 86400, "p": 1 - (1 - p_30d) ** (d / 30), "low": None, "high": None}
                     for d in days]})


def write_forecasts(path):
    db = sqlite3.connect(path)
    rows = db.execute("SELECT asset.id, min(component.id) FROM asset JOIN component USING (class_id) "
                      "GROUP BY asset.id ORDER BY asset.id").fetchall()
    ms = 1793404800000
    db.execute("DELETE FROM forecast")
    for i, (asset, component) in enumerate(rows):
        db.execute("INSERT INTO forecast (asset_id, component_id, as_of_ms, scored_ms, body) "
                   "VALUES (?, ?, ?, ?, ?)",
                   (asset, component, ms, ms, forecast(0.5 if i < 4 else 0.01)))
    db.commit()
    db.close()


class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server(data=False)
        cls.s.run(*DEMO)
        write_forecasts(cls.s.db)
        cls.s.start()
        r = cls.s.post("/api/v1/schedule/solve", {}, role="planner")
        assert r.status == 200, r.text

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def test_list_and_one(self):
        r = self.s.get("/api/v1/cases?state=open")
        self.assertEqual(r.status, 200, r.text)
        self.assertIn("used", r.json["budget"])
        self.assertGreater(len(r.json["items"]), 0)
        dates = [i["decide_by"] for i in r.json["items"]]
        self.assertEqual(dates, sorted(dates))
        case = r.json["items"][0]
        self.assertLessEqual(case["earliest"], case["best"])
        self.assertLessEqual(case["best"], case["latest"])
        one = self.s.get(f"/api/v1/cases/{case['id']}")
        self.assertEqual(one.json, case)
        cost = self.s.get(f"/api/v1/cases/{case['id']}/waiting-cost").json
        self.assertEqual(len(cost["items"]), 90)
        best = next(d for d in cost["items"] if d["date"] == case["best"])
        self.assertEqual(best["waiting"], 0)
        self.assertEqual(self.s.get("/api/v1/cases/999999").status, 404)
        self.assertEqual(self.s.get("/api/v1/cases?sort=colour").status, 400)
        money = [i["saving"] for i in self.s.get("/api/v1/cases?state=open&sort=-saving").json["items"]]
        self.assertEqual(money, sorted(money, reverse=True))

    def test_decide_and_verdict(self):
        case = self.s.get("/api/v1/cases?state=open").json["items"][-1]
        path = f"/api/v1/cases/{case['id']}"
        etag = self.s.get(path).headers["ETag"]
        body = {"action": "approve"}
        self.assertEqual(self.s.request("PATCH", path, body, role="planner").status, 428)
        self.assertEqual(self.s.request("PATCH", path, body, role="viewer",
                                        headers={"If-Match": etag}).status, 403)
        r = self.s.request("PATCH", path, body, role="planner", headers={"If-Match": etag})
        self.assertEqual((r.status, r.json["state"]), (200, "approved"), r.text)
        order = self.s.get("/api/v1/work-orders/" + r.json["work_order"]).json
        self.assertEqual(order["status"], "approved")
        self.assertIsNotNone(order["approved"])
        late = self.s.request("PATCH", path, body, role="planner", headers={"If-Match": etag})
        self.assertEqual(late.status, 412)
        v = self.s.post(path + "/verdict", ["verdict"], role="planner")
        self.assertEqual((v.status, v.json["type"]), (422, "/problems/invalid"), v.text)
        v = self.s.post(path + "/verdict", {"verdict": "false_alarm"}, role="planner")
        self.assertEqual((v.status, v.json["verdict"]), (200, "false_alarm"), v.text)
        self.assertEqual(self.s.post(path + "/verdict", {"verdict": "silly"},
                                     role="planner").status, 422)

    def test_answer_and_sentences(self):
        r = self.s.get("/api/v1/cases?state=open").json
        self.assertTrue(r["answer"]["lead"].startswith(f"{len(r['items'])} to decide;"), r["answer"])
        self.assertIn("Waiting costs EUR", r["answer"]["rest"])
        for case in r["items"]:
            self.assertRegex(case["decision"]["lead"], r"^Replace the .* on ")
            self.assertIn(case["asset_state"], ("act", "soon", "watch", "no_data"))
            self.assertTrue(case["lands"].endswith("."), case["lands"])
            self.assertIs(case["may_reopen"], False)

    def test_reject_and_take_back(self):
        case = self.s.get("/api/v1/cases?state=open").json["items"][0]
        path = f"/api/v1/cases/{case['id']}"

        def decide(body, status):
            r = self.s.request("PATCH", path, body, role="planner",
                               headers={"If-Match": self.s.get(path).headers["ETag"]})
            self.assertEqual(r.status, status, r.text)
            return r.json
        decide({"action": "reject", "reason": "no"}, 422)
        gone = decide({"action": "reject", "reason": "wrong_data"}, 200)
        self.assertEqual((gone["state"], gone["reason"], gone["may_reopen"]), ("rejected", "wrong_data", True))
        late = self.s.get(f"/api/v1/cases?state=rejected&changed_since={gone['updated']}").json["items"]
        self.assertEqual([case["id"]], [c["id"] for c in late])
        self.assertEqual([], self.s.get("/api/v1/cases?state=rejected&changed_since=2030-01-01").json["items"])
        self.assertEqual("open", decide({"action": "reopen"}, 200)["state"])

    def test_scenario_and_price(self):
        before = self.s.get("/api/v1/schedule").json
        r = self.s.post("/api/v1/scenarios", {"crews": [{"name": "Extra", "hours_per_day": 8}]},
                        role="viewer")
        self.assertEqual(r.status, 200, r.text)
        self.assertGreater(r.json["difference"]["hours_available"], 0)
        self.assertEqual(self.s.get("/api/v1/schedule").json, before)
        self.assertEqual(self.s.post("/api/v1/scenarios", {"risk_limit": 7}, role="viewer").status, 422)
        item = next(i for i in before["items"] if i["kind"] == "predictive")
        p = self.s.post("/api/v1/schedule/price",
                        {"work_order": item["work_order"] or item["key"], "day": item["latest"]},
                        role="viewer")
        self.assertEqual(p.status, 200, p.text)
        self.assertIn("feasible", p.json)

    def test_kept_scenarios(self):
        """Kept under names, side by side, taken away; the published plan does not move."""
        before = self.s.get("/api/v1/schedule").json
        one, two = "/api/v1/scenarios/second%20crew", "/api/v1/scenarios/dear%20downtime"
        body = {"crews": [{"name": "Extra", "hours_per_day": 8}]}
        self.assertEqual(self.s.request("PUT", one, body, role="viewer").status, 403)
        r = self.s.request("PUT", one, body, role="planner")
        self.assertEqual((r.status, r.json["key"], r.json["changes"]), (200, "second crew", body), r.text)
        self.assertGreater(r.json["difference"]["hours_available"], 0)
        self.assertEqual(self.s.get(one).json, r.json)
        r = self.s.request("PUT", two, {"downtime_factor": 3, "risk_limit": 0.05}, role="planner")
        self.assertEqual(r.status, 200, r.text)
        rows = self.s.get("/api/v1/scenarios").json["items"]
        self.assertEqual([x["key"] for x in rows], ["dear downtime", "second crew"])
        dear = rows[0]
        self.assertEqual(dear["cost_difference"], r.json["difference"]["expected_cost"])
        self.assertGreater(dear["cost_difference"], 0)
        self.assertEqual(dear["moves"], len(r.json["moves"]))
        self.assertIn("cost_difference", self.s.get("/api/v1/scenarios", Accept="text/csv").text.splitlines()[0])
        self.assertEqual(self.s.get("/api/v1/schedule").json, before)
        again = self.s.request("PUT", two, {"downtime_factor": 1}, role="planner").json
        self.assertEqual(again["difference"]["expected_cost"], 0)
        self.assertEqual(len(self.s.get("/api/v1/scenarios").json["items"]), 2)
        for bad, want in (({"risk_limit": 7}, 422), (["x"], 422), ({"no_such": 1}, 422)):
            self.assertEqual(self.s.request("PUT", two, bad, role="planner").status, want)
        self.assertEqual(self.s.request("PUT", "/api/v1/scenarios/" + "x" * 101, {}, role="planner").status, 422)
        self.assertEqual(self.s.request("DELETE", two, role="viewer").status, 403)
        self.assertEqual(self.s.request("DELETE", two, role="planner").status, 204)
        self.assertEqual(self.s.request("DELETE", two, role="planner").status, 404)
        self.assertEqual(self.s.get(two).status, 404)
        self.assertEqual([x["key"] for x in self.s.get("/api/v1/scenarios").json["items"]], ["second crew"])

    def test_solve_and_diff(self):
        r = self.s.post("/api/v1/schedule/solve", {}, role="planner")
        self.assertEqual(r.status, 200, r.text)
        self.assertIn("solver", r.json["summary"])
        self.assertEqual(self.s.post("/api/v1/schedule/solve", {}, role="viewer").status, 403)
        d = self.s.get("/api/v1/schedule/diff?from=2020-01-01&to=2040-01-01").json
        self.assertGreater(d["runs"], 0)
        self.assertGreater(len(d["items"]), 0)


if __name__ == "__main__":
    unittest.main()
