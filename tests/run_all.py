#!/usr/bin/env python3
"""Runs every test and ends with one line: N passed, N failed, N skipped.

Unit tests are cmocka programs under BUILD/unit, read by their TAP output. The others are unittest
modules under tests/cli, tests/api and tests/browser that drive the real program, whose path they
find in $FETTLE. Words after the flags select by substring of "folder/file"."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("cli", "api", "browser")
# With ThreadSanitizer only what uses threads is worth its time.
THREADED = re.compile(r"unit/test_(pool|gbdt|validate|train|dataset|features|ingest|import|writer|"
                      r"reading_store|model|night|server|sender|outbox)|cli/test_(import|learn)|api/")


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def fail(self, name, text):
        self.failed += 1
        self.failures.append(name)
        print(f"FAIL {name}\n{text}\n", flush=True)


def run(cmd, env, timeout):
    try:
        return subprocess.run(cmd, cwd=ROOT, env=env, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired as e:
        text = e.stdout.decode(errors="replace") if isinstance(e.stdout, bytes) else e.stdout or ""
        return subprocess.CompletedProcess(cmd, 124, text + f"\ntimed out after {timeout} s")


def run_unit(path, env, totals):
    done = run([str(path)], dict(env, CMOCKA_MESSAGE_OUTPUT="TAP"), 600)
    ok = len(re.findall(r"^ok \d+(?!.*# SKIP)", done.stdout, re.M))
    skipped = len(re.findall(r"^(?:not )?ok \d+.*# SKIP", done.stdout, re.M))
    bad = len(re.findall(r"^not ok \d+(?!.*# SKIP)", done.stdout, re.M))
    totals.passed += ok
    totals.skipped += skipped
    for line in re.findall(r"^SKIP: .*", done.stdout, re.M):
        print(f"  {path.name}: {line}")
    if bad or done.returncode != 0 or ok + skipped == 0:
        totals.fail(path.name, done.stdout[-6000:])
        totals.failed += max(0, bad - 1)


def run_module(path, env, totals):
    done = run([sys.executable, "-m", "unittest", "-v", str(path.relative_to(ROOT))], env, 1800)
    ok = len(re.findall(r"\.\.\. ok$|^ok$", done.stdout, re.M))
    skips = re.findall(r"^.*\.\.\. (skipped .*)$", done.stdout, re.M)
    bad = len(re.findall(r"^(?:FAIL|ERROR): ", done.stdout, re.M))
    totals.passed += ok
    totals.skipped += len(skips)
    for text in skips:
        print(f"  {path.name}: {text}")
    if bad or done.returncode != 0:
        totals.fail(str(path.relative_to(ROOT)), done.stdout[-8000:])
        totals.failed += max(0, bad - 1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--sanitized", action="store_true", help="no browser tests")
    p.add_argument("--threads-only", action="store_true", help="only tests that use threads")
    p.add_argument("--only", choices=("unit",) + FOLDERS, action="append")
    p.add_argument("words", nargs="*")
    a = p.parse_args()
    build = (ROOT / a.build).resolve()
    env = dict(os.environ, FETTLE=str(build / "fettle"), FETTLE_ROOT=str(ROOT),
               PYTHONPATH=str(ROOT / "tests"), PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1",
               FETTLE_SANITIZED="1" if a.sanitized else "",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
               UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
               TSAN_OPTIONS=f"halt_on_error=1:suppressions={ROOT}/tests/tsan.supp")
    jobs = [("unit", q) for q in sorted((build / "unit").glob("test_*")) if q.suffix == ""]
    for folder in FOLDERS:
        jobs += [(folder, q) for q in sorted((ROOT / "tests" / folder).glob("test_*.py"))]
    totals = Totals()
    for kind, path in jobs:
        name = f"{kind}/{path.name}"
        if a.only and kind not in a.only or a.words and not any(w in name for w in a.words):
            continue
        if a.sanitized and kind == "browser":
            continue
        if a.threads_only and not THREADED.search(name):
            continue
        start = time.monotonic()
        before = totals.passed
        (run_unit if kind == "unit" else run_module)(path, env, totals)
        print(f"{name}: {totals.passed - before} passed, {time.monotonic() - start:.1f} s",
              flush=True)
    if totals.failures:
        print("failed:", " ".join(totals.failures))
    if totals.passed + totals.failed == 0:
        print("no test ran")
        totals.failed = 1
    line = f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped"
    print(line)
    if build.is_dir():
        (build / "test-summary").write_text(line + "\n")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
