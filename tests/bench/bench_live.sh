#!/bin/bash
# Live ingest: line protocol beside InfluxDB, MQTT, memory under load, kills. Words after the program
# choose parts: lines mqtt memory kill. BENCH_SECONDS is the length of the memory part, 600 by default.
set -eu
FETTLE=$(realpath "$1") exec /usr/bin/python3 "$(dirname "$0")/bench_live.py" "${@:2}"
