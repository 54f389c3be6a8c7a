# Fettle. Two commands to know: make run, make test.
#   make            release program at build/fettle
#   make run        install what is missing, build, make the demo plant, train, plan, serve
#   make test       own set-up, then every test
#   make bench lint layers sanitize fuzz install clean
# Switches: WITH_CBC=no|yes (exact solver of the planner; yes when pkg-config finds cbc)
#           WITH_MQTT=no|yes  WITH_SPARKPLUG=no|yes (likewise libmosquitto, libprotobuf-c)
#           CC=clang  WERROR=1  SANITIZER=address,undefined|thread  BUILD=folder  V=1  LISTEN=addr:port

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/bash

# --- packages, by their Debian and Ubuntu names; packaging/need.sh installs what is missing ---------
PKG_BUILD := gcc libc6-dev make pkg-config tzdata ca-certificates libsqlite3-dev libmicrohttpd-dev \
    libopenblas-pthread-dev liblapacke-dev libcjson-dev libcurl4-gnutls-dev libsodium-dev \
    libzstd-dev zlib1g-dev libinih-dev libjs-dygraphs
PKG_MQTT := libmosquitto-dev libprotobuf-c-dev protobuf-c-compiler # optional: MQTT, Sparkplug B
PKG_TEST := $(PKG_BUILD) $(PKG_MQTT) mosquitto mosquitto-clients influxdb-client libcmocka-dev python3 sqlite3 zstd chromium chromium-driver \
    python3-selenium python3-icalendar fonts-inter
PKG_LINT := $(PKG_BUILD) $(PKG_MQTT) clang clang-format clang-tidy cppcheck
PKG_FUZZ := $(PKG_BUILD) clang libclang-rt-14-dev

# --- flags ------------------------------------------------------------------------------------------
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
# Optional: coinor-libcbc-dev. Without it the planner's own heuristic stands alone.
WITH_CBC ?= $(shell pkg-config --exists cbc 2>/dev/null && echo yes || echo no)
ifeq ($(WITH_CBC),yes)
CBC_CFLAGS := -DFT_WITH_CBC
CBC_LIBS := -lCbcSolver
endif
# Optional: libmosquitto-dev; libprotobuf-c-dev and protobuf-c-compiler.
WITH_MQTT ?= $(shell pkg-config --exists libmosquitto 2>/dev/null && echo yes || echo no)
WITH_MQTT := $(WITH_MQTT)
WITH_SPARKPLUG ?= $(shell [ $(WITH_MQTT) = yes ] && pkg-config --exists libprotobuf-c 2>/dev/null && \
    command -v protoc-c >/dev/null && echo yes || echo no)
WITH_SPARKPLUG := $(WITH_SPARKPLUG)
LIBS := openblas lapacke libmicrohttpd libcjson inih libsodium libzstd zlib libcurl sqlite3 \
    $(if $(filter yes,$(WITH_MQTT)),libmosquitto) $(if $(filter yes,$(WITH_SPARKPLUG)),libprotobuf-c)
PKG_CFLAGS = $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(LIBS) 2>/dev/null)

ARCH := $(shell uname -m)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef \
    -Wwrite-strings -Wformat=2 -Wvla -Wno-unused-parameter \
    -Wno-missing-field-initializers
