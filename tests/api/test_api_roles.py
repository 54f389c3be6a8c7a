"""Every route of /openapi.json with no key and with a key of each role: the code that the table
promises. Also keys that are wrong, expired or revoked, and who counts as local."""
import time
import unittest

from api.server import ROLES, Server

RANK = {"none": 0, "viewer": 1, "planner": 2, "engineer": 3, "admin": 4}
ACCEPTABLE = {200, 201, 202, 204, 207, 400, 404, 409, 412, 415, 422, 428}


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server().start()
        cls.spec = cls.s.get("/openapi.json").json

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def routes(self):
        for path, methods in self.spec["paths"].items():
            for method, op in methods.items():
                yield method.upper(), path, op

    def call(self, method, path, role, headers=None):
        path = path.replace("{key}", "no-such").replace("{id}", "999999")
        body = {} if method in ("POST", "PATCH") else None
        return self.s.request(method, path, body, role=role, headers=headers)

    def test_every_route_and_role(self):
        n = 0
        for method, path, op in self.routes():
            wanted, ingest = op["x-fettle-role"], op["x-fettle-ingest"]
            for role in (None,) + ROLES:
                r = self.call(method, path, role)
                n += 1
                if wanted == "public":
                    allowed = True
                elif role is None:
                    allowed = wanted == "viewer"  # reading from this machine
                elif role == "ingest":
                    allowed = ingest
                else:
                    allowed = RANK[role] >= RANK[wanted]
                name = f"{method} {path} as {role}: {r.status} {r.body[:200]}"
                if allowed:
                    self.assertIn(r.status, ACCEPTABLE, name)
                elif role is None:
                    self.assertEqual(r.status, 401, name)
                    self.assertIn("WWW-Authenticate", r.headers)
                else:
                    self.assertEqual(r.status, 403, name)
                    self.assertIn(wanted, r.json["detail"], name)
        self.assertGreater(n, 150)

    def test_reads_need_a_key_from_elsewhere(self):
        for headers in ({"Host": "evil.example"}, {"Host": "evil.example:80"},
                        {"X-Forwarded-For": "10.0.0.9"}, {"Forwarded": "for=10.0.0.9"}):
            self.assertEqual(self.s.request("GET", "/api/v1/site", headers=headers).status, 401)
            self.assertEqual(self.s.request("GET", "/api/v1/site", headers=headers,
                                            role="viewer").status, 200)
        self.assertEqual(self.s.request("GET", "/api/v1/site",
                                        headers={"Host": "localhost:1"}).status, 200)

    def test_wrong_keys(self):
        good = self.s.keys["admin"]
        for key in ("", "x", "fettle_", good[:-1], good + "a", good[:-1] + ("b" if good[-1] != "b" else "c"),
                    "fettle_000000000000_" + good[-43:], good.upper(), good + "\u00e9"):
            r = self.s.request("GET", "/api/v1/site",
                               headers={"Authorization": ("Bearer " + key).encode("latin-1")})
            self.assertEqual(r.status, 401, key)
            self.assertEqual(r.json["type"], "/problems/key-not-valid")
        r = self.s.request("GET", "/api/v1/site", headers={"Authorization": "Basic " + good})
        self.assertEqual(r.status, 401)

    def test_revoked_and_expired(self):
        made = self.s.post("/api/v1/keys", {"name": "gone", "role": "viewer"}).json
        self.assertEqual(self.s.get("/api/v1/site", role=made["key"]).status, 200)
        r = self.s.request("DELETE", "/api/v1/keys/" + made["id"], role="admin")
        self.assertEqual((r.status, r.body), (204, b""))
        self.assertEqual(self.s.get("/api/v1/site", role=made["key"]).status, 401)
        self.assertEqual(self.s.request("DELETE", "/api/v1/keys/nope", role="admin").status, 404)
        short = self.s.post("/api/v1/keys", {"name": "short", "role": "viewer",
                                             "expires_in": "1s"}).json
        self.assertEqual(self.s.get("/api/v1/site", role=short["key"]).status, 200)
        time.sleep(1.2)
        self.assertEqual(self.s.get("/api/v1/site", role=short["key"]).status, 401)

    def test_secrets_are_nowhere(self):
        made = self.s.post("/api/v1/keys", {"name": "grep me", "role": "viewer"}).json
        secret = made["key"].rsplit("_", 1)[0] and made["key"][20:]
        self.s.get("/api/v1/site", role=made["key"])
        self.assertNotIn(secret, self.s.get("/api/v1/keys", role="admin").text)
        for path in self.s.folder.iterdir():
            self.assertNotIn(secret.encode(), path.read_bytes(), path.name)

    def test_anonymous_read_can_be_switched_off(self):
        with Server(config="[server]\nanonymous_read = no\n", data=False) as s:
            self.assertEqual(s.get("/api/v1/site").status, 401)
            self.assertEqual(s.get("/metrics").status, 401)
            self.assertEqual(s.get("/healthz").status, 200)
            self.assertEqual(s.get("/").status, 200)
            self.assertEqual(s.get("/api/v1/site", role="viewer").status, 200)


if __name__ == "__main__":
    unittest.main()
