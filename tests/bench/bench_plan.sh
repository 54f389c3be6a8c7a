#!/bin/bash
# The planner: against proven optima, on 2,000 jobs, and a simulated year of the demo plant under four
# ways to maintain it. Usage: bench_plan.sh FETTLE [PROBLEMS] [SECONDS] [SEEDS]
set -eu
fettle=${1:?path of the fettle program}
bench=$(dirname "$fettle")/bench
"$bench/bench_assign" "${2:-50}" "${3:-20}"
"$bench/bench_policy" "${4:-20}"
