"""Webhooks against a real receiver: signature, receiver down then up, the server killed between."""
import base64
import hashlib
import hmac
import http.server
import json
import signal
import threading
import time
import unittest

from api.server import Server


class Receiver:
    """Keeps every message; answers with self.status."""

    def __init__(self, port=0):
        self.messages, self.status, self.reply, self.headers = [], 200, b"", {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.messages.append((self.path, dict(self.headers.items()), body))
                self.send_response(owner.status)
                for k, v in owner.headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(owner.reply)))
                self.end_headers()
                try:
                    self.wfile.write(owner.reply)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, n, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(self.messages) < n:
            time.sleep(0.05)
        return self.messages

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def is_signed(secret, headers, body):
    h = {k.lower(): v for k, v in headers.items()}
    key = base64.b64decode(secret[len("whsec_"):])
    text = f"{h['webhook-id']}.{h['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return h["webhook-signature"] == want and abs(int(h["webhook-timestamp"]) - time.time()) < 300


CONFIG = "[webhook]\nallow = 127.0.0.1, localhost:1\ntimeout = 3s\n"


class Webhooks(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.s = Server(config=CONFIG)
        self.s.start()
        self.addCleanup(self.s.close)
        self.addCleanup(lambda: self.receiver.close())

    def subscribe(self, **more):
        r = self.s.post("/api/v1/webhooks",
                        {"url": f"http://127.0.0.1:{self.receiver.port}/hook", **more})
        self.assertEqual(r.status, 201, r.text)
        return r.json

    def propose(self, title="Replace bearing"):
        r = self.s.post("/api/v1/work-orders", {"title": title, "asset": "P-101",
                                                "kind": "predictive"})
        self.assertEqual(r.status, 201, r.text)
        return r

    def deliveries(self):
        return self.s.get("/api/v1/webhooks/deliveries", role="admin").json["items"]

    def wait_state(self, state, n=1, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [d for d in self.deliveries() if d["state"] == state]
            if len(found) >= n:
                return found
            time.sleep(0.1)
        self.fail(f"no {n} deliveries {state}: {self.deliveries()}")

    def test_proposed_and_changed(self):
        hook = self.subscribe()
        self.assertNotIn("secret", self.s.get("/api/v1/webhooks", role="admin").text)
        r = self.propose()
        self.receiver.wait(1)
        path, headers, body = self.receiver.messages[0]
        self.assertEqual(path, "/hook")
        self.assertTrue(is_signed(hook["secret"], headers, body))
        message = json.loads(body)
        self.assertEqual(message["type"], "work_order.proposed")
        self.assertEqual(message["data"]["key"], r.json["key"])
        self.s.request("PATCH", "/api/v1/work-orders/" + r.json["key"], {"status": "approved"},
                       role="planner", headers={"If-Match": r.headers["ETag"]})
        self.receiver.wait(2)
        self.assertEqual(json.loads(self.receiver.messages[1][2])["type"], "work_order.changed")
        done = self.wait_state("delivered", 2)
        self.assertEqual({d["last_status"] for d in done}, {200})
        # What is not predictive is nobody's business.
        self.s.post("/api/v1/work-orders", {"title": "x", "asset": "P-101"})
        time.sleep(0.5)
        self.assertEqual(len(self.receiver.messages), 2)

    def test_only_wanted_types(self):
        self.subscribe(events=["work_order.cancelled"])
        r = self.propose()
        self.s.request("PATCH", "/api/v1/work-orders/" + r.json["key"], {"status": "cancelled"},
                       role="planner", headers={"If-Match": r.headers["ETag"]})
        self.receiver.wait(1)
        self.assertEqual([json.loads(m[2])["type"] for m in self.receiver.messages],
                         ["work_order.cancelled"])

    def test_receiver_down_then_up(self):
        hook = self.subscribe()
        port = self.receiver.port
        self.receiver.close()
        self.propose()
        waiting = self.wait_state("waiting")
        end = time.monotonic() + 10
        while waiting[0]["tries"] == 0 and time.monotonic() < end:
            time.sleep(0.1)
            waiting = self.wait_state("waiting")
        self.assertEqual(waiting[0]["tries"], 1)
        self.assertIsNone(waiting[0]["last_status"])
        self.assertTrue(waiting[0]["last_error"])
        self.receiver = Receiver(port)
        self.receiver.wait(1)
        self.assertEqual(len(self.receiver.messages), 1)
        self.assertTrue(is_signed(hook["secret"], *self.receiver.messages[0][1:]))
        self.wait_state("delivered")

    def test_error_answer_is_retried_under_the_same_id(self):
        self.subscribe()
        self.receiver.status = 500
        self.propose()
        self.receiver.wait(1)
        self.receiver.status = 204
        self.receiver.wait(2)
        ids = {m[1].get("webhook-id") or m[1].get("Webhook-Id") for m in self.receiver.messages}
        self.assertEqual(len(ids), 1)
        self.wait_state("delivered")

    def test_killed_between(self):
        hook = self.subscribe()
        port = self.receiver.port
        self.receiver.close()
        key = self.propose("before the kill").json["key"]
        self.assertEqual(self.s.stop(signal.SIGKILL)[0], -9)
        self.receiver = Receiver(port)
        self.s.start()
        self.receiver.wait(1)
        body = self.receiver.messages[0][2]
        self.assertTrue(is_signed(hook["secret"], self.receiver.messages[0][1], body))
        self.assertEqual(json.loads(body)["data"]["key"], key)

    def test_gone_is_dead(self):
        self.subscribe()
        self.receiver.status = 410
        self.propose()
        dead = self.wait_state("dead")
        self.assertEqual(dead[0]["last_status"], 410)

    def test_no_redirect_and_bounded_reply(self):
        self.subscribe()
        other = Receiver()
        self.addCleanup(other.close)
        self.receiver.status = 302
        self.receiver.headers = {"Location": f"http://127.0.0.1:{other.port}/"}
        self.propose()
        self.receiver.wait(1)
        time.sleep(0.5)
        self.assertEqual(other.messages, [])
        self.receiver.status, self.receiver.headers, self.receiver.reply = 200, {}, b"x" * 200000
        self.propose("second")
        self.receiver.wait(2)
        time.sleep(0.5)
        self.assertTrue(any("65536" in (d["last_error"] or "") for d in self.deliveries()))

    def test_addresses_that_are_refused(self):
        for url in ("http://10.0.0.1/", "http://169.254.169.254/latest", "https://example.com/",
                    "http://127.0.0.1.example.com/"):
            r = self.s.post("/api/v1/webhooks", {"url": url})
            self.assertEqual(r.status, 403, url)
        for url in ("ftp://127.0.0.1/", "http://u@127.0.0.1/", "127.0.0.1", "http://localhost:1x/"):
            r = self.s.post("/api/v1/webhooks", {"url": url})
            self.assertEqual(r.status, 422, url)
            self.assertEqual(r.json["errors"][0]["pointer"], "/url")
        self.assertEqual(self.s.post("/api/v1/webhooks", {"url": "http://127.0.0.1/x",
                                                          "events": ["all"]}).status, 422)

    def test_delete(self):
        hook = self.subscribe()
        r = self.s.request("DELETE", f"/api/v1/webhooks/{hook['id']}", role="admin")
        self.assertEqual(r.status, 204)
        self.assertEqual(self.s.request("DELETE", f"/api/v1/webhooks/{hook['id']}",
                                        role="admin").status, 404)
        self.propose()
        time.sleep(0.5)
        self.assertEqual(self.receiver.messages, [])


if __name__ == "__main__":
    unittest.main()
