#!/bin/bash
# The anomaly that needs no labels, against the truth of the demo plant. Developed on seeds 1 to 3, reported on 4 to 8.
# Usage: bench_anomaly.sh FETTLE [FIRST_SEED] [LAST_SEED] [DAYS_TO_LEARN_FROM]
set -eu
fettle=${1:?path of the fettle program}
"$(dirname "$fettle")/bench/bench_anomaly" "${2:-4}" "${3:-8}" "${4:-60}"
