"""Kills at random moments: a server that takes readings is killed with SIGKILL and started again, over
and over; at the end everything that was acknowledged must be there, once, and every start must be
quick. Used by the tests (few) and the bench (many)."""
import http.client
import json
import random
import signal
import threading
import time

from api.broker import Broker, Publisher, packets
from api.server import Server

T0 = 1767225600


class Sender:
    """Sends numbered readings 0, 1, 2... one batch after the other; knows what was acknowledged."""
    batch = 50

    def __init__(self, server):
        self.s, self.next, self.acked = server, 0, 0
        self.stop = threading.Event()

    def numbers(self):
        return range(self.next, self.next + self.batch)

    def run(self):
        while not self.stop.is_set():
            try:
                if self.send():
                    self.next += self.batch
                    self.acked = self.next
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)  # killed: the same batch is sent again

    def post(self, path, body, **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=10)
        try:
            c.request("POST", path, body=body,
                      headers={"Authorization": "Bearer " + self.s.keys["ingest"], **headers})
            r = c.getresponse()
            r.read()
            return r.status in (200, 204)
        finally:
            c.close()

    def finish(self):
        pass


class Http(Sender):
    def send(self):
        items = [{"asset": "K-1", "sensor": "n", "at": T0 + i, "value": i} for i in self.numbers()]
        return self.post("/api/v1/readings?class=k", json.dumps(items),
                         **{"Content-Type": "application/json"})


class Csv(Sender):
    def send(self):
        rows = "".join(f"K-1,n,{T0 + i},{i}\n" for i in self.numbers())
        return self.post("/api/v1/readings?class=k", "asset,sensor,at,value\n" + rows,
                         **{"Content-Type": "text/csv"})


class Lines(Sender):
    def send(self):
        return self.post("/write?precision=s",
                         "".join(f"n,asset=K-1 value={i} {T0 + i}\n" for i in self.numbers()))


class Mqtt(Sender):
    """The broker holds what we did not acknowledge to it, so all that it took must arrive."""

    def __init__(self, server, broker):
        super().__init__(server)
        self.publisher = Publisher(broker.port)

    def send(self):
        data = packets([("plant/K-1/n", f'{{"time":{T0 + i},"value":{i}}}')
                        for i in self.numbers()])
        self.publisher.send(data, self.batch)
        time.sleep(0.005)
        return True

    def finish(self):
        self.publisher.close()


KILLS = {"http": Http, "csv": Csv, "lines": Lines, "mqtt": Mqtt}


def count(s):
    for i in s.get("/api/v1/sensors?asset=K-1").json.get("items", []):
        return i["readings"]
    return 0


def check(s, acked):
    """Every acknowledged number stands at its own instant, and nothing stands twice."""
    n, sent = 0, 0
    while sent < max(acked, 1):
        r = s.get(f"/api/v1/readings?asset=K-1&sensor=n&from={T0 + sent}&to={T0 + sent + 4000}"
                  "&points=5000")
        items = r.json["items"]
        at = [i["at"] for i in items]
        if len(set(at)) != len(at):
            raise AssertionError("a reading stands twice")
        if [i["value"] for i in items] != list(range(sent, sent + len(items))):
            raise AssertionError(f"readings after {sent} are not what was sent")
        n += len(items)
        sent += 4000
    if n < acked:
        raise AssertionError(f"{acked} were acknowledged, {n} are there")
    return n


def run_kills(name, n_kills, seed=1):
    """One sentence about what was found; AssertionError when something was lost or doubled."""
    rng = random.Random(seed)
    broker = Broker("max_queued_messages 0\n").start() if name == "mqtt" else None
    config = f"[mqtt]\nbroker = mqtt://127.0.0.1:{broker.port}\ntopics = plant/+/+\n" if broker else ""
    s = Server(config, data=False, keys=("ingest",))
    slowest = 0.0
    try:
        s.start()
        if broker:
            while "fettle_mqtt_connected 1" not in s.get("/metrics").text:
                time.sleep(0.05)  # the session of the broker begins with the first connection
        sender = KILLS[name](s, broker) if broker else KILLS[name](s)
        thread = threading.Thread(target=sender.run)
        thread.start()
        for _ in range(n_kills):
            time.sleep(rng.uniform(0.01, 0.15))
            s.stop(signal.SIGKILL)
            begin = time.monotonic()
            s.start()
            if s.get("/readyz").status != 200:
                raise AssertionError("not ready")
            slowest = max(slowest, time.monotonic() - begin)
        sender.stop.set()
        thread.join()
        sender.finish()
        if broker:
            end = time.monotonic() + 60
            while count(s) < sender.acked and time.monotonic() < end:
                time.sleep(0.1)
        n = check(s, sender.acked)
    finally:
        s.close()
        if broker:
            broker.__exit__()
    return (f"{name}: {n_kills} kills, {sender.acked} acknowledged, {n} there, 0 lost, 0 doubled, "
            f"ready again in {slowest:.2f} s at most")
