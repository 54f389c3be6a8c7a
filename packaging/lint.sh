#!/bin/bash
# clang-format, banned calls, contrast of the dashboard, cppcheck and clang-tidy. Fails on any
# finding. Tidy results are kept by content hash in BUILD/lint, so a second run is quick.
set -u
build=$1
bad=0
mapfile -t c_files < <(git ls-files '*.c')
mapfile -t all < <(git ls-files '*.c' '*.h')
say() { printf '  %-6s %s\n' "$1" "$2"; }

say FORMAT "${#all[@]} files"
clang-format --dry-run --Werror "${all[@]}" 2>&1 | head -20
[ "${PIPESTATUS[0]}" = 0 ] || bad=1

say BANNED 'calls without bounds, case-insensitive JSON, formatted SQL'
if git grep -nE '\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|gets|strtok|alloca|rand|lgamma|cJSON_GetObjectItem)\(' -- '*.c' '*.h'; then
    echo 'banned call above'
    bad=1
fi
if git grep -nE 'printf\([^;]*"(SELECT|INSERT|UPDATE|DELETE) ' -- 'db/*.c' 'app/*.c' 'web/*.c'; then
    echo 'SQL must not be formatted'
    bad=1
fi
if git grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(' -- 'web/static/*.js'; then
    echo 'HTML must not be built from text'
    bad=1
fi
if [ -f packaging/check-contrast.py ]; then
    say COLOUR web/static
    /usr/bin/python3 packaging/check-contrast.py >/tmp/fettle-contrast.$$ || { cat /tmp/fettle-contrast.$$; bad=1; }
    rm -f /tmp/fettle-contrast.$$
fi
shellcheck=$(git ls-files '*.sh')
for s in $shellcheck; do bash -n "$s" || bad=1; done

say CPPCHK "${#c_files[@]} files"
mapfile -t product < <(git ls-files '*.c' ':!tests')
cppcheck --quiet --enable=warning,portability --inline-suppr --error-exitcode=1 --std=c11 \
    --suppress=missingInclude --suppress=normalCheckLevelMaxBranches -j "$(nproc)" -I. -I"$build" \
    "${product[@]}" || bad=1

say TIDY "${#product[@]} files"
mkdir -p "$build/lint"
flags=(-std=gnu11 -I. "-I$build" -pthread)
read -ra extra <<<"$(pkg-config --cflags openblas lapacke libmicrohttpd libcjson inih libsodium libzstd zlib libcurl sqlite3)"
headers=$(git ls-files '*.h' .clang-tidy | xargs sha1sum | sha1sum | cut -c1-12)
tidy_one() {
    local f=$1 key
    key="$build/lint/$(echo "$f" | tr / _).$2.$(sha1sum <"$f" | cut -c1-16)"
    [ -f "$key" ] && return 0
    shift 2
    if clang-tidy --quiet "$f" -- "$@" 2>/dev/null >"$key.out"; then
        mv "$key.out" "$key"
    else
        cat "$key.out"
        return 1
    fi
}
export -f tidy_one
export build
printf '%s\n' "${product[@]}" |
    xargs -P "$(nproc)" -I{} bash -c 'tidy_one "$@"' _ {} "$headers" "${flags[@]}" "${extra[@]}" || bad=1
[ $bad = 0 ] && echo 'lint: ok'
exit $bad
