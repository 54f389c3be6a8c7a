"""A real server for the API tests: a small plant in a folder of its own, a key of each role, the
program on a free port."""
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

FETTLE = os.environ.get("FETTLE", "build/fettle")
SANITIZED = bool(os.environ.get("FETTLE_SANITIZED"))
ROLES = ("viewer", "planner", "engineer", "admin", "ingest")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        self.body = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """with Server() as s: s.get("/healthz")"""

    def __init__(self, config="", data=True, env=None, keys=ROLES):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fettle-api-"))
        self.db = self.folder / "fettle.db"
        self.env = {**os.environ, "FETTLE_DB": str(self.db), "FETTLE_CONFIG": "", **(env or {})}
        self.config = config
        self.process = None
        self.keys = {}
        if data:
            self.make_data()
        for role in keys:
            out = self.run("key", "create", "--name", f"test {role}", "--role", role, "--json")
            self.keys[role] = json.loads(out.stdout)["key"]

    def run(self, *args, check=True):
        done = subprocess.run([FETTLE, *args], env=self.env, cwd=self.folder, timeout=120,
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"fettle {' '.join(args)}: {done.returncode}\n{done.stderr}")
        return done

    def make_data(self):
        (self.folder / "assets.csv").write_text(
            "asset,name,area\nP-101,Stock pump 1,Mill/Wet end\nP-102,Stock pump 2,Mill/Wet end\n"
            "Ä/1,Lüfter 50 %,Mill\n")
        rows = ["asset,time,vibration,temperature"]
        for hour in range(2000):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1767225600 + 3600 * hour))
            spike = 40.0 if hour == 777 else 0.0
            rows.append(f"P-101,{at},{2 + hour % 7 * 0.25 + spike},{50 + hour % 24}")
        (self.folder / "readings.csv").write_text("\n".join(rows) + "\n")
        (self.folder / "failures.csv").write_text(
            "asset,time,component\nP-101,2026-02-01T10:00:00Z,bearing\n"
            "P-102,2026-02-20T08:30:00Z,seal\n")
        self.run("import", "assets", "assets.csv", "--class", "pump")
        self.run("import", "readings", "readings.csv", "--class", "pump")
        self.run("import", "events", "failures.csv", "--kind", "failure")

    def start(self):
        args = [FETTLE, "serve", "--listen", "127.0.0.1:0"]
        if self.config:
            path = self.folder / "fettle.conf"
            path.write_text(self.config)
            args += ["--config", str(path)]
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(args, env=self.env, cwd=self.folder, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        line = self.process.stdout.readline()
        m = re.match(r"listening on (https?)://127\.0\.0\.1:(\d+)$", line.strip())
        if m is None:
            raise RuntimeError(f"no address: {line!r}\n{(self.folder / 'log').read_text()}")
        self.port = int(m.group(2))
        return self

    def stop(self, sig=signal.SIGTERM, timeout=15):
        """Returns (exit code, seconds)."""
        start = time.monotonic()
        self.process.send_signal(sig)
        code = self.process.wait(timeout)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code, time.monotonic() - start

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            if self.process is not None:
                code, _ = self.stop()
                if code != 0:
                    raise RuntimeError(f"exit code {code}\n{(self.folder / 'log').read_text()}")
        finally:
            if self.process is not None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None, role=None, headers=None, timeout=30):
        h = dict(headers or {})
        if role is not None:
            h["Authorization"] = "Bearer " + self.keys.get(role, role)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            h.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=h)
            r = c.getresponse()
            return Reply(r.status, r.headers, r.read())
        finally:
            c.close()

    def get(self, path, role=None, **headers):
        return self.request("GET", path, role=role,
                            headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body, role="admin", **headers):
        return self.request("POST", path, body, role=role,
                            headers={k.replace("_", "-"): v for k, v in headers.items()})

    def raw(self, data, timeout=10):
        """Sends bytes as they are; returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            out = b""
            while True:
                try:
                    piece = s.recv(65536)
                except ConnectionResetError:
                    return out
                if not piece:
                    return out
                out += piece
