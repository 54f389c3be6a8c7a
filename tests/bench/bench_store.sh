#!/bin/bash
# The store of readings: bytes of the whole file for each reading on real data and on the demo plant,
# speed of the codec and of a range scan, 2,000 simulated power cuts.
# Usage: bench_store.sh FETTLE; FETTLE_DATA is the folder of the data sets, FETTLE_POWER_CUTS the number.
set -eu
fettle=${1:?path of the fettle program}
data=${FETTLE_DATA:-}
build=$(dirname "$fettle")
dir=$(mktemp -d "${TMPDIR:-/tmp}/fettle-bench-store.XXXXXX")
trap 'rm -rf "$dir"' EXIT
size() { # NAME FILE, the file closed, nothing beside it
    local n bytes empty
    n=$(sqlite3 "$2" "SELECT sum(n) FROM reading_block")
    bytes=$(stat -c %s "$2")
    empty=$(stat -c %s "$dir/empty.db")
    /usr/bin/python3 -c "
name, n, size, empty = '$1', $n, $bytes, $empty
print(f'  {name:30} {n:>10,} readings, {size / n:.2f} bytes each, everything counted; {(size - empty) / n:.2f} without what an empty file takes ({empty:,} bytes)')"
}
printf 'asset,time,x\n' >"$dir/empty.csv"
"$fettle" import readings "$dir/empty.csv" --db "$dir/empty.db" >/dev/null 2>&1 || true
echo "size of the file"
if [ -n "$data" ] && [ -d "$data/cmapss" ]; then
    "$fettle" import cmapss --train "$data/cmapss/train_FD002.txt.gz" --test "$data/cmapss/test_FD002.txt.gz" \
        --rul "$data/cmapss/RUL_FD002.txt" --class turbofan --db "$dir/fd002.db" >/dev/null 2>&1
    size "C-MAPSS FD002" "$dir/fd002.db"
    "$fettle" import readings "$data/azure_pdm/PdM_telemetry_m001-020_2015q1.csv.gz" --class machine \
        --db "$dir/azure.db" >/dev/null 2>&1
    size "Azure telemetry, 20 machines" "$dir/azure.db"
else
    echo "  real data skipped: set FETTLE_DATA to the folder of the data sets"
fi
"$fettle" demo --db "$dir/demo.db" >/dev/null 2>&1
size "demo plant, models included" "$dir/demo.db"
echo "codec, processor time"
"$build/bench/bench_segment" | sed 's/^/  /'
echo "range scan and chart, from cache"
"$build/bench/bench_scan"
echo "power cuts"
make --no-print-directory BUILD="$build" "$build/unit/test_db_power" >/dev/null
FETTLE_POWER_CUTS=${FETTLE_POWER_CUTS:-2000} "$build/unit/test_db_power" | grep "power cuts,"
