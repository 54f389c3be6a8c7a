#!/bin/bash
# Cox and AFT regression, 100,000 x 20: ours and R's survival in turn, medians of RUNS (5) each.
set -eu
cd "$(dirname "$0")/../.."
build=$(dirname "${1:-build/fettle}")
runs=${RUNS:-5}
if ! Rscript -e 'library(survival)' >/dev/null 2>&1; then
    echo "bench_survival: skipped, Rscript with the package survival is not installed"
    exit 0
fi
data=$(mktemp) out=$(mktemp)
trap 'rm -f "$data" "$out"' EXIT
"$build/bench/bench_survival" write "$data"
echo "Cox and AFT, 100,000 rows x 20 columns, seconds of a fit; R survival $(Rscript -e 'cat(as.character(packageVersion("survival")))')"
printf '%-12s %8s %8s %8s %18s %14s\n' model ours R ratio "ratios" "loglik differs"
for model in cox weibull lognormal loglogistic; do
    : >"$out"
    for _ in $(seq "$runs"); do
        echo "$("$build/bench/bench_survival" $model) $(Rscript tests/bench/bench_survival.R "$data" $model)" >>"$out"
    done
    /usr/bin/python3 - "$model" "$out" <<'PY'
import statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[2])]
ratios = sorted(r[0] / r[3] for r in rows)
print("%-12s %8.3f %8.3f %8.2f %18s %14.1e" % (
    sys.argv[1], statistics.median(r[0] for r in rows), statistics.median(r[3] for r in rows),
    statistics.median(ratios), "%.2f to %.2f" % (ratios[0], ratios[-1]), abs(rows[0][1] - rows[0][4])))
PY
done
