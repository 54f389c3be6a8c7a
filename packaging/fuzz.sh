#!/bin/bash
# Runs every fuzz target for the given seconds from its corpus and regression inputs; fails on a crash.
set -u
build=$1
seconds=$2
export build seconds
# One process per core: the targets do not touch each other's folders.
fuzz_one() {
    local target=$1 name work log
    name=${target##*/fuzz_}
    work=$build/inputs/$name
    log=$build/$name.log
    mkdir -p "$work" "tests/fuzz/corpus/$name" "tests/fuzz/regression/$name"
    printf '  FUZZ   %s, %s s\n' "$name" "$seconds"
    if ! (cd "$work" && "$OLDPWD/$target" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        "$OLDPWD/$work" "$OLDPWD/tests/fuzz/corpus/$name" "$OLDPWD/tests/fuzz/regression/$name" \
        >"$OLDPWD/$log" 2>&1); then
        tail -40 "$log"
        echo "CRASH in $name: the input is in $work; keep it in tests/fuzz/regression/$name"
        return 1
    fi
}
export -f fuzz_one
targets=()
for target in "$build"/fuzz_*; do
    case $target in *.d) continue ;; esac
    if [ -x "$target" ] && [ -f "$target" ]; then targets+=("$target"); fi
done
[ ${#targets[@]} -gt 0 ] || { echo 'fuzz: no target was built'; exit 1; }
if printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}'; then
    echo "fuzz: no crash in ${#targets[@]} targets"
else
    exit 1
fi
