#!/bin/bash
# Runs every fuzz target for the given seconds from its corpus and regression inputs; fails on a crash.
set -u
build=$1
seconds=$2
bad=0
for target in "$build"/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    case $target in *.d) continue ;; esac
    name=${target##*/fuzz_}
    work=$build/work/$name
    mkdir -p "$work" "tests/fuzz/corpus/$name" "tests/fuzz/regression/$name"
    printf '  FUZZ   %s, %s s\n' "$name" "$seconds"
    if ! (cd "$work" && "$OLDPWD/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        "$OLDPWD/$work" "$OLDPWD/tests/fuzz/corpus/$name" "$OLDPWD/tests/fuzz/regression/$name" \
        >"$OLDPWD/$build/$name.log" 2>&1); then
        tail -40 "$build/$name.log"
        echo "CRASH in $name: the input is in $work; keep it in tests/fuzz/regression/$name"
        bad=1
    fi
done
[ $bad = 0 ] && echo 'fuzz: no crash'
exit $bad
