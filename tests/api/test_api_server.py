"""The server under bad and heavy clients, and its life: malformed requests, slow clients, limits,
many at once, SIGTERM under load, kill -9, restart."""
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from api.server import FETTLE, SANITIZED, Server

OK = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def request(line=b"GET /healthz HTTP/1.1", *headers, host=b"Host: x", body=b""):
    return b"\r\n".join([line, *([host] if host else []), *headers, b"", body])


class Malformed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server(data=False).start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def test_refused_and_closed(self):
        cl, te = b"Content-Length: 3", b"Transfer-Encoding: chunked"
        post = b"POST /api/v1/roi HTTP/1.1"
        cases = {
            "CL and TE": request(post, cl, te, body=b"0\r\n\r\n"),
            "two CL": request(post, cl, cl, body=b"abc"),
            "two different CL": request(post, cl, b"Content-Length: 4", body=b"abcd"),
            "CL list": request(post, b"Content-Length: 3, 3", body=b"abc"),
            "CL sign": request(post, b"Content-Length: +3", body=b"abc"),
            "CL minus": request(post, b"Content-Length: -3", body=b"abc"),
            "TE twice": request(post, te, te, body=b"0\r\n\r\n"),
            "TE other": request(post, b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
            "TE dressed": request(post, b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
            "two hosts": request(b"GET /healthz HTTP/1.1", b"Host: y"),
            "no host": request(host=None),
            "space in name": request(b"GET /healthz HTTP/1.1", b"Bad Name: x"),
            "control in value": request(b"GET /healthz HTTP/1.1", b"X-A: a\x01b"),
            "unknown method": request(b"BREW /healthz HTTP/1.1"),
            "lower method": request(b"get /healthz HTTP/1.1"),
            "trace": request(b"TRACE / HTTP/1.1"),
            "connect": request(b"CONNECT x:80 HTTP/1.1"),
            "absolute": request(b"GET http://x/healthz HTTP/1.1"),
            "%00": request(b"GET /healthz%00 HTTP/1.1"),
            "%0d%0a": request(b"GET /healthz%0d%0aX:y HTTP/1.1"),
            "dots": request(b"GET /static/../healthz HTTP/1.1"),
            "encoded dots": request(b"GET /static/%2e%2e/healthz HTTP/1.1"),
            "encoded slash dots": request(b"GET /static/..%2fhealthz HTTP/1.1"),
            "backslash dots": request(b"GET /static/..%5chealthz HTTP/1.1"),
            "bad escape": request(b"GET /%zz HTTP/1.1"),
            "raw utf-8": request("GET /é HTTP/1.1".encode()),
            "not utf-8": request(b"GET /%ff%fe HTTP/1.1"),
            "long uri": request(b"GET /" + b"a" * 8300 + b" HTTP/1.1"),
            "many headers": request(b"GET /healthz HTTP/1.1", *[b"X-%d: a" % i for i in range(70)]),
            "no version": b"GET /healthz\r\n\r\n",
            "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "body on GET": request(b"GET /healthz HTTP/1.1", cl, b"Connection: close", body=b"abc"),
        }
        for name, data in cases.items():
            with self.subTest(name):
                answer = self.s.raw(data)
                first = answer.split(b"\r\n", 1)[0]
                # Nothing at all or a refusal; whatever follows is never answered. (The library
                # writes the head of its own refusals twice, before it closes.)
                if answer:
                    self.assertRegex(first, rb"^HTTP/1\.[01] (400|414|431|505) ", name)
                for line in answer.split(b"\r\n"):
                    if line.startswith(b"HTTP/1."):
                        self.assertEqual(line, first, name)
        self.assertIn(b" 200 ", self.s.raw(OK))

    def test_our_own_refusal_has_a_problem_body(self):
        answer = self.s.raw(request(b"GET /healthz HTTP/1.1", b"Host: y"))
        self.assertIn(b"/problems/malformed-request", answer)
        self.assertIn(b"Host occurs twice", answer)
        self.assertIn(b"Connection: close", answer)
        self.assertRegex(self.s.get("/metrics").text, r"fettle_http_malformed_total [1-9]")

    def test_smuggled_request_is_not_answered(self):
        inner = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = self.s.raw(request(b"POST /api/v1/roi HTTP/1.1", b"Content-Length: %d" % (5 + len(inner)),
                                    b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + inner))
        self.assertNotIn(b"fettle_build_info", answer)

    def test_pipelined_requests_get_their_own_answers(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        site = b"GET /api/v1/site HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = self.s.raw(one + site + one + OK)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 4, answer[:2000])

    def test_body_on_refused_route_keeps_connection(self):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=10)
        c.request("POST", "/nowhere", body=b"x" * 100000)
        r = c.getresponse()
        r.read()
        self.assertEqual(r.status, 404)
        c.request("GET", "/healthz")
        self.assertEqual(c.getresponse().read(), b"ok\n")
        c.close()

    def test_chunked_body(self):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=10)
        c.request("POST", "/api/v1/roi", body=iter([b"{", b"}"]), encode_chunked=True,
                  headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        r = c.getresponse()
        self.assertEqual(r.status, 422)  # read whole: "{}" lacks its inputs
        c.close()

    def test_chunked_body_too_large(self):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=10)
        c.request("POST", "/api/v1/roi", body=iter([b"x" * 100000] * 12), encode_chunked=True,
                  headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        self.assertEqual(c.getresponse().status, 413)
        c.close()

    def test_tls_hello_is_no_crash(self):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as s:
            ctx = ssl.create_default_context()
            with self.assertRaises((ssl.SSLError, OSError)):
                ctx.wrap_socket(s, server_hostname="localhost")
        self.assertEqual(self.s.get("/healthz").status, 200)


class Slow(unittest.TestCase):
    """The header limit is set to 1 s; a client that sends a byte now and then must not stay."""

    @classmethod
    def setUpClass(cls):
        cls.s = Server(config="[server]\nheader_timeout = 1s\nidle_timeout = 2s\n", data=False).start()

    @classmethod
    def tearDownClass(cls):
        cls.s.close()

    def dribble(self, data, seconds):
        """Sends a byte every 0.2 s; seconds until the server ended it, or None."""
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=5) as s:
            for i in range(int(seconds / 0.2)):
                try:
                    s.send(data[i:i + 1])
                    s.settimeout(0.2)
                    if s.recv(1000) == b"":
                        return time.monotonic() - start
                except socket.timeout:
                    continue
                except OSError:
                    return time.monotonic() - start
        return None

    def test_slow_header_is_ended(self):
        took = self.dribble(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100, 8)
        self.assertIsNotNone(took)
        self.assertLess(took, 4)
        self.assertRegex(self.s.get("/metrics").text, r"fettle_http_slow_clients_ended_total [1-9]")

    def test_slow_request_line_is_ended(self):
        took = self.dribble(b"GET /" + b"a" * 100, 8)
        self.assertIsNotNone(took)
        self.assertLess(took, 4)

    def test_silent_client_is_ended(self):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=10) as s:
            self.assertEqual(s.recv(10), b"")

    def test_idle_connection_is_kept_then_ended(self):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=10) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", s.recv(4000))
            time.sleep(1.2)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", s.recv(4000))
            self.assertEqual(s.recv(4000), b"")

    def test_others_are_served_meanwhile(self):
        slow = [socket.create_connection(("127.0.0.1", self.s.port)) for _ in range(40)]
        for s in slow:
            s.send(b"GET /healthz HTTP/1.1\r\n")
        start = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.s.get("/api/v1/site").status, 200)
        self.assertLess(time.monotonic() - start, 10 if SANITIZED else 3)
        for s in slow:
            s.close()


