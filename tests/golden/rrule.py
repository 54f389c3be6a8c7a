#!/usr/bin/env python3
"""Occurrence lists of recurrence rules: python3-dateutil 2.8.2. Writes tests/golden/rrule.h.
The rules are those that app/planner/rrule.c supports; days are counted from 1970-01-01."""
import datetime
import pathlib
import random
from dateutil.rrule import rrulestr

EPOCH = datetime.datetime(1970, 1, 1)
FIXED = [
    ("FREQ=DAILY", "2026-03-27"), ("FREQ=DAILY;INTERVAL=10;COUNT=30", "2024-02-20"),
    ("FREQ=DAILY;BYMONTH=1,7;BYDAY=MO", "2026-01-01"),
    ("FREQ=DAILY;UNTIL=20260401", "2026-03-20"),
    ("FREQ=WEEKLY", "2026-10-19"), ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2026-10-21"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU;COUNT=9", "1997-08-05"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO;COUNT=9", "1997-08-05"),
    ("FREQ=MONTHLY", "2026-01-31"), ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31"),
    ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-15"), ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15,-2", "2026-02-01"),
    ("FREQ=MONTHLY;BYDAY=1MO", "2026-01-01"), ("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01"),
    ("FREQ=MONTHLY;BYDAY=5WE", "2026-01-01"), ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01"),
    ("FREQ=MONTHLY;INTERVAL=6;BYDAY=2TU;COUNT=20", "2026-03-10"),
    ("FREQ=YEARLY", "2024-02-29"), ("FREQ=YEARLY;INTERVAL=4", "2024-02-29"),
    ("FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", "2026-01-01"), ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19"),
    ("FREQ=YEARLY;BYDAY=-1SU", "2026-01-01"), ("FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1,15,-1", "2026-06-01"),
    ("FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2", "2026-01-01"), ("FREQ=YEARLY;BYDAY=MO;BYMONTH=11", "2026-11-02"),
    ("FREQ=YEARLY;BYMONTH=5", "2026-05-31"), ("FREQ=YEARLY;UNTIL=20400101T000000", "2020-12-25"),
]


def drawn(rng):
    freq = rng.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = ["FREQ=" + freq]
    if rng.random() < .6:
        parts.append(f"INTERVAL={rng.randint(1, 7)}")
    if rng.random() < .3:
        parts.append("BYMONTH=" + ",".join(str(m) for m in sorted(rng.sample(range(1, 13), rng.randint(1, 4)))))
    if freq in ("MONTHLY", "YEARLY") and rng.random() < .4:
        parts.append("BYMONTHDAY=" + ",".join(str(d) for d in rng.sample([*range(1, 32), *range(-31, 0)], rng.randint(1, 3))))
    if rng.random() < .5:
        number = freq in ("MONTHLY", "YEARLY") and rng.random() < .6
        parts.append("BYDAY=" + ",".join((str(rng.choice([1, 2, 3, 4, -1, -2])) if number else "") + d
                                         for d in rng.sample(["MO", "TU", "WE", "TH", "FR", "SA", "SU"], rng.randint(1, 3))))
    if rng.random() < .3:
        parts.append("WKST=" + rng.choice(["SU", "MO", "TH"]))
    if rng.random() < .2:
        parts.append(f"COUNT={rng.randint(1, 60)}")
    day = datetime.date(2020, 1, 1) + datetime.timedelta(days=rng.randint(0, 4000))
    return ";".join(parts), day.isoformat()


def main():
    rng = random.Random(5545)
    cases = FIXED + [drawn(rng) for _ in range(150)]
    out = ["/* Made by tests/golden/rrule.py with python3-dateutil 2.8.2: do not edit. */",
           "static const struct {", "    const char *rule;", "    int64_t start, until; /* days */",
           "    size_t n;", "    uint64_t sum; /* FNV-1a of all days */", "    int64_t days[4]; /* the first */",
           "} rrule_golden[] = {"]
    for rule, start in cases:
        begin = datetime.datetime.fromisoformat(start)
        end = datetime.datetime(2041, 1, 1)
        days = [(d - EPOCH).days for d in rrulestr(rule, dtstart=begin).between(begin, end, inc=True) if d < end]
        h = 1469598103934665603
        for d in days:
            h = ((h ^ d) * 1099511628211) % 2 ** 64
        head = ", ".join(str(d) for d in days[:4])
        out.append(f'    {{"{rule}", {(begin - EPOCH).days}, {(end - EPOCH).days}, {len(days)}, '
                   f'{h}ULL, {{{head or 0}}}}},')
    out.append("};")
    pathlib.Path(__file__).with_name("rrule.h").write_text("\n".join(out) + "\n")


main()
