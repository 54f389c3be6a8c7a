#!/usr/bin/env python3
"""A stand-in for the server with invented data: the dashboard's extreme cases (hostile names, 2,000
assets, an empty database, a currency without minor units) that a real plant seldom shows at once.
Serves the same paths under the same content policy. Run alone: mock_server.py [PORT] [CASE]."""
import http.server
import json
import math
import pathlib
import sys
import threading
import urllib.parse
from datetime import datetime, timedelta, timezone

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATIC = ROOT / "web" / "static"
DYGRAPHS = pathlib.Path("/usr/share/javascript/dygraphs/dygraph.min.js")
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript",
         ".svg": "image/svg+xml"}
NOW = datetime(2026, 11, 23, 5, 42, tzinfo=timezone.utc)
HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
KEY = "test-key"


def iso(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def date(days):
    return (NOW + timedelta(days=days)).strftime("%Y-%m-%d")


FLEET = [  # key, name, class, area, state, money, p, rul, low, high, why, waiting, work, status, kind, date
    ("P-2107", "Stock pump 7", "pump", "Mill 2/Refining", "act", 48200, .31, 41, 18, 70,
     "Vibration 2.7\u00d7 own baseline, rising 25 days", 1370, "Bearing", "draft", "predictive", 11),
    ("PM2-VP-03", "Vacuum pump 3", "pump", "Mill 2/PM 2", "act", 36900, .22, 50, 22, 92,
     "Seal water +9 K at same load; 2 trips in 10 days", 940, None, None, None, None),
    ("CV-1142", "Chip conveyor gearbox", "conveyor drive", "Mill 2/Wood yard", "act", 24700, .38, 36,
     16, 66, "Oil particles 22/20/17; torque ripple +40 %", 720, "Oil, inspect", "scheduled",
     "predictive", 1),
    ("AGI-09", "Pulper agitator", "conveyor drive", "Mill 2/Stock prep", "soon", 18300, .14, 64, 25,
     120, "Motor current +6 % at equal load for 5 weeks", 410, "Gearbox", "draft", "predictive", 14),
    ("FAN-330", "Hood exhaust fan", "compressor", "Mill 2/PM 2", "soon", 14600, .17, 58, 24, 120,
     "1\u00d7 vibration 4.9 mm/s, limit 7.1: imbalance", 330, "Balance", "scheduled", "predictive", 17),
    ("PM2-PR-02", "Press section drive 2", "conveyor drive", "Mill 2/PM 2", "soon", 12100, .06, 100,
     40, None, "Bearing temperature +0.4 K per day", 240, "Grease", "scheduled", "predictive", 10),
    ("HX-118", "Black liquor heat exch.", "compressor", "Mill 2/Recovery", "soon", 9800, .11, 73, 35,
     132, "Fouling at 82 % of limit", 210, "Clean", "scheduled", "predictive", 21),
    ("P-2111", "Stock pump 11", "pump", "Mill 2/Refining", "watch", 6400, .05, 110, 44, None,
     "Same bearing batch as P-2107; no own sign yet", 130, "PM greasing", "scheduled", "preventive", 14),
    ("C-0401", "Air compr. 1", "compressor", "Mill 2/Utilities", "watch", 5900, .04, 124, 30, None,
     "2 of 7 sensors stale 3 days; interval widened", 110, "Fix sensors", "approved", "corrective", 0),
    ("CV-1120", "Bark conveyor", "conveyor drive", "Mill 2/Wood yard", "watch", 3100, .07, 93, 36, 168,
     "Starts 1.6\u00d7 class median", 60, "PM belt", "scheduled", "preventive", 22),
    ("P-3302", "White water pump 2", "pump", "Mill 2/PM 2", "watch", 2300, .03, 143, 58, None,
     "Cavitation 3\u00d7 in 30 days", 40, "PM seal", "scheduled", "preventive", 29),
    ("REF-01", "Disc refiner 1", "pump", "Mill 2/Refining", "normal", 1000, .01, 400, 96, None,
     "Within own baseline", 10, "PM plates", "scheduled", "preventive", 23),
    ("PM2-WD-01", "Wire drive", "conveyor drive", "Mill 2/PM 2", "normal", 700, .008, 500, 96, None,
     "Within own baseline", 10, "PM", "scheduled", "preventive", 50),
]


def asset_row(i, row, scale=1):
    key, name, cls, area, state, money, p, rul, low, high, why, waiting, work, status, kind, due = row
    d = 86400
    return {"key": key, "name": name, "class": cls, "area": area, "state": state,
            "state_rule": "latest acceptable day lies within the 7-day freeze (limit: 10 % risk)",
            "money_at_risk": {"value": money * scale, "low": money * .66 * scale,
                              "high": money * 1.45 * scale},
            "p": {"value": p, "low": p * .6, "high": min(1, p * 1.5)},
            "rul": {"median_s": rul * d, "low_s": low * d, "high_s": high and high * d,
                    "coverage": .8, "cycle_s": None},
            "why": why, "waiting_per_day": waiting * scale, "component": "bearing",
            "next_work": work and {"key": f"WO-{4402 + i:05d}", "title": f"{key} {work}",
                                   "status": status, "kind": kind, "date": date(due or 0)},
            "data_frac": .62 if key == "C-0401" else .97, "sensors": 7,
            "sensors_stale": 2 if key == "C-0401" else 0}


class Data:
    """case: plain, empty, many (2,000 assets), hostile, yen"""

    def __init__(self, case="plain"):
        self.case = case
        self.scale = 160 if case == "yen" else 1
        self.orders = {}
        rows = [] if case == "empty" else list(FLEET)
        if case == "hostile":
            long_name = "Very long name of a machine that nobody shortened, " * 2
            rows = [(HOSTILE + str(i), HOSTILE, HOSTILE, HOSTILE, *r[4:10], HOSTILE, r[11], HOSTILE,
                     r[13] or "draft", r[14] or "predictive", r[15]) if i % 2 else (r[0], long_name[:80], *r[2:])
                    for i, r in enumerate(rows)]
        self.assets = [asset_row(i, r, self.scale) for i, r in enumerate(rows)]
        n = {"many": 2000, "plain": 60}.get(case, 0)
        for i in range(len(self.assets), n):
            self.assets.append(asset_row(i, (f"X-{i:04d}", f"Machine {i}", "pump", "Mill 2/Utilities",
                                             "normal", max(0, 600 - i), .004, 400, 90, None,
                                             "Within own baseline", 0, None, None, None, None)))
            self.assets[-1]["next_work"] = None
        self.cases = {i + 1: self.case_of(i, a) for i, a in enumerate(self.assets[:5])}
        for i, a in enumerate(self.assets[:13]):
            w = a["next_work"]
            if w:
                self.orders[w["key"]] = self.order(w, a, i)

    def case_of(self, i, a):
        name = HOSTILE if self.case == "hostile" else "bearing"
        return {"id": i + 1, "asset": a["key"], "component": name, "state": "open", "opened": iso(NOW),
                "closed": None, "until": None, "reason": None, "verdict": None, "note": None,
                "work_order": f"WO-{4402 + i:05d}", "currency": self.currency, "version": 1, "updated": iso(NOW),
                "may_reopen": False, "reasons": [a["why"], "Bearing age"], "best": date(11), "earliest": date(9),
                "latest": date(16), "decide_by": date(i), "spare": "Bearing 6316-C3" if i % 2 else None,
                "spare_lead_s": 345600, "order_spare_by": date(i), "p_window": .31, "p_threshold": .1,
                "p_age_only": .08, "risk_by_best": .05, "cost_best": 13800, "cost_left": 41500, "saving": 27700,
                "waiting_per_day": a["waiting_per_day"], "name": a["name"], "class": a["class"], "area": a["area"],
                "asset_state": a["state"], "asset_state_rule": a["state_rule"], "work": f"Replace {name}",
                "decision": {"lead": f"Replace the {name} on Fri 4 Dec.", "rest": "31 % chance of failure in 30 days."},
                "lands": f"WO-{4402 + i:05d} stands on Fri 4 Dec, Mech A.", "crew": "Mech A", "duration_h": 6,
                "risk_limit": .1}

    def list_cases(self, q):
        states = (q.get("state") or "open,approved,deferred,rejected,closed").split(",")
        items = sorted((c for c in self.cases.values() if c["state"] in states), key=lambda c: c["decide_by"])
        n = sum(c["state"] == "open" for c in self.cases.values())
        return {"answer": {"lead": f"{n} to decide; 2 cannot wait past Fri 27 Nov.", "rest": "6 of this week's 10 "
                           "alarms used."} if n else {"lead": "Nothing to decide.", "rest": "There are no forecasts "
                                                     "yet: cases come from them, after the first training."},
                "budget": {"per_week": 10, "used": 6, "waiting": 0, "threshold": None, "next_slot_worth": None},
                "items": items, "next_cursor": None}

    def waiting_cost(self, case):
        days = [{"date": date(d), "cost": 13800 + 30 * (d - 11) ** 2, "waiting": 30 * (d - 11) ** 2,
                 "risk": 1 - math.exp(-((d / 46) ** 1.9)), "workday": True, "stop": d % 14 == 11} for d in range(90)]
        return dict({k: v for k, v in case.items() if k in ("currency", "best", "earliest", "latest", "decide_by",
                    "risk_by_best", "cost_best", "cost_left", "saving", "waiting_per_day")}, case=case["id"], items=days)

    def decide(self, case, body):
        done = {"approve": "approved", "defer": "deferred", "reject": "rejected", "reopen": "open"}[body["action"]]
        case.update(state=done, reason=body.get("reason"), until=body.get("until"), may_reopen=done != "open",
                    version=case["version"] + 1)
        return case

    def forecasts(self, q):
        a = self.asset(q.get("asset", ""))
        f = dict(a["forecast"], model_kind="gbdt", spoke="test") if a else None
        return [{"asset": q["asset"], "component": c["component"], "as_of": iso(NOW), "scored_at": iso(NOW),
                 "model": 12, "forecast": f} for c in self.cases.values() if a and c["asset"] == q["asset"]]

    def order(self, w, a, i):
        return {"id": i + 1, "key": w["key"], "external_key": None, "title": w["title"], "note": None,
                "kind": w["kind"], "status": w["status"], "priority": 2, "asset": a["key"],
                "component": "DE bearing", "plan": None, "model": 12, "crew": "Mech A",
                "due": w["date"] + "T07:00:00Z", "earliest": date(9) + "T00:00:00Z",
                "latest": date(16) + "T00:00:00Z", "scheduled": w["date"] + "T07:00:00Z",
                "started": None, "ended": None, "duration_h": 6, "risk_by_due": .049,
                "expected_cost": 13870, "waiting_per_day": a["waiting_per_day"], "currency": "EUR",
                "reason": a["why"] + ".", "outcome": None, "pinned": i % 3 == 2, "version": 1,
                "created": iso(NOW), "updated": iso(NOW)}

    @property
    def currency(self):
        return "JPY" if self.case == "yen" else "EUR"

    # --- answers ---------------------------------------------------------------------------------

    def site(self, q):
        return {"name": HOSTILE if self.case == "hostile" else "Nordhafen Paper \u00b7 Mill 2",
                "time_zone": "Europe/Berlin", "currency": self.currency, "now": iso(NOW),
                "last_reading_at": None if self.case == "empty" else iso(NOW - timedelta(seconds=4)),
                "scored_at": iso(NOW - timedelta(minutes=150)), "version": "0.1.0", "role": "viewer"}

    def list_assets(self, q):
        items = self.assets
        if "q" in q:
            items = [a for a in items if q["q"].lower() in (a["key"] + a["name"]).lower()]
        limit = int(q.get("limit", 100))
        start = int(q.get("cursor", 0))
        tail = self.assets[13:]
        page = items[start:start + limit]
        return {"answer": {"lead": "Three assets hold 60 % of the money at risk.",
                           "rest": "Ranked by what a failure in the next 30 days would cost beyond a "
                                   "planned repair."} if self.assets else
                {"lead": "No assets yet.", "rest": "Import readings to begin."},
                "window_s": 2592000, "currency": self.currency, "as_of": iso(NOW),
                "scored_at": iso(NOW - timedelta(minutes=150)), "scored_by": "7 models",
                "coverage_note": "80 % interval held in 81 % of 412 cases", "total": len(items),
                "tail": {"count": len(tail) if self.case == "plain" else 0,
                         "money_at_risk": sum(a["money_at_risk"]["value"] for a in tail)},
                "items": page,
                "next_cursor": str(start + limit) if start + limit < len(items) else None}

    def kpi(self, q):
        if self.case == "empty":
            return {"money_at_risk": {"value": None, "low": None, "high": None, "change": None,
                                      "history": []},
                    "cases": {"open": 0, "act": 0, "soon": 0, "watch": 0, "undecided": 0},
                    "crew_load": {"frac": None, "hours_available": 0, "hours_planned": 0, "weeks": []},
                    "net_saved": {"value": None, "right": 0, "missed": 0, "false_alarms": 0, "due": 0,
                                  "note": None},
                    "data": {"complete": 0, "total": 0, "stale_sensors": 0, "note": None},
                    "areas": [], "changes": []}
        k = self.scale
        area = [("Mill 2", 184300, 12400, 0), ("Mill 2/PM 2", 66700, 3100, 1),
                ("Mill 2/Refining", 55700, 9800, 1), ("Mill 2/Wood yard", 27900, -1200, 1),
                ("Mill 2/Stock prep", 18300, 500, 1), ("Mill 2/Recovery", 9800, 0, 1),
                ("Mill 2/Utilities", 5900, 200, 1)]
        text = HOSTILE if self.case == "hostile" else "Soon \u2192 Act. Vibration slope doubled"
        return {"money_at_risk": {"value": 184300 * k, "low": 128000 * k, "high": 259000 * k,
                                  "change": 12400 * k,
                                  "history": [101, 110, 106, 121, 118, 132, 140, 151, 149, 158, 171, 184]},
                "cases": {"open": 20, "act": 3, "soon": 6, "watch": 11, "undecided": 9},
                "crew_load": {"frac": .78, "hours_available": 642, "hours_planned": 501,
                              "weeks": [{"week": 48, "frac": .71}, {"week": 49, "frac": .96},
                                        {"week": 50, "frac": .82}, {"week": 51, "frac": .61}]},
                "net_saved": {"value": 61700 * k, "right": 7, "missed": 1, "false_alarms": 2, "due": 9,
                              "note": None},
                "data": {"complete": 208, "total": 214, "stale_sensors": 2,
                         "note": "2 sensors stale, 4 assets on class prior"},
                "areas": [{"area": n, "money_at_risk": m * k, "change": c * k, "depth": d}
                          for n, m, c, d in area],
                "changes": [{"asset": "P-2107", "glyph": "act", "text": text, "money": 9800 * k},
                            {"asset": "CV-1142", "glyph": "act",
                             "text": "new oil sample raised particle code", "money": 2300},
                            {"asset": "FAN-330", "glyph": "soon",
                             "text": "Watch \u2192 Soon. 1\u00d7 crossed 4.5 mm/s", "money": 3100},
                            {"asset": "PM2-WD-01", "glyph": "normal",
                             "text": "back to Normal after greasing, WO-4388", "money": -1900},
                            {"asset": "C-0401", "glyph": "no_data",
                             "text": "two sensors stale since Fri 20 Nov 14:05", "money": None},
                            {"asset": None, "glyph": "model",
                             "text": "Model pumps-v12 promoted: Brier 0.061 \u2192 0.057",
                             "money": None}]}

    def asset(self, key):
        a = next((x for x in self.assets if x["key"] == key), None)
        if a is None:
            return None
        horizons = [1, 2, 4, 7, 10, 14, 21, 30, 45, 60, 90]
        p = [1 - math.exp(-((d / 46) ** 1.9)) for d in horizons]
        hostile = HOSTILE if self.case == "hostile" else None
        reasons = [("Vibration slope, equal load", "vibration_mm_s", .112), ("Bearing age", "", .074),
                   ("Temperature against twin pumps", "bearing_temp_degc", .048),
                   ("Alarm count, 30 days", "", .031), ("Greased 37 days ago", "", -.022)]
        cost = [{"date": date(d), "cost": 18000 + 28 * d * d if d < 20 else 18000 + 40 * d * d}
                for d in range(0, 33)]
        sensors = [("vibration_mm_s", "mm/s RMS", 1.6, 2.2, 1, 5.6),
                   ("bearing_temp_degc", "\u00b0C", 55, 61, 2, 62), ("motor_current_pct", "% of rated",
                                                                 76, 87, 3, 78),
                   ("pressure_bar", "bar", 3.8, 4.4, 4, 4.1), ("flow_m3_h", "m\u00b3/h", 80, 120, 5, 101)]
        return {"key": a["key"], "name": a["name"], "class": a["class"], "area": a["area"],
                "attributes": {"model": hostile or "Ahlstar A22-80", "installed": "2018",
                               "power_kw": "132"}, "state": a["state"], "state_rule": a["state_rule"],
                "decision": {"lead": "Replace the drive-end bearing on Fri 4 Dec.",
                             "rest": "31 % chance of failure in 30 days. Expected cost \u20ac13,800 then, "
                                     "\u20ac41,500 at the next stop; the spare lands on 2 Dec."},
                "forecast": {"as_of": iso(NOW), "model": {"id": 12, "kind": "gbdt",
                                                         "spoke": "boosted trees, beats age only by 38 %"},
                             "horizons": [{"t_s": d * 86400, "p": v, "low": v * .72,
                                           "high": min(.97, v * 1.32)} for d, v in zip(horizons, p)],
                             "rul": a["rul"], "base_points": .076,
                             "reasons": [{"text": hostile or t, "feature": "f", "sensor": s, "points": q}
                                         for t, s, q in reasons],
                             "coverage_note": "80 % band; observed cover 81 %, n = 412", "data_frac": .97,
                             "sensors": 7, "sensors_stale": 0},
                "components": [{"name": n, "age_s": y * 31557600, "life_used_frac": f, "p": .1, "state": s,
                                "last_event": {"kind": "replacement", "at": iso(NOW - timedelta(
                                    days=365 * y))}}
                               for n, y, f, s in [("DE bearing", 3.4, .92, "act"),
                                                  ("NDE bearing", 3.4, .74, "watch"),
                                                  ("Shaft seal", .4, .12, "normal"),
                                                  ("Coupling", 6.0, .51, "normal"),
                                                  ("Impeller", 2.2, None, "normal")]],
                "cost_by_date": {"currency": self.currency, "points": cost,
                                 "best": {"date": date(11), "cost": 13800},
                                 "next": {"date": date(25), "cost": 41500}},
                "window": {"earliest": date(9), "best": date(11), "latest": date(16),
                           "risk_by_best": .05, "risk_limit": .1},
                "sensors": [{"name": hostile if hostile and i == 1 else n, "unit": u, "role": "sensor",
                             "last": {"at": iso(NOW), "value": v}, "baseline": {"low": lo, "high": hi},
                             "telling": k} for i, (n, u, lo, hi, k, v) in enumerate(sensors)],
                "work": [w for w in self.orders.values() if w["asset"] == key],
                "similar": [{"asset": "P-2104", "at": "2025-03-04T00:00:00Z", "verdict": "right",
                             "text": "Bearing replaced after 12 d; inner race spalled"},
                            {"asset": "P-2109", "at": "2024-08-04T00:00:00Z", "verdict": "missed",
                             "text": "Failed after 21 d; 14 h stop"},
                            {"asset": "P-3302", "at": "2022-11-04T00:00:00Z", "verdict": "false_alarm",
                             "text": "Imbalance, no bearing fault"}]}

    def timeline(self, key):
        rows = [(-166, "replacement", "Seal replaced"), (-118, "inspection", "Inspected: good"),
                (-60, "inspection", "Inspected: good"), (-38, "work", "Greased"),
                (-21, "alarm", "Vibration high"), (-21, "alarm", "Vibration high"),
                (-20, "alarm", "Vibration high"), (-2, "model", "pumps-v12 promoted")]
        return {"items": [{"at": iso(NOW + timedelta(days=d)), "kind": k, "component": None, "code": "",
                           "text": HOSTILE if self.case == "hostile" else t} for d, k, t in rows]}

    def readings(self, q):
        start = datetime.fromisoformat(q["from"].replace("Z", "+00:00")) if "from" in q else \
            NOW - timedelta(days=365)
        end = min(NOW, datetime.fromisoformat(q["to"].replace("Z", "+00:00"))) if "to" in q else NOW
        n = min(int(q.get("points", 400)), 400)
        step = (end - start) / n
        level, noise, rise = {"vibration_mm_s": (1.9, .12, 3.6), "bearing_temp_degc": (58, 1.2, 4),
                              "motor_current_pct": (81, 2.5, -1)}.get(q.get("sensor"), (4, .2, 0))
        items = []
        for i in range(n + 1):
            t = start + step * i
            back = (NOW - t).total_seconds() / 86400
            if 83 < back < 90 or ("temp" in q.get("sensor", "") and 50 < back < 58):
                continue
            v = level + noise * (math.sin(i * 1.7) + math.sin(i * .61 + 1)) / 1.4
            if back < 24:
                v += rise * ((24 - back) / 24) ** 1.4
            items.append({"at": iso(t), "min": v - noise * .5, "max": v + noise * .5, "mean": v, "n": 12})
        return {"asset": q.get("asset"), "sensor": q.get("sensor"), "unit": None,
                "resolution": "hourly min\u2013max", "from": iso(start), "to": iso(end), "items": items}

    def schedule(self, q):
        if self.case == "empty":
            return {"answer": {"lead": "Nothing to plan.", "rest": ""}, "summary": {}, "items": [],
                    "crews": [], "stops": [], "not_placed": [], "changes": [], "drop": []}
        jobs = [("Mech A", "CV-1142", "oil, inspect", "predictive", 1, 16, 1),
                ("Mech A", "WO-4391", "repair", "corrective", 0, 22, 1),
                ("Mech A", "PR-01", "", "preventive", 4, 5, 0),
                ("Mech A", "PM2-VP-03", "seals", "predictive", 7, 24, 0),
                ("Mech A", "P-2107", "bearing", "predictive", 11, 6, 0),
                ("Mech A", "AGI-09", "gearbox", "predictive", 14, 22, 0),
                ("Mech A", "FAN-330", "balance", "predictive", 17, 9, 1),
                ("Mech A", "REF-02", "", "preventive", 14, 14, 0),
                ("Mech A", "REF-01", "plates", "preventive", 21, 20, 0),
                ("Mech B", "P-3302", "seal", "preventive", 0, 12, 0),
                ("Mech B", "P-2215", "", "preventive", 3, 12, 0),
                ("Mech B", "P-2109", "seal", "preventive", 2, 18, 0),
                ("Mech B", "CV-1120", "", "preventive", 7, 14, 0),
                ("Mech B", "CV-1131", "belt", "preventive", 8, 20, 0),
                ("Mech B", "HX-118", "", "preventive", 10, 14, 0),
                ("Mech B", "HX-118", "clean", "predictive", 21, 18, 0),
                ("Electrical", "C-0401", "sensors", "predictive", 0, 10, 1),
                ("Electrical", "MCC-4", "scan", "inspection", 2, 14, 0),
                ("Electrical", "DRV-12", "", "preventive", 7, 14, 0),
                ("Electrical", "PR-02", "", "preventive", 10, 9, 0),
                ("Lubrication", "Route 1", "34 points", "preventive", 0, 20, 0),
                ("Lubrication", "Route 2", "41 points", "preventive", 7, 20, 0),
                ("Lubrication", "Route 1", "34 points", "preventive", 14, 20, 0)]
        items = [{"key": f"WO-{4402 + i:05d}" if k == "predictive" else f"PM-{i:04d}", "asset": a,
                  "component": "bearing", "kind": k, "due": date(d), "earliest": date(max(0, d - 2)),
                  "latest": date(d + 5), "duration_h": h, "crew": c, "reason": "Vibration 2.7\u00d7 own "
                  "baseline", "risk_by_due": .049, "expected_cost": 13870, "title": f"{a} {t}".strip(),
                  "status": "draft" if a == "P-2107" else "scheduled", "work_order": "WO-04402"
                  if a == "P-2107" else None, "waiting_per_day": 1370 if k == "predictive" else None,
                  "pinned": bool(pin), "moves": None}
                 for i, (c, a, t, k, d, h, pin) in enumerate(jobs)]
        crews = []
        for name, skills, hours in [("Mech A", "bearings,gears", 8), ("Mech B", "pumps,belts", 8),
                                    ("Electrical", "drives,sensors", 8), ("Lubrication", "", 4)]:
            days = []
            for d in range(28):
                work = (d % 7) < 5
                away = name == "Electrical" and 24 <= d <= 25
                used = 0 if not work or away else min(hours, 3 + (d * 7 + len(name)) % 6)
                if name == "Mech A" and d == 11:
                    used = 9
                days.append({"date": date(d), "hours_used": used,
                             "hours_available": hours if work and not away else 0,
                             "note": "away" if away else None})
            crews.append({"name": name, "skills": skills, "days": days})
        return {"answer": {"lead": "Week 49 is full: nothing more fits before the 4 Dec stop.",
                           "rest": "Four changes since yesterday save \u20ac11,740."},
                "summary": {"expected_cost": 86400, "bound": 84900, "gap_frac": .018, "seconds": .7,
                            "days": 28, "predictive": 9, "preventive": 41, "other": 13, "placed": 63, "hours": 501, "hours_available": 642, "risk_left": 31200,
                            "risk_total": 184300, "not_placed": 2},
                "items": items, "crews": crews,
                "stops": [{"from": date(11) + "T00:00:00Z", "to": date(11) + "T22:00:00Z", "area": None,
                           "note": "stop"}, {"from": date(25) + "T00:00:00Z",
                                             "to": date(25) + "T22:00:00Z", "area": None, "note": "stop"}],
                "not_placed": [{"key": "WO-4410", "asset": "P-4410", "title": "Seal",
                                "why": "spare on 11 Jan"},
                               {"key": "WO-4411", "asset": "HX-120", "title": "Clean", "why": "no stop"}],
                "changes": [{"change": "moved", "title": "AGI-09 gearbox", "from": date(8), "to": date(14),
                             "why": "Room for PM2-VP-03: waiting costs 940 a day", "effect": -2100},
                            {"change": "added", "title": "PM2-VP-03 seals", "from": None, "to": date(7),
                             "why": "New case, risk 22 % in 30 days", "effect": -9400},
                            {"change": "cancelled", "title": "P-2107 PM greasing", "from": date(16),
                             "to": None, "why": "Covered by the bearing job of 4 Dec", "effect": -180},
                            {"change": "deferred", "title": "CV-1120 belt", "from": date(3), "to": date(7),
                             "why": "Belt inspected and tensioned on 20 Nov", "effect": -60}],
                "drop": [{"plan": "Belt inspection, bark conveyors", "every_s": 14 * 86400,
                          "why": "0 of 31 found wear", "saving_per_year": 4300},
                         {"plan": "Oil change, REF-03", "every_s": 90 * 86400, "why": "Hazard not rising",
                          "saving_per_year": 2900}]}

    def roi_input(self):
        rows = [("cost_per_hour", "Cost of a stopped hour", 8400, 3000, 14000, "currency/h", "typed",
                 "finance, 3 Sep"),
                ("failures_per_asset_year", "Failures per asset and year", .35, .28, .43, "1/year",
                 "history", "24 months"),
                ("hours_unplanned", "Stopped hours of a failure", 6.5, 4.1, 9.8, "h", "history", "n = 43"),
                ("recall", "Those seen in time", .54, .38, .68, "share", "model", "n = 26"),
                ("acted_share", "Warnings acted on", .8, .6, .95, "share", "default",
                 "benchmark, replace me: our own assumption"),
                ("false_alarms_per_year", "False alarms per year", 14, 9, 21, "1/year", "history",
                 "12 months"),
                ("inspection_cost", "Cost of a false alarm", 1150, 700, 1900, "currency", "typed",
                 "planner"),
                ("setup_sensors", "Sensors and network, once", 148000, 126000, 170000, "currency", "typed",
                 "quote 11 Oct"),
                ("running_support", "Support a year", 46000, 41000, 51000, "currency/year", "typed",
                 "IT, finance"),
                ("discount_rate", "Discount rate", .09, .07, .12, "1/year", "default",
                 "benchmark, replace me: our own assumption"),
                ("energy_saving", "Energy saved a year", 0, 0, 0, "currency/year", "default",
                 "left out: no measured figure")]
        return {"name": "site", "currency": self.currency, "years": 5, "ramp": [.3, .8, 1, 1, 1],
                "draws": 10000, "seed": 1, "inputs": {k: {
                    "value": v, "low": lo, "high": hi, "unit": u, "origin": o, "source": s, "label": n}
                    for k, n, v, lo, hi, u, o, s in rows}}

    def roi_result(self, body):
        x = {k: v["value"] if isinstance(v, dict) else v for k, v in body["inputs"].items()}
        k = x["cost_per_hour"] / 8400 * x["recall"] / .54
        flows = [-148, -12 * k, 226 * k, 262 * k, 268 * k, 268 * k]
        years, total = [], 0
        for i, v in enumerate(flows):
            disc = v * 1000 / 1.09 ** i
            total += disc
            years.append({"year": i, "failures_avoided": 0 if i == 0 else 300000 * k,
                          "false_alarms": 0 if i == 0 else -30000, "other_benefit": 0,
                          "running": -148000 if i == 0 else -46000, "tax": 0, "net": v * 1000,
                          "discounted": disc, "cumulative": total})
        npv = total
        cash = [{"year": y["year"], **{q: y["cumulative"] + f * y["year"] * 40000 for q, f in
                                       (("p10", -2.2), ("p25", -1), ("p50", 0), ("p75", 1),
                                        ("p90", 1.8))}} for y in years]
        tornado = [("cost_per_hour", 3000, 14000, -80000, 1300000), ("hours_unplanned", 4.1, 9.8, 205000,
                                                                    1130000),
                   ("recall", .38, .68, 285000, 870000), ("acted_share", .6, .95, 330000, 790000),
                   ("discount_rate", .12, .07, 530000, 660000), ("false_alarms_per_year", 21, 9, 540000,
                                                                 640000)]
        return {"answer": {"lead": "It very likely pays: 94 in 100 draws gain.",
                           "rest": "The answer hangs on one figure, the cost of a stopped hour; below "
                                   "\u20ac3,700 it loses money."},
                "currency": self.currency, "npv": npv, "irr": .8, "irr_note": None, "payback_years": 1.8,
                "discounted_payback_years": 1.84, "bcr": 2.7, "roi_frac": 1.7, "mirr": .4, "p_star": .0213,
                "flows": flows, "years": years, "p_npv_positive": .94,
                "percentiles": {"npv": {"p5": -14000, "p10": 147000, "p25": 330000, "p50": npv,
                                        "p75": 800000, "p90": 959000, "p95": 1100000},
                                "payback_years": {"p10": 1.3, "p50": 1.8, "p90": 3.2}, "cash": cash},
                "tornado": [{"input": n, "low_input": a, "high_input": b, "npv_low": c, "npv_high": d,
                             "spearman": .5} for n, a, b, c, d in tornado],
                "break_even": [{"input": "cost_per_hour", "value": 3700, "now": 8400,
                                "direction": "at_least"},
                               {"input": "recall", "value": .24, "now": .54, "direction": "at_least"},
                               {"input": "false_alarms_per_year", "value": 82, "now": 14,
                                "direction": "at_most"},
                               {"input": "acted_share", "value": .35, "now": .8,
                                "direction": "at_least"}],
                "formulas": [{"name": "NPV", "text": "sum CF_t / (1 + r)^t"},
                             {"name": "C_F", "text": "H_u * C_h * (1 - m) + R_u"}],
                "left_out": "Safety, quality and energy: no measured figure yet. Longer machine life: "
                            "would count a stop twice. Spare stock: unchanged in this case."}

    def models(self, q):
        if self.case == "empty":
            return []
        base = {"target": "failure", "horizon_s": 2592000, "created_at": iso(NOW - timedelta(days=1)),
                "until": iso(NOW), "seed": 1, "build": "0.1.0", "fingerprint": "9f2c" * 16,
                "sha256": "ab12" * 16, "features": [{"name": "vibration_mm_s.slope.long"}]}
        return [dict(base, id=12, **{"class": "pump"}, component="bearing", kind="gbdt", state="champion",
                     reason="beats age only: precision-recall area 0.412 against 0.109",
                     metrics={"pr_auc": .412, "brier": .057, "baseline": {"pr_auc": .109, "brier": .066}}),
                dict(base, id=11, **{"class": "pump"}, component="seal", kind="hazard_logit", state="off",
                     reason="does not beat age only: 0.101 against 0.109",
                     metrics={"pr_auc": .101, "baseline": {"pr_auc": .109}})]

    def runs(self, q):
        if self.case == "empty":
            return []
        return [{"id": 7, "kind": "retrain", "state": "done", "started": iso(NOW - timedelta(hours=3)),
                 "ended": iso(NOW - timedelta(hours=2, minutes=50)), "stage": "done", "done": 6, "total": 6}]

    def run(self, key):
        return dict(self.runs({})[0], report={
            "stages": [{"name": n, "seconds": s, "result": r} for n, s, r in
                       [("dataset", 41.2, "61,200 rows"), ("train", 402.7, "16 candidates"),
                        ("score", 22.1, "60 assets"), ("plan", 0.7, "63 jobs")]],
            "cores_used": 1.9, "peak_rss_bytes": 612 * 1048576, "rescored": 60, "planned": 63,
            "classes": [{"class": "pump", "target": "failure", "component": "bearing",
                         "champion": "gbdt", "challenger": "gbdt", "promoted": True,
                         "why": "Brier 0.061 \u2192 0.057"},
                        {"class": "compressor", "target": "failure", "component": "valve",
                         "champion": "weibull_age", "challenger": "gbdt", "promoted": False,
                         "why": "no better out of fold"}]})

    def imports(self, q):
        if self.case == "empty":
            return []
        return [{"id": 1, "file": "readings.csv", "kind": "readings", "started": iso(NOW), "ended": iso(NOW),
                 "rows": 1000, "new": 990, "unchanged": 8, "rejected": 2}]

    def quarantine(self, q):
        if self.case == "empty":
            return []
        return [{"id": 1, "import": 1, "file": "readings.csv", "line": 17, "column": "vibration",
                 "reason": "not a number: expected digits", "raw": "P-2107,2026-11-01T00:00Z,n/a",
                 "at": iso(NOW)}]

    def quality(self, q):
        if self.case == "empty":
            return {"classes": [], "quarantined": 0, "computed": iso(NOW)}
        model = {"component": "bearing", "failures": 5, "failures_with_telemetry": 4, "level": "age_only",
                 "missing": 6, "ready_about": iso(NOW + timedelta(days=200))}
        return {"quarantined": 1, "computed": iso(NOW), "classes": [{
            "class": "pump", "assets": 20, "sensors": 120, "readings": 1048559,
            "first": iso(NOW - timedelta(days=365)), "last": iso(NOW), "events": {"failure": 5},
            "failures": {"bearing": 5}, "models": [dict(model, component=None), model],
            "verdict": "4 failures with telemetry: age-only model; bearing model possible after about 6 more.",
            "readiness": [], "label_audit": {"failures": 5, "sentences": ["3 of 5 failures name no part: "
                                             "say which, models learn by part."]},
            "issues": {"stuck": 1}, "n_findings": 1, "summary": [], "strip": {
                "from": date(-59), "days": 60, "n_whole": 118, "n_more": 0, "sensors": [
                    {"asset": "P-2104", "sensor": "flow", "present": [100] * 60, "stuck": [50, 59]},
                    {"asset": "P-2107", "sensor": "bearing_temp_degc", "present": [None] * 9 + [100] * 20 + [40, 0, 0]
                     + [100] * 28, "stuck": None}]}, "findings": [
                {"kind": "stuck", "severity": "fault", "asset": "P-2104", "sensor": "flow",
                 "from": iso(NOW - timedelta(days=9)), "to": iso(NOW),
                 "text": "P-2104 flow: stuck at 154.6 for 9.0 days"}]}]}

    # --- life lab: a Weibull law of shape 2.8 and scale 250 days -----------------------------------

    def site_lives(self, q):
        if self.case == "empty":
            return {"as_of": iso(NOW), "currency": "EUR", "confidence": .9, "components": [], "stop": [],
                    "saving_per_year": 0, "hours_per_year": 0}
        part = {"class": HOSTILE if self.case == "hostile" else "pump", "component": "bearing", "assets": 20, "failures": 12,
                "censored": 31, "cost_planned": 5300, "cost_failure": 15380, "costs_are_defaults": False, "prior": None,
                "best_interval_d": 166, "saving_frac": .23, "verdict": "replace_at", "reason": "By age: every 166."}
        few = dict(part, component="seal", failures=1, best_interval_d=None, saving_frac=None, verdict=None)
        return {"as_of": iso(NOW), "currency": self.currency, "confidence": .9, "components": [part, few], "stop": [],
                "saving_per_year": 0, "hours_per_year": 0}

    def lives(self, body):
        shape, scale = 2.8, 250
        gone = body.get("drop") or []
        lives = [{"id": f"P-{2100 + i}@2026-0{1 + i % 9}-11", "asset": f"P-{2100 + i}", "ended": iso(NOW - timedelta(days=i)),
                  "time": 60 + 9 * i, "entry": 0, "failed": i % 3 == 1} for i in range(36)]
        for life in lives:
            life["dropped"] = life["id"] in gone
        kept = [x for x in lives if not x["dropped"]]
        n = sum(x["failed"] for x in kept)
        plain = {"class": body["class"], "component": body.get("component"), "currency": self.currency, "assets": 20,
                 "cost_planned": body.get("cost_planned", 5300), "cost_failure": body.get("cost_failure", 15380),
                 "costs_are_defaults": False, "prior": None, "lives": lives, "failures": n, "censored": len(kept) - n,
                 "by_asset": [{"asset": "P-2107", "failures": 3, "days": 461}], "n": len(kept)}
        if body.get("component") == "seal":
            return dict(plain, answer={"lead": "Too little is known to judge this part.", "rest": "1 failure in 60 lives: "
                                       "one failure cannot carry a fit."}, plot=None, distribution=None, mcf=[], laws=[],
                        hazard=[], cost=[], warnings=[])
        age = lambda p: scale * (-math.log(1 - p)) ** (1 / shape)
        y = lambda p: math.log(-math.log(1 - p))
        shares = [.001, .002, .005, .01, .02, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, .99, .999]
        ages = [5 * i for i in range(1, 81)]
        law = {"distribution": "weibull", "shape": shape, "scale": scale, "aic": 438.1, "bic": 442, "log_likelihood": -217,
               "anderson_darling": .41}
        return dict(plain, **law, answer={"lead": "Replace at 166 d: saves 23 %.", "rest": f"{n} failures."}, location=None,
                    ci={"confidence": .9, "shape": [2.2, 3.4], "scale": [229, 281]}, warnings=["few failures"],
                    optimal_interval=166, cost_rate=52, flat=[127, 219], run_rate=68,
                    laws=[law, dict(law, distribution="gumbel", shape=None, location=271, aic=447.3),
                          {"distribution": "lognormal", "error": "no peak of the likelihood"}],
                    hazard=[{"time": t, "hazard": shape / scale * (t / scale) ** (shape - 1), "low": .7 * shape / scale
                             * (t / scale) ** (shape - 1), "high": 1.5 * shape / scale * (t / scale) ** (shape - 1)} for t in ages],
                    cost=[{"interval": t, "rate": 52 + 9000 * (1 / t - 1 / 166) ** 2 * 100} for t in ages],
                    mcf=[{"time": 60.0 * i, "n_risk": 7, "mean": .3 * i, "lower": .2 * i, "upper": .4 * i} for i in range(1, 8)],
                    plot={"paper": {"distribution": "weibull", "x_scale": "log",
                                    "points": [{"time": age(p), "failed_frac": p, "x": 0, "y": y(p)} for p in (.03, .1, .3, .6, .9)],
                                    "line": [{"failed_frac": p, "time": age(p), "lower": .8 * age(p), "upper": 1.2 * age(p),
                                              "x": math.log(age(p)), "y": y(p)} for p in shares]},
                          "contour": {"confidence": .9, "first": "shape", "second": "scale", "points": [
                              [2.8 + .6 * math.cos(k / 5), 250 + 26 * math.sin(k / 5)] for k in range(31)]}})

    def ledger(self, q):
        if self.case == "empty":
            return []
        return [{"id": i, "asset": "P-2104", "component": "bearing", "model": 12,
                 "as_of": iso(NOW - timedelta(days=40 + i)), "horizon_s": 2592000, "p": p, "outcome": o,
                 "decided_at": o and iso(NOW - timedelta(days=9))}
                for i, (p, o) in enumerate([(.41, "failed"), (.33, "failed"), (.28, "survived"),
                                            (.03, "failed"), (.02, "survived"), (.24, None)])]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    data = None

    def log_message(self, *a):
        pass

    def reply(self, status, body, ctype="application/json", headers=()):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", ctype)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(raw)

    def problem(self, status, title, detail=""):
        self.reply(status, {"type": "about:blank", "title": title, "status": status, "detail": detail,
                            "instance": "req-17"}, "application/problem+json")

    def file(self, path):
        if path.is_file():
            self.reply(200, path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"))
        else:
            self.problem(404, "Not found")

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        q = dict(urllib.parse.parse_qsl(parts.query))
        path = parts.path
        if path == "/static/dygraph.min.js":
            return self.file(DYGRAPHS)
        if path.startswith("/static/"):
            return self.file(STATIC / pathlib.PurePosixPath(path).name)
        if not path.startswith("/api/v1/"):
            return self.file(STATIC / "index.html")
        return self.api([urllib.parse.unquote(p) for p in path.split("/")[3:]], q)

    def api(self, p, q):
        d = self.data
        lists = {"models": d.models, "runs": d.runs, "ledger": d.ledger,
                 "work-orders": lambda q: list(d.orders.values()), "keys": lambda q: [],
                 "webhooks": lambda q: [], "imports": d.imports, "quarantine": d.quarantine,
                 "forecasts": d.forecasts}
        plain = {"site": d.site, "assets": d.list_assets, "kpi": d.kpi, "readings": d.readings,
                 "schedule": d.schedule, "quality": d.quality, "cases": d.list_cases}
        if len(p) == 1 and p[0] in plain:
            return self.reply(200, plain[p[0]](q))
        if len(p) == 1 and p[0] in lists:
            return self.reply(200, {"items": lists[p[0]](q), "next_cursor": None})
        if p == ["roi"]:
            i = d.roi_input()
            return self.reply(200, {"input": i, "result": d.roi_result(i)})
        found = None
        if len(p) >= 2 and p[0] == "assets":
            found = d.timeline(p[1]) if p[2:] == ["timeline"] else d.asset(p[1])
        elif len(p) == 2 and p[0] == "work-orders":
            found = d.orders.get(p[1])
        elif p == ["models", "life"]:
            found = d.site_lives(q)
        elif len(p) == 2 and p[0] == "models":
            found = next((m for m in d.models({}) if str(m["id"]) == p[1]), None)
        elif len(p) == 2 and p[0] == "runs":
            found = d.run(p[1])
        elif len(p) >= 2 and p[0] == "cases":
            found = d.cases.get(int(p[1]))
            found = d.waiting_cost(found) if found and p[2:] == ["waiting-cost"] else found
        if found is None:
            return self.problem(404, "Not found", f"there is no {'/'.join(p)}")
        tag = [("ETag", f'"{found["version"]}"')] if "version" in found else []
        return self.reply(200, found, headers=tag)

    def body(self):
        n = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(n) or b"{}")

    def is_allowed(self):
        return self.headers.get("Authorization") == f"Bearer {KEY}"

    def do_POST(self):
        path = [urllib.parse.unquote(p) for p in self.path.split("?")[0].split("/")[3:]]
        body = self.body()
        if path == ["roi"]:
            return self.reply(200, self.data.roi_result(body))
        if path == ["models", "life"]:
            return self.reply(200, self.data.lives(body))
        if not self.is_allowed():
            return self.problem(401, "Key needed", "send a key: Authorization: Bearer …")
        if len(path) == 3 and path[0] == "work-orders" and path[2] == "outcome":
            w = self.data.orders[path[1]]
            w.update(status="closed", outcome=body["outcome"], ended=iso(NOW))
            w["version"] += 1
            return self.reply(201, w)
        return self.reply(202, {"id": 8}, headers=[("Location", "/api/v1/runs/8")])

    def do_PATCH(self):
        path = [urllib.parse.unquote(p) for p in self.path.split("/")[3:]]
        body = self.body()
        if not self.is_allowed():
            return self.problem(401, "Key needed", "send a key")
        w = self.data.cases[int(path[1])] if path[0] == "cases" else self.data.orders[path[1]]
        if self.headers.get("If-Match") != f'"{w["version"]}"':
            return self.problem(412, "Changed meanwhile")
        if path[0] == "cases":
            self.data.decide(w, body)
        else:
            w.update(body)
            w["version"] += 1
        return self.reply(200, w, headers=[("ETag", f'"{w["version"]}"')])


def start(case="plain", port=0):
    """Serves in a thread; returns (server, base address). server.shutdown() ends it."""
    handler = type("CaseHandler", (Handler,), {"data": Data(case)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


if __name__ == "__main__":
    _, base = start(sys.argv[2] if len(sys.argv) > 2 else "plain",
                    int(sys.argv[1]) if len(sys.argv) > 1 else 8099)
    print(base, flush=True)
    threading.Event().wait()