class Many(unittest.TestCase):
    def test_64_clients(self):
        with Server() as s:
            def client(n):
                c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
                codes = []
                for i in range(15):
                    if i % 3 == 0:
                        body = json.dumps([{"asset": "P-101", "sensor": f"c{n}",
                                            "at": 1767225600 + i, "value": i}])
                        c.request("POST", "/api/v1/readings", body=body,
                                  headers={"Authorization": "Bearer " + s.keys["ingest"],
                                           "Content-Type": "application/json"})
                    else:
                        c.request("GET", "/api/v1/readings?asset=P-101&sensor=vibration")
                    r = c.getresponse()
                    r.read()
                    codes.append(r.status)
                c.close()
                return codes
            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                codes = [x for l in pool.map(client, range(64)) for x in l]
            self.assertEqual(set(codes), {200})
            self.assertEqual(len(codes), 64 * 15)
            sensors = s.get("/api/v1/sensors?asset=P-101").json["items"]
            self.assertEqual(sum(x["readings"] for x in sensors if x["name"].startswith("c")), 64 * 5)

    def test_connection_limit_of_an_address(self):
        with Server(config="[server]\nmax_connections_per_address = 4\n", data=False) as s:
            held = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(4)]
            for h in held:
                h.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", h.recv(4000))
            with socket.create_connection(("127.0.0.1", s.port), timeout=5) as one_more:
                try:
                    one_more.sendall(OK)
                    self.assertEqual(one_more.recv(100), b"")
                except OSError:
                    pass
            for h in held:
                h.close()
            time.sleep(0.3)
            self.assertEqual(s.get("/healthz").status, 200)


class Writers(threading.Thread):
    """Posts one reading after the other; remembers which were acknowledged."""

    def __init__(self, s, n):
        super().__init__(daemon=True)
        self.s, self.name_, self.acknowledged, self.go = s, f"w{n}", [], True

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=20)
        i = 0
        while self.go:
            i += 1
            body = json.dumps([{"asset": "P-101", "sensor": self.name_, "at": 1767225600 + i,
                                "value": i}])
            try:
                c.request("POST", "/api/v1/readings", body=body,
                          headers={"Authorization": "Bearer " + self.s.keys["ingest"],
                                   "Content-Type": "application/json"})
                r = c.getresponse()
                r.read()
                if r.status == 200:
                    self.acknowledged.append(i)
            except (OSError, http.client.HTTPException):
                return


