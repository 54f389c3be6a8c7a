#!/bin/bash
# The planner: against proven optima, on 2,000 jobs, a simulated year of the demo plant under four ways to
# maintain it, and a year in a closed loop with the whole program (some minutes a seed).
# Usage: bench_plan.sh FETTLE [PROBLEMS] [SECONDS] [SEEDS] [CLOSED_LOOP_SEEDS]
set -eu
fettle=${1:?path of the fettle program}
bench=$(dirname "$fettle")/bench
"$bench/bench_assign" "${2:-50}" "${3:-20}"
"$bench/bench_policy" "${4:-20}"
"$bench/bench_year" "${5:-2}"
