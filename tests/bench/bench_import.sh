#!/bin/bash
# Import of a wide CSV, 1,000,000 rows and 10 sensors, against the sqlite3 shell's .import of the same
# file: both on a fresh database, one after the other, RUNS times. Prints the median seconds and the
# ratio of each pair. Usage: bench_import.sh FETTLE [ROWS] [RUNS]
set -eu
fettle=${1:?path of the fettle program}
rows=${2:-1000000}
runs=${3:-5}
dir=$(mktemp -d "${TMPDIR:-/tmp}/fettle-bench-import.XXXXXX")
trap 'rm -rf "$dir"' EXIT
/usr/bin/python3 - "$dir/wide.csv" "$rows" <<'PY'
"""100 machines, one reading a minute, ten sensors with 2 to 5 decimals; seed 1, so the same file
every time."""
import random
import sys
import time
path, rows = sys.argv[1], int(sys.argv[2])
rng = random.Random(1)
per_asset = max(1, rows // 100)
level = [20, 400, 100, 40, 1.5, 60, 5, 900, 0.3, 12]
digits = [2, 3, 3, 4, 4, 2, 5, 2, 4, 3]
with open(path, "w") as f:
    f.write("asset,time," + ",".join(f"sensor_{k}" for k in range(10)) + "\n")
    for i in range(rows):
        asset, minute = divmod(i, per_asset)
        t = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1735689600 + 60 * minute))
        f.write(f"pump-{asset:03d},{t}," + ",".join(
            f"{level[k] * (1 + 0.1 * rng.gauss(0, 1)):.{digits[k]}f}" for k in range(10)) + "\n")
PY
now() { /usr/bin/python3 -c 'import time; print(time.monotonic())'; }
sync
for i in $(seq "$runs"); do
    rm -f "$dir"/*.db*
    a=$(now)
    "$fettle" import readings "$dir/wide.csv" --db "$dir/fettle.db" >/dev/null 2>&1
    b=$(now)
    sqlite3 "$dir/plain.db" ".import --csv $dir/wide.csv readings"
    c=$(now)
    echo "$a $b $c" >>"$dir/times"
done
size() { stat -c %s "$1"; }
/usr/bin/python3 - "$dir/times" "$rows" "$(size "$dir/wide.csv")" "$(size "$dir/fettle.db")" "$(size "$dir/plain.db")" <<'PY'
import statistics
import sys
runs = [tuple(map(float, line.split())) for line in open(sys.argv[1])]
ours = [b - a for a, b, c in runs]
theirs = [c - b for a, b, c in runs]
ratio = [t / o for o, t in zip(ours, theirs)]
rows, csv, a, b = map(int, sys.argv[2:6])
mib = 1 << 20
print(f"import of {rows:,} rows x 10 sensors, {csv / mib:.0f} MiB of CSV, {len(runs)} interleaved runs")
print(f"  fettle import   {statistics.median(ours):6.2f} s  (min {min(ours):.2f}, max {max(ours):.2f})"
      f"  {rows * 10 / statistics.median(ours) / 1e6:.1f} M readings/s, file {a / mib:.0f} MiB")
print(f"  sqlite3 .import {statistics.median(theirs):6.2f} s  (min {min(theirs):.2f}, max {max(theirs):.2f})"
      f"  file {b / mib:.0f} MiB")
print(f"  ratio           {statistics.median(ratio):6.2f}    (min {min(ratio):.2f}, max {max(ratio):.2f}); over 1: fettle is faster")
PY
echo "import killed at random moments"
root=$(cd "$(dirname "$0")/../.." && pwd)
FETTLE=$(realpath "$fettle") FETTLE_ROOT=$root FETTLE_KILLS=${FETTLE_KILLS:-200} \
    PYTHONPATH=$root/tests/cli /usr/bin/python3 -m unittest -k test_kill_9_at_random test_import 2>&1 | tail -3
