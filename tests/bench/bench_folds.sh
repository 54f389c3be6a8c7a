#!/bin/bash
# Cross-validated search beside its peers, see bench_folds.py. Usage: bench_folds.sh FETTLE [ROWS [RUNS]]
exec /usr/bin/python3 "$(dirname "$0")/bench_folds.py" "$@"