class Life(unittest.TestCase):
    def load_and_stop(self, sig, rounds):
        s = Server()
        self.addCleanup(s.close)
        writers = []
        for k in range(rounds):
            s.start()
            batch = [Writers(s, f"{k}_{n}") for n in range(8)]
            for w in batch:
                w.start()
            time.sleep(0.6)
            code, took = s.stop(sig)
            for w in batch:
                w.go = False
                w.join(20)
            writers += batch
            if sig == signal.SIGTERM:
                self.assertEqual(code, 0, (s.folder / "log").read_text())
                self.assertLess(took, 10)
        s.start()
        total = 0
        for w in writers:
            if not w.acknowledged:
                continue
            got = s.get(f"/api/v1/readings?asset=P-101&sensor={w.name_}&points=5000").json
            values = {int(i["value"]) for i in got["items"]}
            self.assertEqual(set(w.acknowledged) - values, set())
            total += len(w.acknowledged)
        self.assertGreater(total, 20)
        self.assertTrue(s.get("/readyz").json["ready"])

    def test_sigterm_under_load_loses_nothing(self):
        self.load_and_stop(signal.SIGTERM, 2)

    def test_kill_under_load_loses_nothing(self):
        self.load_and_stop(signal.SIGKILL, 5)

    def test_sigint_with_idle_clients_is_quick(self):
        s = Server(data=False)
        self.addCleanup(s.close)
        s.start()
        idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(10)]
        idle[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        idle[1].sendall(b"POST /api/v1/roi HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        time.sleep(0.3)
        code, took = s.stop(signal.SIGINT)
        self.assertEqual(code, 0)
        self.assertLess(took, 10)
        for x in idle:
            x.close()

    def test_taken_port_and_next_port(self):
        with Server(data=False) as s:
            env = dict(s.env, FETTLE_DB=str(s.folder / "other.db"))
            args = [FETTLE, "serve", "--listen", f"127.0.0.1:{s.port}"]
            done = subprocess.run(args, env=env, capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 7, done.stderr)
            self.assertIn("--next-port", done.stderr)
            p = subprocess.Popen(args + ["--next-port"], env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
            line = p.stdout.readline()
            p.terminate()
            self.assertEqual(p.wait(15), 0)
            p.stdout.close()
            port = int(line.rsplit(":", 1)[1])
            self.assertGreater(port, s.port)
            self.assertLessEqual(port, s.port + 50)

    def test_second_server_on_the_same_file_is_refused(self):
        with Server(data=False) as s:
            done = s.run("serve", "--listen", "127.0.0.1:0", check=False)
            self.assertEqual(done.returncode, 7, done.stderr)
            self.assertEqual(s.get("/healthz").status, 200)

    def test_first_start_tells_how_to_make_a_key(self):
        with Server(data=False, keys=()) as s:
            self.assertIn("fettle key create", (s.folder / "log").read_text())
            self.assertEqual(s.post("/api/v1/work-orders", {}, role=None).status, 401)

    def test_web_root(self):
        s = Server(data=False)
        self.addCleanup(s.close)
        root = s.folder / "web"
        root.mkdir()
        (root / "index.html").write_text("edited")
        (root / ".secret").write_text("no")
        os.symlink("/etc/passwd", root / "link.txt")
        s.log = open(s.folder / "log", "a")
        s.process = subprocess.Popen([FETTLE, "serve", "--listen", "127.0.0.1:0", "--web-root",
                                      str(root)], env=s.env, stdout=subprocess.PIPE, stderr=s.log,
                                     text=True)
        s.port = int(s.process.stdout.readline().rsplit(":", 1)[1])
        self.assertEqual(s.get("/plan").text, "edited")
        (root / "index.html").write_text("again")
        self.assertEqual(s.get("/").text, "again")
        for path in ("/static/.secret", "/static/link.txt", "/static/..%2ffettle.db",
                     "/static/%2fetc%2fpasswd"):
            self.assertIn(s.get(path).status, (400, 404), path)

    def test_tls(self):
        s = Server(data=False)
        self.addCleanup(s.close)
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                               "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                               "k.pem", "-out", "c.pem"], cwd=s.folder, capture_output=True)
        if made.returncode != 0:
            self.skipTest("openssl made no certificate")
        s.config = f"[server]\ntls_cert = {s.folder}/c.pem\ntls_key = {s.folder}/k.pem\n"
        s.start()
        ctx = ssl.create_default_context(cafile=s.folder / "c.pem")
        c = http.client.HTTPSConnection("127.0.0.1", s.port, context=ctx, timeout=10)
        c.request("GET", "/healthz")
        r = c.getresponse()
        self.assertEqual((r.status, r.read()), (200, b"ok\n"))
        self.assertIn("max-age", r.headers["Strict-Transport-Security"])
        c.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", s.port)) as plain:
            with self.assertRaises((ssl.SSLError, OSError)):
                old.wrap_socket(plain)


if __name__ == "__main__":
    unittest.main()
