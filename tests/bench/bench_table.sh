#!/bin/bash
# Reading a CSV table of 200,000 rows x 50 columns for `fettle fit`, on one thread and on two.
# Usage: bench_table.sh FETTLE
set -eu
bench=$(dirname "${1:?path of the fettle program}")/bench/bench_table
"$bench" 200000 50 1 5
"$bench" 200000 50 2 5
