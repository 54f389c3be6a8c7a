"""A real MQTT broker (mosquitto) on a free port, and a small publisher that sends QoS 1 messages
without waiting for each acknowledgement."""
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

MOSQUITTO = shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if pathlib.Path(
    "/usr/sbin/mosquitto").exists() else None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    """with Broker("max_inflight_messages 0\n") as b: b.port"""

    def __init__(self, config="", listener="", anonymous=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fettle-broker-"))
        self.port = free_port()
        self.config = (f"{config}\npersistence false\nallow_anonymous {str(anonymous).lower()}\n"
                       f"listener {self.port} 127.0.0.1\n{listener}\n")
        self.process = None

    def start(self):
        (self.folder / "mosquitto.conf").write_text(self.config)
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")],
                                        stdout=self.log, stderr=self.log)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text())
                time.sleep(0.05)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.log.close()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _length(n):
    out = b""
    while True:
        n, low = n >> 7, n & 127
        out += bytes([low | (128 if n else 0)])
        if not n:
            return out


def _text(s):
    s = s.encode() if isinstance(s, str) else s
    return struct.pack(">H", len(s)) + s


def packets(messages, first_id=1):
    """PUBLISH packets of QoS 1 for (topic, payload) pairs as one byte string."""
    out = []
    for i, (topic, payload) in enumerate(messages):
        payload = payload.encode() if isinstance(payload, str) else payload
        mid = (first_id + i - 1) % 65535 + 1
        body = _text(topic) + struct.pack(">H", mid) + payload
        out.append(b"\x32" + _length(len(body)) + body)
    return b"".join(out)


class Publisher:
    def __init__(self, port, name="publisher"):
        self.s = socket.create_connection(("127.0.0.1", port), 10)
        body = _text("MQTT") + b"\x04\x02" + struct.pack(">H", 0) + _text(name)
        self.s.sendall(b"\x10" + _length(len(body)) + body)
        if self.s.recv(4) != b"\x20\x02\x00\x00":
            raise RuntimeError("the broker refuses the publisher")

    def send(self, data, n):
        """Sends n packets and waits until the broker has taken them."""
        self.s.settimeout(60)
        sent, acked, left = 0, 0, 0
        view = memoryview(data)
        while acked < n:
            if sent < len(data):
                sent += self.s.send(view[sent:sent + (1 << 16)])
                self.s.settimeout(0 if sent < len(data) else 60)
            try:
                got = len(self.s.recv(1 << 16)) + left
                acked += got // 4  # a PUBACK has four bytes
                left = got % 4
            except BlockingIOError:
                pass
            self.s.settimeout(60)

    def publish(self, messages):
        for i in range(0, len(messages), 10000):
            part = messages[i:i + 10000]
            self.send(packets(part), len(part))

    def close(self):
        self.s.sendall(b"\xe0\x00")
        self.s.close()


def publish(port, *messages):
    p = Publisher(port)
    p.publish(list(messages))
    p.close()
