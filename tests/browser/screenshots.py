#!/usr/bin/env python3
"""Makes the pictures of docs/images from the program itself: a demo plant, trained and planned.
Usage: screenshots.py ADDRESS FOLDER, where a server with a demo plant answers at ADDRESS."""
import base64
import json
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import Browser, missing  # noqa: E402

# name, page, width, height, theme, what must be there first
SHOTS = (("fleet-light", "/fleet", 1440, 900, "light", "table.fleet tbody tr"),
         ("fleet-dark", "/fleet", 1440, 900, "dark", "table.fleet tbody tr"),
         ("asset-light", "/asset/{asset}", 1440, 1060, "light", ".lane canvas"),
         ("plan-light", "/plan", 1440, 900, "light", ".gantt .job"),
         ("roi-light", "/roi", 1440, 1060, "light", ".inputs input"),
         ("fleet-phone", "/fleet", 360, 740, "light", "table.fleet tbody tr"),
         ("work-order-phone", "/work-orders/{order}", 360, 740, "light", ".wo h1"))


def main():
    base, folder = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2])
    if missing():
        sys.exit(missing())

    def get(path):
        with urllib.request.urlopen(f"{base}/api/v1{path}", timeout=20) as answer:
            return json.load(answer)
    asset = get("/assets?expand=forecast,case,next_work&sort=-money_at_risk&limit=1")["items"][0]["key"]
    order = next((w["key"] for w in get("/work-orders?kind=predictive&limit=100")["items"]
                  if w["asset"] == asset), None) or get("/work-orders?limit=1")["items"][0]["key"]
    browser = Browser()
    try:
        for name, page, width, height, theme, part in SHOTS:
            browser.prefer(theme)
            browser.size(width, height)
            browser.open(base + page.format(asset=asset, order=order))
            browser.wait(f"document.querySelector({part!r})", part)
            browser.driver.execute_async_script("setTimeout(arguments[0], 900)")
            shot = browser.cdp("Page.captureScreenshot", {"format": "png"})
            (folder / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
            print(folder / f"{name}.png")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
