#!/usr/bin/env python3
"""Runs every test and ends with one line: N passed, N failed, N skipped.

Unit tests are cmocka programs under BUILD/unit, read by their TAP output. The others are unittest
modules under tests/cli, tests/api and tests/browser that drive the real program, whose path they
find in $FETTLE. As many programs run side by side as there are cores, each with folders and ports of
its own; the slowest kinds start first. Words after the flags select by substring of "folder/file"."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("cli", "api", "browser")
# With ThreadSanitizer only what uses threads is worth its time.
THREADED = re.compile(r"unit/test_(pool|gbdt|validate|table_rows|train|dataset|features|ingest|import|writer|"
                      r"reading_store|model|night|server|sender|outbox|life_decide|bootstrap|importance|live|commit_behind)|cli/test_(import|learn)|api/")


class Outcome:
    """What one test program came to; the text is printed when it has ended."""

    def __init__(self, name):
        self.name, self.passed, self.failed, self.skipped, self.lines = name, 0, 0, 0, []

    def close(self, ok, bad, skipped, returncode, output):
        self.passed, self.skipped = ok, skipped
        if bad or returncode != 0 or ok + skipped == 0:
            self.failed = max(1, bad)
            self.lines.append(f"FAIL {self.name}\n{output}\n")
        return self


def run(cmd, env, timeout):
    try:
        return subprocess.run(cmd, cwd=ROOT, env=env, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired as e:
        text = e.stdout.decode(errors="replace") if isinstance(e.stdout, bytes) else e.stdout or ""
        return subprocess.CompletedProcess(cmd, 124, text + f"\ntimed out after {timeout} s")


def run_unit(name, path, env):
    out = Outcome(name)
    done = run([str(path)], dict(env, CMOCKA_MESSAGE_OUTPUT="TAP"), 900)
    ok = len(re.findall(r"^ok \d+(?!.*# SKIP)", done.stdout, re.M))
    skipped = len(re.findall(r"^(?:not )?ok \d+.*# SKIP", done.stdout, re.M))
    bad = len(re.findall(r"^not ok \d+(?!.*# SKIP)", done.stdout, re.M))
    out.lines += [f"  {path.name}: {text}" for text in re.findall(r"^SKIP: .*", done.stdout, re.M)]
    return out.close(ok, bad, skipped, done.returncode, done.stdout[-6000:])


def run_module(name, path, env):
    out = Outcome(name)
    done = run([sys.executable, "-m", "unittest", "-v", str(path.relative_to(ROOT))], env, 1800)
    ok = len(re.findall(r"\.\.\. ok$|^ok$", done.stdout, re.M))
    skips = re.findall(r"^.*\.\.\. (skipped .*)$", done.stdout, re.M)
    bad = len(re.findall(r"^(?:FAIL|ERROR): ", done.stdout, re.M))
    out.lines += [f"  {path.name}: {text}" for text in skips]
    return out.close(ok, bad, len(skips), done.returncode, done.stdout[-8000:])


def timed(kind, name, path, env):
    start = time.monotonic()
    out = (run_unit if kind == "unit" else run_module)(name, path, env)
    out.lines.append(f"{name}: {out.passed} passed, {time.monotonic() - start:.1f} s")
    return out


def chosen(a, build):
    """The programs to run: browser, api, cli, then unit, so that the long ones do not end last."""
    jobs = []
    for folder in reversed(FOLDERS):
        jobs += [(folder, q) for q in sorted((ROOT / "tests" / folder).glob("test_*.py"))]
    jobs += [("unit", q) for q in sorted((build / "unit").glob("test_*")) if q.suffix == ""]
    for kind, path in jobs:
        name = f"{kind}/{path.name}"
        if a.only and kind not in a.only or a.words and not any(w in name for w in a.words):
            continue
        if a.sanitized and kind == "browser":
            continue
        if a.threads_only and not THREADED.search(name):
            continue
        yield kind, name, path


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--sanitized", action="store_true", help="no browser tests")
    p.add_argument("--threads-only", action="store_true", help="only tests that use threads")
    p.add_argument("--only", choices=("unit",) + FOLDERS, action="append")
    p.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("words", nargs="*")
    a = p.parse_args()
    build = (ROOT / a.build).resolve()
    env = dict(os.environ, FETTLE=str(build / "fettle"), FETTLE_ROOT=str(ROOT),
               PYTHONPATH=str(ROOT / "tests"), PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1",
               FETTLE_SANITIZED="1" if a.sanitized else "",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
               UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
               TSAN_OPTIONS=f"halt_on_error=1:suppressions={ROOT}/tests/tsan.supp")
    passed = failed = skipped = 0
    failures = []
    with concurrent.futures.ThreadPoolExecutor(max(1, a.jobs)) as pool:
        runs = [pool.submit(timed, kind, name, path, env) for kind, name, path in chosen(a, build)]
        for done in concurrent.futures.as_completed(runs):
            out = done.result()
            passed, failed, skipped = (passed + out.passed, failed + out.failed,
                                       skipped + out.skipped)
            failures += [out.name] if out.failed else []
            print("\n".join(out.lines), flush=True)
    if failures:
        print("failed:", " ".join(sorted(failures)))
    if passed + failed == 0:
        print("no test ran")
        failed = 1
    line = f"{passed} passed, {failed} failed, {skipped} skipped"
    print(line)
    if build.is_dir():
        (build / "test-summary").write_text(line + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
