#!/bin/bash
# The tree trainer against Debian's XGBoost and scikit-learn, interleaved (bench_trainer.py has the
# data and the rules). Usage: bench_trainer.sh FETTLE [options of bench_trainer.py]
set -eu
fettle=${1:?path of the fettle program}
shift
exec /usr/bin/python3 "$(dirname "$0")/bench_trainer.py" "$(dirname "$fettle")/bench/bench_trainer" "$@"
