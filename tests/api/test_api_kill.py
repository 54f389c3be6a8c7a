"""Kills at random moments, a few for each way in; `make bench` does 200 of each."""
import json
import subprocess
import unittest

from api.broker import MOSQUITTO
from api.kill import run_kills
from api.server import FETTLE

PARTS = json.loads(subprocess.run([FETTLE, "version", "--json"], capture_output=True,
                                  check=True).stdout)["parts"]
N = 8


class Kill(unittest.TestCase):
    def test_http(self):
        print(run_kills("http", N))

    def test_csv(self):
        print(run_kills("csv", N))

    def test_lines(self):
        print(run_kills("lines", N))

    @unittest.skipIf(MOSQUITTO is None or not PARTS["mqtt"], "no broker, or built without MQTT")
    def test_mqtt(self):
        print(run_kills("mqtt", N))


if __name__ == "__main__":
    unittest.main()
