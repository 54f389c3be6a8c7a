#!/bin/bash
# Who may include whom: app/main.c -> web -> app/* -> { models, db } -> app/base. One door per
# library. Prints each breach as file:line and fails.
set -u
bad=0
breach() { # what, grep pattern, files...
    local what=$1 pattern=$2
    shift 2
    local hits
    hits=$(grep -nE "$pattern" "$@" /dev/null)
    if [ -n "$hits" ]; then
        printf '%s:\n%s\n' "$what" "$hits"
        bad=1
    fi
}
mapfile -t base < <(git ls-files 'app/base/*')
mapfile -t models < <(git ls-files 'models/*.[ch]')
mapfile -t db < <(git ls-files 'db/*.[ch]')
mapfile -t app < <(git ls-files 'app/*.[ch]' ':!app/base' ':!app/main.c' ':!app/tools')
mapfile -t web < <(git ls-files 'web/*.[ch]')
mapfile -t not_db < <(git ls-files '*.[ch]' ':!db')
mapfile -t not_http < <(git ls-files '*.[ch]' ':!web/http')
mapfile -t not_linalg < <(git ls-files '*.[ch]' ':!models/linalg.c')
mapfile -t not_curl < <(git ls-files '*.[ch]' ':!app/cmms')
mapfile -t not_mqtt < <(git ls-files '*.[ch]' ':!app/ingest/mqtt.c')
mapfile -t not_sparkplug < <(git ls-files '*.[ch]' ':!app/ingest/sparkplug.c')
breach 'mosquitto.h outside app/ingest/mqtt.c' '^#include [<"]mosquitto' "${not_mqtt[@]}"
breach 'protobuf-c outside app/ingest/sparkplug.c' '^#include [<"](protobuf-c|gen/sparkplug)' "${not_sparkplug[@]}"
breach 'app/base includes a higher layer' '^#include "(app/[^b]|models/|db/|web/)' "${base[@]}"
breach 'models includes db, web or app' '^#include "(db/|web/|app/[^b])' "${models[@]}"
breach 'db includes models, web or app' '^#include "(models/|web/|app/[^b])' "${db[@]}"
breach 'app includes web' '^#include "web/' "${app[@]}"
breach 'sqlite3.h outside db' '^#include [<"]sqlite3' "${not_db[@]}"
breach 'microhttpd.h outside web/http' '^#include [<"]microhttpd' "${not_http[@]}"
breach 'cblas.h or lapacke.h outside models/linalg.c' '^#include [<"](cblas|lapacke)' "${not_linalg[@]}"
breach 'curl outside app/cmms' '^#include [<"]curl' "${not_curl[@]}"
mapfile -t not_cbc < <(git ls-files '*.[ch]' ':!app/planner/solver_cbc.c')
breach 'CBC outside app/planner/solver_cbc.c' '^#include [<"]coin' "${not_cbc[@]}"
breach 'web includes the database library' '^#include [<"]sqlite3' "${web[@]}"
[ $bad = 0 ] && echo "layers: ok"
exit $bad
