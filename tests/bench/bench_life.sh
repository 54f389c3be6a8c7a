#!/bin/bash
# A thousand components: every distribution, limits, best age; then with resampled limits.
set -u
"$(dirname "$1")/bench/bench_life" 1000 50 2 100
