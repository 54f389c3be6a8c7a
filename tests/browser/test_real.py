"""The dashboard of the real program on a small demo plant: every page is drawn from the program's own
answers, quietly, at 1440 and 360 px."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import BrowserCase, program, run  # noqa: E402


class Real(BrowserCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="fettle-real-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.db = f"{cls.folder}/plant.db"
        cls.must("demo", "--db", cls.db, "--assets", "12", "--days", "240", "--seed", "3",
                 "--no-train")
        cls.must("train", "--db", cls.db, "--class", "pump", "--target", "failure", "--horizon", "30d",
                 "--component", "all", "--models", "hazard_logit")
        cls.must("predict", "--db", cls.db)
        cls.must("schedule", "--db", cls.db)
        made = json.loads(cls.must("key", "create", "--db", cls.db, "--name", "test", "--role", "planner",
                                   "--json"))
        cls.key = made["key"]
        cls.serve()

    @classmethod
    def must(cls, *args):
        done = run(*args)
        if done.returncode != 0:
            raise AssertionError(f"fettle {' '.join(args)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    @classmethod
    def serve(cls):
        log = open(f"{cls.folder}/serve.log", "w+", encoding="utf-8")
        cls.addClassCleanup(log.close)
        port = 18000 + int(time.time() * 10) % 20000
        cls.server = subprocess.Popen([program(), "serve", "--db", cls.db, "--next-port", "--listen",
                                       f"127.0.0.1:{port}"], stdout=log, stderr=log)
        cls.addClassCleanup(cls.stop)
        for port in range(port, port + 20):
            cls.base = f"http://127.0.0.1:{port}"
            end = time.monotonic() + (15 if port else 1)
            while time.monotonic() < end and cls.server.poll() is None:
                try:
                    with urllib.request.urlopen(cls.base + "/readyz", timeout=2) as answer:
                        if answer.status == 200:
                            return
                except OSError:
                    time.sleep(0.1)
        log.seek(0)
        raise AssertionError("the server did not start:\n" + log.read())

    @classmethod
    def stop(cls):
        cls.server.terminate()
        try:
            cls.server.wait(15)
        except subprocess.TimeoutExpired:
            cls.server.kill()
            cls.server.wait()

    def get(self, path):
        with urllib.request.urlopen(f"{self.base}/api/v1{path}", timeout=10) as answer:
            return json.load(answer)

    def pages(self):
        asset = self.get("/assets?expand=forecast,case,next_work&limit=1")["items"][0]["key"]
        order = self.get("/work-orders?limit=1")["items"][0]["key"]
        return {"/": "table.fleet tbody tr[data-href]", f"/asset/{asset}": ".lane canvas",
                "/plan": ".gantt .job", "/plan?view=calendar": ".month .cell",
                "/plan?view=list": "table tbody tr[data-href]", "/roi": ".inputs input",
                "/work-orders": "table tbody tr[data-href]", f"/work-orders/{order}": ".wo h1",
                "/inbox": "table.inbox tbody tr[data-href], .empty", "/life": ".life-box .chart", "/models": "table tbody tr", "/track-record": ".strip .big", "/data": ".panel h2",
                "/runs": "table tbody tr"}

    def test_every_page_of_the_program(self):
        for width in (1440, 360):
            self.browser.size(width)
            for path, part in self.pages().items():
                with self.subTest(f"{path} at {width} px"):
                    self.browser.open(self.base + path)
                    self.browser.wait(f"document.querySelector({part!r})", part)
                    self.assertIsNone(self.browser.js(
                        "return document.querySelector('.failed')?.innerText ?? null"))
                    self.assertEqual([], self.browser.overflow())
                    self.assert_clean(self.base)

    def test_table_says_what_the_api_says(self):
        answer = self.get("/assets?expand=forecast,case,next_work&sort=-money_at_risk&limit=1000")
        self.browser.open(self.base + "/fleet?all=1")
        keys = self.browser.js("return [...document.querySelectorAll('table.fleet a.tag')]"
                               ".map((e) => e.textContent)")
        self.assertEqual([a["key"] for a in answer["items"]], keys)
        self.assertEqual(f"{answer['answer']['lead']} {answer['answer']['rest']}", self.browser.js(
            "return document.querySelector('.answer').textContent"))

    def test_reload_of_a_deep_address(self):
        asset = self.get("/assets?limit=1")["items"][0]["key"]
        self.browser.open(f"{self.base}/asset/{asset}?range=30d")
        self.browser.wait("document.querySelector('.seg [aria-current]')", "the time span")
        self.browser.driver.refresh()
        self.browser.wait("document.querySelector('.lane canvas')", "the lanes")
        self.assertIn("30", self.browser.js(
            "return document.querySelector('.seg [aria-current]').textContent"))

    def test_a_job_is_closed_in_three_taps(self):
        orders = self.get("/work-orders?limit=1000")["items"]
        order = next(w for w in orders if w["status"] == "draft" and w["component"])
        path = f"{self.base}/work-orders/{order['key']}"
        self.browser.open(path)
        self.browser.js("sessionStorage.setItem('fettle-key', arguments[0])", self.key)
        self.browser.js("document.querySelector('.wo-bar .side').click()")   # approve
        self.browser.wait("document.querySelector('.undo button')", "the approval")
        self.assertEqual("approved", self.get(f"/work-orders/{order['key']}")["status"])
        self.browser.open(path + "?close=1")
        for tap in ("input[value=nothing_found]", ".wo-bar .main"):
            self.browser.js("document.querySelector(arguments[0]).click()", tap)
        self.browser.wait("!location.search && document.querySelector('.wo h1')", "the closed order")
        closed = self.get(f"/work-orders/{order['key']}")
        self.assertEqual(("closed", "nothing_found"), (closed["status"], closed["outcome"]))
        self.browser.js("sessionStorage.clear()")
        self.assert_clean(self.base)

    def test_roi_recomputes_quickly(self):
        self.browser.open(self.base + "/roi")
        self.browser.wait("document.getElementById('in-cost_per_hour')", "the inputs")
        before = self.browser.js("return document.querySelector('.strip .big').textContent")
        self.browser.js("""const i = document.getElementById('in-cost_per_hour'); i.focus();
            i.value = '1'; i.dispatchEvent(new Event('input', {bubbles: true}))""")
        self.browser.wait(f"document.querySelector('.strip .big').textContent !== {before!r}",
                          "the new result")
        self.assert_clean(self.base)


if __name__ == "__main__":
    unittest.main()
