"""GET /api/v1/quality: what the data can carry, as fettle check says it."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from api.server import Server


def iso(hours_ago):
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() - 3600 * hours_ago))


class Quality(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()
        items = []
        for i in range(400):
            items.append({"asset": "P-1", "sensor": "flow", "at": iso(400 - i), "value": i % 11})
            if i < 300:
                items.append({"asset": "P-1", "sensor": "temp", "at": iso(400 - i),
                              "value": 20 if 100 <= i < 180 else i % 13})
        cls.s.post("/api/v1/readings?class=press", items, role="ingest")
        cls.s.post("/api/v1/events?class=press", [{"asset": "P-1", "kind": "failure", "at": iso(50),
                                                  "component": "seal"}], role="ingest")

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def test_report(self):
        r = self.s.get("/api/v1/quality")
        self.assertEqual(r.status, 200, r.text)
        (c,) = [c for c in r.json["classes"] if c["class"] == "press"]
        self.assertEqual({(f["kind"], f["sensor"]) for f in c["findings"]}, {("stuck", "temp"), ("stale", "temp")})
        self.assertIn("age-only model; seal model possible after about 9 more", c["verdict"])
        self.assertNotIn("sensor_list", c)
        (row,) = c["strip"]["sensors"]   # temp: silent for 100 h
        self.assertEqual((row["asset"], row["sensor"], c["strip"]["n_whole"]), ("P-1", "temp", 1))
        self.assertEqual((len(row["present"]), row["present"][0], row["present"][-1]), (60, None, 0))
        (c,) = self.s.get("/api/v1/quality?class=press").json["classes"]
        self.assertEqual([(s["sensor"], s["stale"], s["issues"]) for s in c["sensor_list"]],
                         [("flow", False, []), ("temp", True, ["stale", "stuck"])])
        self.assertEqual(self.s.get("/api/v1/quality?class=none").status, 404)

    def test_labels(self):
        (c,) = self.s.get("/api/v1/quality/labels?class=press").json["items"]
        self.assertEqual((c["class"], c["failures"], c["label_audit"]["failures"]), ("press", {"seal": 1}, 1))

    def test_stale_sensors(self):
        names = [i["name"] for i in self.s.get("/api/v1/sensors?asset=P-1&stale=50h").json["items"]]
        self.assertEqual(names, ["temp"])
        self.assertEqual(self.s.get("/api/v1/sensors?asset=P-1&stale=200h").json["items"], [])


if __name__ == "__main__":
    unittest.main()
