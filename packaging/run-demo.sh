#!/bin/bash
# make run: makes the demo plant once, prints what a planner would read, serves the dashboard.
set -eu
fettle=$1
listen=${2:-}
db=${FETTLE_DB:-build/demo.db}
if [ ! -f "$db" ]; then
    rm -f "$db".part*
    "$fettle" demo --db "$db.part"
    # Reading needs no key on this machine, writing does: this plant's own key, shown once.
    "$fettle" key create --db "$db.part" --name demo --role admin | tee build/demo-key.txt
    chmod 600 build/demo-key.txt
    mv "$db.part" "$db"
    rm -f "$db".part*
fi
"$fettle" summary --db "$db"
echo
echo "To approve work in the dashboard, enter the key in build/demo-key.txt under \"Read only\"."
if [ -n "$listen" ]; then
    exec "$fettle" serve --db "$db" --listen "$listen"
fi
exec "$fettle" serve --db "$db" --listen 127.0.0.1:8080 --next-port
