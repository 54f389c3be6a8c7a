#!/bin/bash
# The planner against proven optima and on 2,000 jobs. Usage: bench_plan.sh FETTLE [PROBLEMS] [SECONDS]
set -eu
fettle=${1:?path of the fettle program}
exec "$(dirname "$fettle")/bench/bench_assign" "${2:-50}" "${3:-20}"
