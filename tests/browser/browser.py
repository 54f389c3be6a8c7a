"""One headless Chromium for the browser tests: opens a page, waits, and collects what must never
happen: console messages, reports of the content policy, requests to anywhere else."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver") or "/usr/bin/chromedriver"
FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
         "--disable-background-networking --disable-component-update --disable-sync "
         "--disable-dev-shm-usage --lang=en-GB --force-device-scale-factor=1").split()
REPORTS = """window.__csp = [];
addEventListener('securitypolicyviolation', (e) => window.__csp.push(e.violatedDirective + ' '
    + (e.sourceFile || '') + ':' + e.lineNumber));"""


def missing():
    """Why there can be no browser test here, or None."""
    if webdriver is None:
        return "python3-selenium is not installed"
    if CHROMIUM is None:
        return "chromium is not installed"
    if not os.path.exists(DRIVER):
        return "chromedriver is not installed"
    return None


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="fettle-browser-")
        options = Options()
        for flag in FLAGS + [f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.binary_location = CHROMIUM
        options.add_experimental_option("prefs", {"intl.accept_languages": "en-GB,en"})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_page_load_timeout(30)
        self.driver.set_script_timeout(30)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", {"source": REPORTS})

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def cdp(self, name, args=None):
        return self.driver.execute_cdp_cmd(name, args or {})

    def size(self, width, height=900, touch=False):
        self.cdp("Emulation.setDeviceMetricsOverride", {"width": width, "height": height,
                                                       "deviceScaleFactor": 1, "mobile": False})
        self.cdp("Emulation.setTouchEmulationEnabled", {"enabled": touch})

    def prefer(self, theme):
        self.cdp("Emulation.setEmulatedMedia",
                 {"features": [{"name": "prefers-color-scheme", "value": theme}]})

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def wait(self, script, what, seconds=15):
        """Until the expression is true; fails with `what`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.js(f"return Boolean({script})"):
                return
            time.sleep(0.05)
        text = self.js("return document.body ? document.body.innerText.slice(0, 1500) : ''")
        raise AssertionError(f"waited {seconds} s in vain for {what}; the page says:\n{text}")

    def open(self, url):
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)
        self.wait("document.querySelector('main h1') && !document.querySelector('[aria-busy]')",
                  f"{url} to be drawn")

    def keys(self, text):
        for key in text.split(" "):
            self.js("""(document.activeElement || document.body).dispatchEvent(new KeyboardEvent(
                'keydown', {key: arguments[0], bubbles: true, cancelable: true}))""", key)

    def complaints(self, base):
        """Everything that must be empty after a page was used."""
        out = [f"console: {m['message']}" for m in self.driver.get_log("browser")]
        out += [f"policy: {m}" for m in self.js("return window.__csp || []")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            url = message["params"]["request"]["url"]
            if not url.startswith((base + "/", "data:", "blob:", "chrome", "about:")):
                out.append(f"foreign request: {url}")
        return out

    def overflow(self):
        """Pixels by which the page is wider than the window, and what sticks out."""
        return self.js("""const w = document.documentElement.scrollWidth - innerWidth;
            if (w <= 0) return [];
            return [w, ...[...document.querySelectorAll('main *')].filter((e) =>
                e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll'))
                .slice(0, 5).map((e) => e.tagName + '.' + e.getAttribute('class'))]""")


class BrowserCase(unittest.TestCase):
    """Shares one browser among the tests of a module; skips where there is none."""
    browser = None

    @classmethod
    def setUpClass(cls):
        why = missing()
        if why:
            raise unittest.SkipTest(f"no browser test: {why}")
        if BrowserCase.browser is None:
            BrowserCase.browser = Browser()
            unittest.addModuleCleanup(BrowserCase.shut)

    @staticmethod
    def shut():
        if BrowserCase.browser is not None:
            BrowserCase.browser.close()
            BrowserCase.browser = None

    def setUp(self):
        self.browser.size(1440)
        self.browser.prefer("light")

    def assert_clean(self, base):
        self.assertEqual([], self.browser.complaints(base))


def program():
    """The built program, or a SkipTest."""
    path = os.environ.get("FETTLE", "")
    if not path or not pathlib.Path(path).exists():
        raise unittest.SkipTest("no browser test: $FETTLE names no program")
    return path


def run(*args, timeout=300):
    return subprocess.run([program(), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, env=dict(os.environ, NO_COLOR="1"))