ifdef WERROR
WARN += -Werror
endif
HARDEN := -fstack-protector-strong -fPIE -Wformat -Werror=format-security
ifeq ($(ARCH),x86_64)
HARDEN += -fcf-protection -fstack-clash-protection
endif
HARDEN_LD := -pie -Wl,-z,relro,-z,now
OPT ?= -O2 -g
ifdef SANITIZER
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZER)
SAN_LD := -fsanitize=$(SANITIZER)
else
HARDEN += -D_FORTIFY_SOURCE=2
endif
# -ffp-contract=off: the same bits from gcc and clang, with and without fused multiply-add.
CFLAGS_ALL = -std=gnu11 $(OPT) $(WARN) $(HARDEN) -ffp-contract=off -pthread -I. -I$(BUILD) \
    $(PKG_CFLAGS) $(CBC_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(HARDEN_LD) $(SAN_LD) -pthread $(LDFLAGS)
LIBS_ALL = $(PKG_LIBS) $(CBC_LIBS) -lm

ifndef V
Q := @
SAY = @printf '  %-6s %s\n'
else
SAY = @:
endif

# --- sources ----------------------------------------------------------------------------------------
SRC := $(filter-out app/main.c,$(wildcard app/*.c app/base/*.c app/cli/*.c app/ingest/*.c \
    app/planner/*.c app/cmms/*.c app/demo/*.c models/*.c models/*/*.c db/*.c web/*.c web/*/*.c))
# One of each pair: with the library, or a refusal in its place.
SRC := $(filter-out app/ingest/mqtt$(if $(filter yes,$(WITH_MQTT)),_none).c \
    app/ingest/sparkplug$(if $(filter yes,$(WITH_SPARKPLUG)),_none).c,$(SRC))
GEN_C := $(if $(filter yes,$(WITH_SPARKPLUG)),$(BUILD)/gen/sparkplug.pb-c.c) $(BUILD)/gen/queries.c $(BUILD)/gen/migrations.c $(BUILD)/gen/web_assets.c
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o) $(GEN_C:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
LIB := $(BUILD)/libfettle.a
MIGRATIONS := $(sort $(wildcard db/migrations/*.sql))
QUERIES := $(sort $(wildcard db/queries/*.sql))
DYGRAPHS := /usr/share/javascript/dygraphs/dygraph.min.js
STATIC := $(sort $(wildcard web/static/*.*)) $(DYGRAPHS)
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
BENCH := $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)
C_FILES := $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h' 2>/dev/null)

.PHONY: all build run test unit bench lint check-contrast layers sanitize fuzz install clean deps-build deps-test
all: build
build: $(BUILD)/fettle $(if $(SANITIZER),,$(BUILD)/fettle_sqlite.so)

$(BUILD)/fettle: $(BUILD)/obj/app/main.o $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS_ALL)

# Table reading for the sqlite3 shell. Its SQLite is that of the program that loads it.
EXT_SRC := $(wildcard db/*.c db/extension/*.c) app/base/clock.c app/base/status.c
EXT_OBJ := $(EXT_SRC:%.c=$(BUILD)/ext/%.o) $(BUILD)/ext/gen/queries.o $(BUILD)/ext/gen/migrations.o
EXT_FLAGS = $(filter-out -fPIE,$(CFLAGS_ALL)) -fPIC -fvisibility=hidden -ffunction-sections -include db/extension/sqlite_api.h
$(BUILD)/ext/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/gen/queries.h $(BUILD)/flags
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(EXT_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/ext/%.o: %.c $(BUILD)/gen/queries.h $(BUILD)/flags
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(EXT_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/fettle_sqlite.so: $(EXT_OBJ)
	$(SAY) LINK $@
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS_ALL)) -shared -Wl,--gc-sections -Wl,-z,defs -o $@ $^ \
	    $(shell pkg-config --libs libzstd zlib) -lm
-include $(EXT_OBJ:.o=.d)

$(LIB): $(OBJ)
	$(SAY) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/queries.h $(BUILD)/flags
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/gen/queries.h $(BUILD)/flags
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A change of compiler or flags rebuilds everything in this folder.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || \
	    printf '%s\n' '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/embed: app/tools/embed.c
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 $(WARN) -o $@ $<

$(BUILD)/gen/queries.h: $(BUILD)/embed $(QUERIES)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/embed queries $(BUILD)/gen/queries.h $(BUILD)/gen/queries.c $(QUERIES)
$(BUILD)/gen/queries.c: $(BUILD)/gen/queries.h ;
$(BUILD)/gen/sparkplug.pb-c.c: app/ingest/sparkplug.proto
	$(Q)mkdir -p $(@D)
	$(Q)protoc-c --proto_path=app/ingest --c_out=$(BUILD)/gen $<
$(BUILD)/gen/sparkplug.pb-c.h: $(BUILD)/gen/sparkplug.pb-c.c ;
$(BUILD)/obj/app/ingest/sparkplug.o: $(BUILD)/gen/sparkplug.pb-c.h
$(BUILD)/gen/migrations.c: $(BUILD)/embed $(MIGRATIONS)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/embed files db_migrations $@ $(MIGRATIONS)
$(BUILD)/gen/web_assets.c: $(BUILD)/embed $(STATIC)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/embed files web_assets $@ $(STATIC)

-include $(OBJ:.o=.d) $(BUILD)/obj/app/main.d

# --- run --------------------------------------------------------------------------------------------
deps-build:
	@packaging/need.sh $(PKG_BUILD)
deps-test:
	@packaging/need.sh $(PKG_TEST)

run: deps-build
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@packaging/run-demo.sh $(BUILD)/fettle "$(LISTEN)"

# --- tests ------------------------------------------------------------------------------------------
TEST_LIBS = $(shell pkg-config --libs cmocka 2>/dev/null)
$(BUILD)/unit/%: tests/unit/%.c $(LIB) tests/test.h
	$(SAY) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS_ALL) $(TEST_LIBS)
-include $(UNIT:=.d)

unit: $(UNIT)

test: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) build unit
	@/usr/bin/python3 tests/run_all.py --build $(BUILD) $(TESTS)

$(BUILD)/bench/%: tests/bench/%.c $(LIB)
	$(SAY) BENCH $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS_ALL)
-include $(BENCH:=.d)

bench:
	@packaging/need.sh $(PKG_TEST)
	@$(MAKE) --no-print-directory -j$$(nproc) build $(BENCH)
	@for b in $(sort $(wildcard tests/bench/*.sh)); do $$b $(BUILD)/fettle || exit 1; done

# --- checks -----------------------------------------------------------------------------------------
layers:
	@packaging/layers.sh
check-contrast:
	@/usr/bin/python3 packaging/check-contrast.py
lint: check-contrast
	@packaging/need.sh $(PKG_LINT)
	@$(MAKE) --no-print-directory $(BUILD)/gen/queries.h \
	    $(if $(filter yes,$(WITH_SPARKPLUG)),$(BUILD)/gen/sparkplug.pb-c.c)
	@packaging/lint.sh $(BUILD)

sanitize: deps-test
	@packaging/need.sh $(PKG_FUZZ)
	@$(MAKE) --no-print-directory -j$$(nproc) CC=clang BUILD=build/asan SANITIZER=address,undefined build unit
	@/usr/bin/python3 tests/run_all.py --build build/asan --sanitized
	@$(MAKE) --no-print-directory -j$$(nproc) CC=clang BUILD=build/tsan SANITIZER=thread build unit
	@/usr/bin/python3 tests/run_all.py --build build/tsan --sanitized --threads-only

SECONDS ?= 60
FUZZ_BUILD := build/fuzz
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(FUZZ_BUILD)/%)
fuzz:
	@packaging/need.sh $(PKG_FUZZ)
	@$(MAKE) --no-print-directory -j$$(nproc) CC=clang BUILD=$(FUZZ_BUILD) \
	    SANITIZER=fuzzer-no-link,address,undefined fuzz-build
	@packaging/fuzz.sh $(FUZZ_BUILD) $(SECONDS)
.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)
$(FUZZ_BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIB)
	$(SAY) FUZZ $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer,address,undefined -o $@ $< $(LIB) $(LIBS_ALL)

PREFIX ?= /usr/local
install: build
	install -D -m 755 $(BUILD)/fettle $(DESTDIR)$(PREFIX)/bin/fettle
	install -D -m 644 $(BUILD)/fettle_sqlite.so $(DESTDIR)$(PREFIX)/lib/fettle/fettle_sqlite.so
	install -D -m 644 docs/fettle.1 $(DESTDIR)$(PREFIX)/share/man/man1/fettle.1

clean:
	rm -rf build
