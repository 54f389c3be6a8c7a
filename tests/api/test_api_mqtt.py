"""MQTT against a real broker: topics, JSON, sessions that outlive us, TLS, Sparkplug B."""
import json
import signal
import struct
import subprocess
import time
import unittest
import urllib.parse

from api.broker import MOSQUITTO, Broker, publish
from api.server import FETTLE, Server

T0 = 1767225600


def metric(s, name):
    for line in s.get("/metrics").text.splitlines():
        if line.startswith(f"fettle_{name} "):
            return float(line.split()[1])
    return None


def wait(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen in {seconds} s")
        time.sleep(0.05)


def connected(s):
    wait(lambda: metric(s, "mqtt_connected") == 1, "the connection")


def readings(s, asset, sensor):
    q = urllib.parse.urlencode({"asset": asset, "sensor": sensor, "points": 5000})
    r = s.get("/api/v1/readings?" + q)
    return [(i["at"], i["value"]) for i in r.json["items"]] if r.status == 200 else []


def config(broker, more="topics = plant/{asset}/{sensor}"):
    return f"[mqtt]\nbroker = mqtt://127.0.0.1:{broker.port}\n{more}\n"


PARTS = json.loads(subprocess.run([FETTLE, "version", "--json"], capture_output=True,
                                  check=True).stdout)["parts"]


@unittest.skipIf(MOSQUITTO is None, "the broker is not installed (mosquitto)")
@unittest.skipIf(not PARTS["mqtt"], "built without MQTT (libmosquitto-dev)")
class Mqtt(unittest.TestCase):
    def test_topics_and_payloads(self):
        more = ("topics = plant/{asset}/{sensor}, one/+/+, json/{asset}, all/#\n"
                "value_member = v\ntime_member = ts")
        with Broker() as b, Server(config(b, more)) as s:
            connected(s)
            at = "2026-01-01T00:00:00Z"
            publish(b.port,
                    ("plant/M-1/temp", "20.5"), ("one/M-2/speed", " 7\n"), ("plant/M-1/on", "true"),
                    ("plant/M-1/temp2", json.dumps({"v": 1.5, "ts": at})),
                    ("json/M-3", json.dumps({"ts": T0, "a": 1, "b": 2.5, "text": "x"})),
                    ("json/M-3", json.dumps({"ts": T0, "sensor": "c", "v": 3})),
                    ("all/x/y", json.dumps([{"asset": "M-4", "sensor": "d", "v": 4, "ts": T0},
                                            {"asset": "M-4", "sensor": "d", "v": 5, "ts": T0 + 1}])),
                    ("plant/M-1/temp", "warm"), ("plant/M-1/temp", '{"v":"x"}'), ("all/x", "5"),
                    ("plant/M-1/temp", '{"v":1,'))
            wait(lambda: metric(s, "mqtt_messages_total") == 11, "11 messages")
            wait(lambda: metric(s, "live_refused_total") == 4, "4 refusals")
            self.assertEqual([v for _, v in readings(s, "M-1", "temp")], [20.5])
            self.assertEqual([v for _, v in readings(s, "M-2", "speed")], [7])
            self.assertEqual([v for _, v in readings(s, "M-1", "on")], [1])
            self.assertEqual(readings(s, "M-1", "temp2"), [(at, 1.5)])
            self.assertEqual(readings(s, "M-3", "a"), [(at, 1)])
            self.assertEqual(readings(s, "M-3", "b"), [(at, 2.5)])
            self.assertEqual(readings(s, "M-3", "c"), [(at, 3)])
            self.assertEqual([v for _, v in readings(s, "M-4", "d")], [4, 5])
            kept = [q for q in s.get("/api/v1/quarantine").json["items"] if q["file"] == "mqtt"]
            self.assertEqual(len(kept), 4)
            self.assertIn("plant/M-1/temp warm", [q["raw"] for q in kept])

    def test_session_outlives_us_and_the_broker(self):
        with Broker() as b, Server(config(b)) as s:
            connected(s)
            publish(b.port, ("plant/S-1/a", json.dumps({"time": T0, "value": 1})))
            wait(lambda: len(readings(s, "S-1", "a")) == 1, "the first message")
            s.stop()
            publish(b.port, ("plant/S-1/a", json.dumps({"time": T0 + 1, "value": 2})))
            s.start()
            wait(lambda: len(readings(s, "S-1", "a")) == 2, "what came while we were away")
            b.stop()
            wait(lambda: metric(s, "mqtt_connected") == 0, "the loss of the broker")
            b.start()
            connected(s)
            publish(b.port, ("plant/S-1/a", json.dumps({"time": T0 + 2, "value": 3})))
            wait(lambda: len(readings(s, "S-1", "a")) == 3, "a message after the broker's return")

    def test_full_disk_stops_reading(self):
        with Broker() as b, Server(config(b) + "[ingest]\nmin_free = 1000000TiB\n") as s:
            connected(s)
            publish(b.port, *[("plant/F-1/a", json.dumps({"time": T0 + i, "value": i}))
                              for i in range(100)])
            wait(lambda: metric(s, "mqtt_waits_total") >= 2, "a batch that waits")
            self.assertEqual(metric(s, "mqtt_batches_total"), 0)
            self.assertEqual(s.get("/api/v1/site").status, 200)
            s.stop()  # nothing was acknowledged, so all of it comes again
            s.config = config(b)
            s.start()
            wait(lambda: len(readings(s, "F-1", "a")) == 100, "the messages after the stop")

    def test_wrong_configuration_is_said(self):
        for text, what in (("broker = 127.0.0.1", "mqtt://"), ("broker = mqtt://h:x", "port"),
                           ("broker = mqtt://h", "topics"), ("broker = mqtt://h\ntopics = a/#/b", "#"),
                           ("broker = mqtt://h\ntopics = {asset}/{asset}", "two levels"),
                           ("cert = x", "belong together")):
            s = Server("[mqtt]\n" + text + "\n", data=False, keys=())
            try:
                with self.assertRaises(RuntimeError) as e:
                    s.start()
                self.assertIn(what, str(e.exception))
                s.process.wait(10)
            finally:
                s.process.stdout.close()
                s.log.close()
                s.process = None
                s.close()

    def test_reload(self):
        with Broker() as b, Server("[log]\nlevel = info\n") as s:
            def log():
                return (s.folder / "log").read_text()

            def ends():
                return log().count("changed") + log().count("stays as it is")

            def reload(text):
                before = ends()
                (s.folder / "fettle.conf").write_text(text)
                s.process.send_signal(signal.SIGHUP)
                wait(lambda: ends() > before, "a reload")
                return log()

            self.assertIsNone(metric(s, "mqtt_connected"))
            said = reload(config(b) + "[server]\nworkers = 3\n[ingest]\nmin_free = 1000000TiB\n")
            self.assertIn("[server] workers = 3: needs a restart", said)
            self.assertIn("[mqtt] topics = plant/{asset}/{sensor}: taken", said)
            connected(s)
            publish(b.port, ("plant/R-1/a", json.dumps({"time": T0, "value": 1})))
            wait(lambda: metric(s, "mqtt_waits_total") >= 1, "a batch that waits")
            reload(config(b))
            wait(lambda: len(readings(s, "R-1", "a")) == 1, "the message after the reload")
            self.assertIn("everything stays as it is", reload("[server]\nworkers = none\n"))
            self.assertEqual(metric(s, "mqtt_connected"), 1)
            reload("")
            self.assertIsNone(metric(s, "mqtt_connected"))

    def test_user_and_password(self):
        with Broker(anonymous=False) as b:
            b.stop()
            subprocess.run(["mosquitto_passwd", "-b", "-c", str(b.folder / "pw"), "fettle", "secret"],
                           check=True, capture_output=True)
            b.config += f"password_file {b.folder / 'pw'}\n"
            (b.folder / "pw").chmod(0o644)
            b.folder.chmod(0o755)
            b.start()
            (b.folder / "secret").write_text("secret\n")
            (b.folder / "wrong").write_text("no\n")
            auth = "topics = plant/+/+\nuser = fettle\npassword_file = "
            with Server(config(b, auth + str(b.folder / "wrong")), data=False, keys=()) as s:
                wait(lambda: "refuses us" in (s.folder / "log").read_text(), "a refusal")
                self.assertEqual(metric(s, "mqtt_connected"), 0)
            with Server(config(b, auth + str(b.folder / "secret")), data=False, keys=()) as s:
                connected(s)
                self.assertNotIn("secret\n", (s.folder / "log").read_text())

    def make_certificates(self, folder):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                "ca.pem", "-days", "2", "-subj", "/CN=test ca")
        for name, san in (("server", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example"),
                          ("client", "DNS:fettle")):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                    f"{name}.csr", "-subj", f"/CN={name}")
            (folder / "ext").write_text(f"subjectAltName={san}\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "ext")
        for f in folder.iterdir():
            f.chmod(0o644)
        folder.chmod(0o755)

    def test_tls_host_check_and_client_certificate(self):
        with Broker() as b:
            b.stop()
            folder = b.folder
            self.make_certificates(folder)
            plain = b.config

            def tls(server, more=""):
                return (plain + f"cafile {folder}/ca.pem\ncertfile {folder}/{server}.pem\n"
                        f"keyfile {folder}/{server}.key\n{more}")

            def settings(more=""):
                return config(b, f"topics = plant/+/+\nca = {folder}/ca.pem\n{more}").replace(
                    "mqtt://", "mqtts://")

            b.config = tls("server", "require_certificate true\n")
            b.start()
            mine = f"cert = {folder}/client.pem\nkey = {folder}/client.key\n"
            with Server(settings(mine), data=False, keys=()) as s:
                connected(s)
            with Server(settings(), data=False, keys=()) as s:  # no certificate of ours
                wait(lambda: "mqtt: 127.0.0.1" in (s.folder / "log").read_text(), "a failure")
                self.assertEqual(metric(s, "mqtt_connected"), 0)
            b.stop()
            b.config = tls("other")  # a good certificate of another host
            b.start()
            with Server(settings(mine), data=False, keys=()) as s:
                wait(lambda: "mqtt: 127.0.0.1" in (s.folder / "log").read_text(), "a failure")
                self.assertEqual(metric(s, "mqtt_connected"), 0)


# --- Sparkplug B: a payload by hand, after the field numbers of the specification -----------------


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def sp_metric(name=None, alias=None, ts=None, datatype=None, value=None, null=False):
    out = b""
    if name is not None:
        out += field(1, name.encode())
    if alias is not None:
        out += field(2, alias)
    if ts is not None:
        out += field(3, ts)
    if datatype is not None:
        out += field(4, datatype)
    if null:
        out += field(7, 1)
    if isinstance(value, bool):
        out += field(14, int(value))
    elif isinstance(value, int):
        # 32 bits and less stand in int_value, two's complement; 64 bits in long_value
        out += field(11, value) if datatype in (4, 8) else field(10, value & 0xffffffff)
    elif isinstance(value, float):
        out += varint(13 << 3 | 1) + struct.pack("<d", value)
    elif isinstance(value, str):
        out += field(15, value.encode())
    return out


def sp_payload(seq, *metrics, ts=None):
    out = field(1, ts) if ts is not None else b""
    return out + b"".join(field(2, m) for m in metrics) + field(3, seq)


@unittest.skipIf(MOSQUITTO is None, "the broker is not installed (mosquitto)")
@unittest.skipIf(not PARTS["sparkplug"], "built without Sparkplug (libprotobuf-c-dev)")
class Sparkplug(unittest.TestCase):
    def test_births_aliases_gaps_and_deaths(self):
        ms = T0 * 1000
        with Broker() as b, Server(config(b, "sparkplug_groups = mill")) as s:
            connected(s)
            publish(b.port,
                    ("spBv1.0/mill/NBIRTH/edge", sp_payload(
                        0, sp_metric("bdSeq", 0, ms, 4, 7), sp_metric("load", 1, ms, 10, 0.5),
                        sp_metric("Node Control/Rebirth", 2, ms, 11, False), ts=ms)),
                    ("spBv1.0/mill/DBIRTH/edge/press", sp_payload(
                        1, sp_metric("temp", 3, ms, 3, -5), sp_metric("run", 4, ms, 11, True),
                        sp_metric("mode", 5, ms, 12, "auto"), ts=ms)),
                    ("spBv1.0/mill/NDATA/edge", sp_payload(2, sp_metric(None, 1, ms + 1000, None, 0.75))),
                    ("spBv1.0/mill/DDATA/edge/press", sp_payload(
                        3, sp_metric(None, 3, None, None, -6), sp_metric(None, 4, None, None, False),
                        ts=ms + 1000)),
                    ("spBv1.0/mill/DDATA/edge/press", sp_payload(
                        9, sp_metric(None, 3, null=True), sp_metric(None, 77, None, None, 1),
                        ts=ms + 2000)),
                    ("spBv1.0/mill/NCMD/edge", b"x"), ("spBv1.0/mill/NDATA/edge", b"\xff\xff"))
            wait(lambda: metric(s, "mqtt_messages_total") == 7, "7 messages")
            wait(lambda: metric(s, "sparkplug_gaps_total") == 1, "a gap")
            self.assertEqual([v for _, v in readings(s, "edge", "load")], [0.5, 0.75])
            self.assertEqual([v for _, v in readings(s, "press", "temp")], [-5, -6])
            self.assertEqual([v for _, v in readings(s, "press", "run")], [1, 0])
            self.assertEqual(metric(s, "sparkplug_births_total"), 2)
            self.assertEqual(metric(s, "sparkplug_unknown_total"), 1)
            self.assertEqual(len(s.get("/api/v1/sensors").json["items"]), 5)  # 2 + load, temp, run
            # Births are remembered: data that came while we were away need no new one.
            s.stop()
            publish(b.port, ("spBv1.0/mill/DDATA/edge/press", sp_payload(
                10, sp_metric(None, 3, None, None, -7), ts=ms + 3000)))
            s.start()
            wait(lambda: len(readings(s, "press", "temp")) == 3, "data by a remembered alias")
            publish(b.port, ("spBv1.0/mill/NDEATH/edge", field(2, sp_metric("bdSeq", value=7))),
                    ("spBv1.0/mill/NDATA/edge", sp_payload(
                        11, sp_metric(None, 1, None, None, 9.5), ts=ms + 4000)))
            wait(lambda: metric(s, "sparkplug_deaths_total") == 1, "a death")
            wait(lambda: metric(s, "live_refused_total") == 1, "a refusal of data of the dead")
            self.assertEqual(len(readings(s, "edge", "load")), 2)


if __name__ == "__main__":
    unittest.main()
