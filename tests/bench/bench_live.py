#!/usr/bin/env python3
"""Live ingest beside its peers, in the same run and interleaved: line protocol over HTTP against
InfluxDB 1.6 (batches of 5,000), MQTT with commit before acknowledge, memory under a plant's load, and
kills at random moments. What is not installed is skipped with a message.

    FETTLE=build/fettle python3 tests/bench/bench_live.py [lines] [mqtt] [memory] [kill]"""
import http.client
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("FETTLE", str(ROOT / "build/fettle"))

from api.broker import MOSQUITTO, Broker, Publisher, free_port, packets  # noqa: E402
from api.kill import KILLS, run_kills  # noqa: E402
from api.server import Server  # noqa: E402

T0 = 1767225600
BATCH = 5000


# --- line protocol ------------------------------------------------------------------------------


def bodies(n_batches, run):
    """Batches of BATCH lines: 1,000 series, each with its next instants; no batch repeats another."""
    rng = random.Random(run)
    out = []
    for b in range(n_batches):
        at = T0 + run * 1000000 + b * (BATCH // 1000)
        out.append("".join(
            f"vibration,asset=P-{i % 1000} value={rng.randrange(1000, 9999) / 100} {at + i // 1000}\n"
            for i in range(BATCH)).encode())
    return out


def post_all(port, path, headers, work):
    """Posts every body over n connections; returns seconds."""
    n = 4
    errors = []

    def send(part):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for body in part:
            c.request("POST", path, body=body, headers=headers)
            r = c.getresponse()
            r.read()
            if r.status != 204:
                errors.append(r.status)
        c.close()

    threads = [threading.Thread(target=send, args=(work[i::n],)) for i in range(n)]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise RuntimeError(f"answers {set(errors)}")
    return time.monotonic() - start


class Influx:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fettle-influx-"))
        self.port = free_port()
        f = self.folder
        (f / "influx.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\ndir = "{f}/meta"\n[data]\ndir = "{f}/data"\nwal-dir = "{f}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n')
        self.process = subprocess.Popen(["influxd", "run", "-config", str(f / "influx.conf")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                c.request("POST", "/query?q=CREATE+DATABASE+plant")
                if c.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("influxd does not answer")

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def bench_lines(n_runs=5, n_batches=100):
    influx = Influx() if shutil.which("influxd") else None
    if influx is None:
        print("lines: influxd is not installed (Debian package influxdb): ours alone")
    with Server(data=False, keys=("ingest",)) as s:
        key = {"Authorization": "Token " + s.keys["ingest"]}
        ours, theirs = [], []
        for run in range(n_runs + 1):
            work = bodies(n_batches, run)
            n = n_batches * BATCH
            a = n / post_all(s.port, "/write?precision=s", key, work)
            b = n / post_all(influx.port, "/write?db=plant&precision=s", {}, work) if influx else 0
            if run > 0:  # the first one warms up
                ours.append(a)
                theirs.append(b)
                print(f"lines: run {run}: fettle {a:,.0f} points/s, influxdb {b:,.0f} points/s",
                      flush=True)
    line = f"lines: median fettle {statistics.median(ours):,.0f} points/s"
    if influx:
        influx.close()
        ratio = statistics.median(x / y for x, y in zip(ours, theirs))
        line += (f", influxdb {statistics.median(theirs):,.0f} points/s, ratio {ratio:.2f} "
                 f"(bar 3)")
    print(line)


# --- MQTT ---------------------------------------------------------------------------------------


def metric(s, name):
    for line in s.get("/metrics").text.splitlines():
        if line.startswith(f"fettle_{name} "):
            return float(line.split()[1])
    return 0.0


def bench_mqtt(n_runs=5, n=100000):
    if MOSQUITTO is None:
        print("mqtt: mosquitto is not installed: skipped")
        return
    for title, settings in (("broker with 1,000 messages in flight", "max_inflight_messages 1000\n"),
                            ("broker as installed, 20 in flight", "")):
        rates = []
        many = n if settings else n // 5
        with Broker(settings + "max_queued_messages 0\n") as b, Server(
                f"[mqtt]\nbroker = mqtt://127.0.0.1:{b.port}\ntopics = plant/+/+\n", data=False,
                keys=()) as s:
            while metric(s, "mqtt_connected") != 1:
                time.sleep(0.1)
            p = Publisher(b.port)
            for run in range(n_runs):
                messages = [(f"plant/P-{i % 1000}/vibration",
                             f'{{"time":{T0 + run * many + i // 1000},"value":{i % 977 / 10}}}')
                            for i in range(many)]
                data = [packets(messages[i:i + 10000]) for i in range(0, many, 10000)]
                before = metric(s, "live_readings_total")
                start = time.monotonic()
                for part in data:
                    p.send(part, 10000)
                sent = time.monotonic() - start
                while metric(s, "live_readings_total") < before + many:
                    time.sleep(0.02)
                rates.append(many / (time.monotonic() - start))
                print(f"mqtt: run {run + 1}: {rates[-1]:,.0f} messages/s (the publisher alone was "
                      f"through at {many / sent:,.0f}/s)", flush=True)
            p.close()
            commits = metric(s, "mqtt_batches_total")
            total = metric(s, "mqtt_messages_total")
        print(f"mqtt: {title}: median {statistics.median(rates):,.0f} messages/s, "
              f"{total / max(commits, 1):.0f} in a commit (bar 20,000)")


# --- memory -------------------------------------------------------------------------------------


def bench_memory(seconds=600, n_sensors=20000, n_readers=16):
    """Every second 20,000 sensors send a reading while 16 clients read."""
    with Server(data=False, keys=("ingest",)) as s:
        key = {"Authorization": "Token " + s.keys["ingest"]}
        stop = threading.Event()
        reads = [0]

        def read(k):
            c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
            i = k
            while not stop.is_set():
                i = (i + 97) % (n_sensors // 20)
                c.request("GET", f"/api/v1/readings?asset=P-{i}&sensor=s{i % 20}&points=800")
                c.getresponse().read()
                reads[0] += 1
                time.sleep(0.05)

        threads = [threading.Thread(target=read, args=(k,)) for k in range(n_readers)]
        rss, late = [], 0.0
        start = time.monotonic()
        c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
        for t in range(seconds):
            for part in range(4):
                n = n_sensors // 4
                body = "".join(f"P-{i // 20} s{i % 20}={(i * 7 + t * 13) % 1000 / 10} {T0 + t}\n"
                               for i in range(part * n, (part + 1) * n))
                c.request("POST", "/write?precision=s", body=body.encode(), headers=key)
                r = c.getresponse()
                r.read()
                if r.status != 204:
                    raise RuntimeError(f"answer {r.status}")
            if t == 0:
                for x in threads:
                    x.start()
            if t % 10 == 0:
                rss.append((t, metric(s, "resident_memory_bytes") / 2**20))
            behind = time.monotonic() - start - (t + 1)
            late = max(late, behind)
            if behind < 0:
                time.sleep(-behind)
        stop.set()
        for x in threads:
            x.join()
        size = metric(s, "database_bytes") / (seconds * n_sensors)
    middle = [m for t, m in rss if t >= seconds // 3]
    print(f"memory: {n_sensors:,} sensors at {n_sensors:,} readings/s for {seconds} s with {n_readers} "
          f"readers ({reads[0]} reads): RSS {max(m for _, m in rss):.0f} MiB at most (bar 256), "
          f"{min(middle):.0f} to {max(middle):.0f} in the last two thirds, {late:.1f} s behind at most, "
          f"{size:.2f} bytes a reading")


def bench_kill(n=200):
    for name in KILLS:
        print("kill:", run_kills(name, n), flush=True)


def main():
    seconds = int(os.environ.get("BENCH_SECONDS", "600"))
    parts = {"lines": bench_lines, "mqtt": bench_mqtt, "memory": lambda: bench_memory(seconds),
             "kill": bench_kill}
    for word in sys.argv[1:] or parts:
        parts[word]()


if __name__ == "__main__":
    main()
