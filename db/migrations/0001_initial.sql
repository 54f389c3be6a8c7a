-- Fettle database, schema version 1. Instants are Unix milliseconds UTC (..._ms), durations are
-- milliseconds or hours as named, money is integer minor units (..._minor) of the site's currency.
-- Raw facts: everything up to the line "derived". Derived tables can be dropped and rebuilt.

CREATE TABLE setting (                      -- one row per site-wide setting
    key   TEXT NOT NULL PRIMARY KEY,        -- site_name, time_zone, currency, demo_seed, ...
    value TEXT NOT NULL                     -- its value as text
) STRICT, WITHOUT ROWID;

CREATE TABLE change_counter (               -- one row: which state of the data this is
    id INTEGER PRIMARY KEY CHECK (id = 1),  -- always 1
    n  INTEGER NOT NULL                     -- grows with every commit, at least to the clock's ms, so that a restored or new file does not repeat the ETags of the one before
) STRICT;
INSERT INTO change_counter (id, n) VALUES (1, 1);

CREATE TABLE asset_class (                  -- assets that wear alike and share models
    id                   INTEGER PRIMARY KEY, -- internal number
    name                 TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200), -- as imported
    cycle_ms             INTEGER CHECK (cycle_ms > 0), -- length of one cycle; NULL when data counts time
    downtime_minor_per_h INTEGER CHECK (downtime_minor_per_h >= 0), -- cost of one stopped hour; NULL = default
    false_alarm_minor    INTEGER CHECK (false_alarm_minor >= 0), -- inspecting a false alarm; NULL = default
    created_ms           INTEGER NOT NULL   -- when it was first seen
) STRICT;

CREATE TABLE component (                    -- a part of every asset of a class that can fail
    id                     INTEGER PRIMARY KEY, -- internal number
    class_id               INTEGER NOT NULL REFERENCES asset_class(id), -- its class
    name                   TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- "bearing"
    unplanned_h            REAL CHECK (unplanned_h >= 0), -- stop after a failure, hours; NULL = default
    planned_h              REAL CHECK (planned_h >= 0), -- stop of a planned replacement, hours; NULL = default
    unplanned_repair_minor INTEGER CHECK (unplanned_repair_minor >= 0), -- labour, parts, damage; NULL = default
    planned_repair_minor   INTEGER CHECK (planned_repair_minor >= 0), -- labour and parts; NULL = default
    spare                  TEXT,            -- part number of the spare
    spare_lead_ms          INTEGER CHECK (spare_lead_ms >= 0), -- time to get the spare; NULL = in stock
    skill                  TEXT,            -- crew skill that the work needs; NULL = any crew
    UNIQUE (class_id, name)
) STRICT;

CREATE TABLE asset (                        -- one machine
    id                   INTEGER PRIMARY KEY, -- internal number
    key                  TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200), -- tag, as in the CMMS
    name                 TEXT,              -- "Stock pump 7"; NULL when only the tag is known
    class_id             INTEGER NOT NULL REFERENCES asset_class(id), -- its class
    area                 TEXT,              -- where it stands; "/" separates levels
    downtime_minor_per_h INTEGER CHECK (downtime_minor_per_h >= 0), -- overrides the class; NULL = class
    commissioned_ms      INTEGER,           -- start of life; NULL = unknown, then left-truncated at first data
    retired_ms           INTEGER,           -- taken out of service; NULL = in service
    is_held_out          INTEGER NOT NULL DEFAULT 0 CHECK (is_held_out IN (0, 1)), -- 1: test unit, never trained on
    true_rul_ms          INTEGER,           -- known remaining life after its last reading (test units only)
    created_ms           INTEGER NOT NULL   -- when the row was made
) STRICT;
CREATE INDEX asset_by_class ON asset (class_id);

CREATE TABLE asset_attribute (              -- further columns of the asset list, as text
    asset_id INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE, -- whose
    name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- column name
    value    TEXT NOT NULL,                 -- value as text; numbers are read as such by the trainer
    PRIMARY KEY (asset_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE sensor (                       -- one measured quantity of one asset
    id       INTEGER PRIMARY KEY,           -- internal number
    asset_id INTEGER NOT NULL REFERENCES asset(id), -- whose
    name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- "vibration_mm_s"
    unit     TEXT,                          -- UCUM unit; NULL = unknown
    role     TEXT NOT NULL DEFAULT 'sensor' CHECK (role IN ('sensor', 'setting', 'meter')), -- setting: operating condition; meter: counts up
    UNIQUE (asset_id, name)
) STRICT;

CREATE TABLE reading_block (                -- sealed readings of one sensor; blocks of a sensor never overlap
    sensor_id INTEGER NOT NULL REFERENCES sensor(id), -- whose
    start_ms  INTEGER NOT NULL,             -- instant of the first reading
    end_ms    INTEGER NOT NULL CHECK (end_ms >= start_ms), -- instant of the last reading
    n         INTEGER NOT NULL CHECK (n > 0), -- number of readings
    n_numbers INTEGER NOT NULL CHECK (n_numbers BETWEEN 0 AND n), -- readings that are not NaN; the four below are of these
    min       REAL,                         -- smallest value; NULL when n_numbers is 0
    max       REAL,                         -- largest value
    sum       REAL,                         -- sum of the values; NULL when infinities of both signs cancel
    last      REAL,                         -- newest value
    crc       INTEGER NOT NULL,             -- CRC-32 of payload
    payload   BLOB NOT NULL,                -- see db/segment.h
    PRIMARY KEY (sensor_id, start_ms)
) STRICT, WITHOUT ROWID;
-- Holds every column but the payload, so that spans, counts and charts need not read the blocks.
CREATE INDEX reading_block_summary
    ON reading_block (sensor_id, start_ms, end_ms, n, n_numbers, min, max, sum, last);

CREATE TABLE reading_recent (               -- readings not sealed yet; an instant is here or in a block, never in both
    sensor_id INTEGER NOT NULL REFERENCES sensor(id), -- whose
    ts_ms     INTEGER NOT NULL,             -- instant
    value     ANY,                          -- REAL; a NaN is an 8-byte BLOB with its bits, little-endian
    PRIMARY KEY (sensor_id, ts_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (                        -- something that happened to an asset
    id            INTEGER PRIMARY KEY,      -- internal number
    asset_id      INTEGER NOT NULL REFERENCES asset(id), -- to which asset
    component_id  INTEGER REFERENCES component(id), -- to which part; NULL = the asset as a whole
    kind          TEXT NOT NULL CHECK (kind IN ('failure', 'replacement', 'repair', 'inspection', 'alarm')), -- DESIGN section 2
    ts_ms         INTEGER NOT NULL,         -- when
    code          TEXT NOT NULL DEFAULT '', -- alarm or failure code
    note          TEXT,                     -- free text
    downtime_ms   INTEGER CHECK (downtime_ms >= 0), -- length of the stop; NULL = unknown
    cost_minor    INTEGER,                  -- what it cost; NULL = unknown
    source        TEXT NOT NULL,            -- file name, api key name or work order key
    external_key  TEXT UNIQUE,              -- key of the sender; NULL = none
    created_ms    INTEGER NOT NULL          -- when the row was written
) STRICT;
CREATE UNIQUE INDEX event_identity ON event (asset_id, ts_ms, kind, ifnull(component_id, 0), code);
CREATE INDEX event_by_time ON event (ts_ms);

CREATE TABLE import (                       -- one run of an import
    id          INTEGER PRIMARY KEY,        -- internal number
    file        TEXT NOT NULL,              -- name as given; "-" is standard input
    kind        TEXT NOT NULL,              -- readings, assets, events, cmapss
    started_ms  INTEGER NOT NULL,           -- begin
    ended_ms    INTEGER,                    -- end; NULL = was interrupted
    n_rows      INTEGER NOT NULL DEFAULT 0, -- rows read
    n_new       INTEGER NOT NULL DEFAULT 0, -- facts written
    n_unchanged INTEGER NOT NULL DEFAULT 0, -- facts that were already there
    n_bad       INTEGER NOT NULL DEFAULT 0  -- rows sent to quarantine
) STRICT;

CREATE TABLE quarantine (                   -- a row that could not be taken
    id          INTEGER PRIMARY KEY,        -- internal number
    import_id   INTEGER REFERENCES import(id), -- which import; NULL = came by API
    file        TEXT NOT NULL,              -- file name or route
    line        INTEGER NOT NULL,           -- 1 is the first line of the file
    column_name TEXT,                       -- offending column; NULL = the row as a whole
    reason      TEXT NOT NULL,              -- what was wrong and what was expected
    raw         TEXT NOT NULL,              -- the row as it came, cut at 4,000 bytes
    created_ms  INTEGER NOT NULL,           -- when
    UNIQUE (file, line, raw, reason)
) STRICT;

CREATE TABLE run (                          -- background work: training, retraining, scoring
    id           INTEGER PRIMARY KEY,       -- internal number
    kind         TEXT NOT NULL,             -- train, retrain, score, plan, import
    state        TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')), -- where it stands
    started_ms   INTEGER NOT NULL,          -- begin
    ended_ms     INTEGER,                   -- end; NULL = running
    stage        TEXT,                      -- what it does now, in words
    done         INTEGER NOT NULL DEFAULT 0, -- steps done
    total        INTEGER NOT NULL DEFAULT 0, -- steps in all; 0 = unknown
    report       TEXT                       -- JSON report of the result
) STRICT;

CREATE TABLE lease (                        -- at most one holder of a named job
    name       TEXT NOT NULL PRIMARY KEY,   -- "retrain"
    holder     TEXT NOT NULL,               -- host, process and a random part
    expires_ms INTEGER NOT NULL             -- free again after this instant
) STRICT, WITHOUT ROWID;

CREATE TABLE model (                        -- a trained model; rows are never changed but for state and reason
    id           INTEGER PRIMARY KEY,       -- internal number
    class_id     INTEGER NOT NULL REFERENCES asset_class(id), -- for which class
    target       TEXT NOT NULL CHECK (target IN ('rul', 'failure')), -- what it predicts
    component_id INTEGER REFERENCES component(id), -- of which part; NULL = the asset as a whole
    horizon_ms   INTEGER NOT NULL DEFAULT 0, -- horizon of a failure model; 0 for rul
    kind         TEXT NOT NULL,             -- weibull_age, hazard_logit, gbdt, ridge
    state        TEXT NOT NULL CHECK (state IN ('candidate', 'champion', 'retired', 'off')), -- off: does not beat the baseline
    reason       TEXT NOT NULL,             -- why it is in that state, in words
    created_ms   INTEGER NOT NULL,          -- when it was trained
    until_ms     INTEGER NOT NULL,          -- no data after this instant was used
    run_id       INTEGER REFERENCES run(id), -- by which run
    seed         INTEGER NOT NULL,          -- random seed
    build        TEXT NOT NULL,             -- version of the program
    fingerprint  TEXT NOT NULL,             -- SHA-256 of the training data
    params       TEXT NOT NULL,             -- JSON
    features     TEXT NOT NULL,             -- JSON array of feature names; the definition is in body
    metrics      TEXT NOT NULL,             -- JSON: out-of-fold metrics, baseline beside them
    sha256       TEXT NOT NULL,             -- of body
    body         BLOB NOT NULL              -- model file, models/model_text.h
) STRICT;
CREATE UNIQUE INDEX model_champion ON model (class_id, target, ifnull(component_id, 0), horizon_ms)
    WHERE state = 'champion';
CREATE TRIGGER model_is_immutable           -- what was trained stays as it was trained
BEFORE UPDATE OF id, class_id, target, component_id, horizon_ms, kind, created_ms, until_ms, run_id, seed,
    build, fingerprint, params, features, metrics, sha256, body ON model
BEGIN
    SELECT RAISE(ABORT, 'a model is never changed but for its state and reason');
END;

CREATE TABLE ledger (                       -- a published prediction, written before its outcome
    id           INTEGER PRIMARY KEY,       -- internal number
    asset_id     INTEGER NOT NULL REFERENCES asset(id), -- about
    component_id INTEGER REFERENCES component(id), -- about; NULL = the asset as a whole
    model_id     INTEGER REFERENCES model(id), -- by which model
    as_of_ms     INTEGER NOT NULL,          -- made with data up to here
    horizon_ms   INTEGER NOT NULL,          -- about (as_of, as_of + horizon]
    p            REAL NOT NULL CHECK (p BETWEEN 0 AND 1), -- chance of failure within the horizon
    outcome      TEXT CHECK (outcome IN ('failed', 'survived', 'censored')), -- NULL = not due yet
    event_id     INTEGER REFERENCES event(id), -- the event that decided it
    decided_ms   INTEGER                    -- when the outcome was known
) STRICT;
CREATE UNIQUE INDEX ledger_identity ON ledger (asset_id, ifnull(component_id, 0), as_of_ms, horizon_ms);
CREATE INDEX ledger_open ON ledger (asset_id) WHERE outcome IS NULL;
CREATE TRIGGER ledger_is_immutable          -- a prediction cannot be bettered afterwards
BEFORE UPDATE OF id, asset_id, component_id, model_id, as_of_ms, horizon_ms, p ON ledger
BEGIN
    SELECT RAISE(ABORT, 'a ledger row is never changed but for its outcome');
END;
CREATE TRIGGER ledger_is_kept               -- nor can a bad one disappear
BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'a ledger row is never deleted');
END;

CREATE TABLE crew (                         -- people who do work orders
    id            INTEGER PRIMARY KEY,      -- internal number
    name          TEXT NOT NULL UNIQUE,     -- "Mech A"
    skills        TEXT NOT NULL DEFAULT '', -- comma-separated; empty = any
    hours_per_day REAL NOT NULL CHECK (hours_per_day >= 0), -- working hours on a working day
    weekdays      INTEGER NOT NULL DEFAULT 62 CHECK (weekdays BETWEEN 0 AND 127), -- bit 0 Sunday ... bit 6 Saturday; 62 = Mon-Fri
    rate_minor_per_h INTEGER CHECK (rate_minor_per_h >= 0) -- labour rate; NULL = default
) STRICT;

CREATE TABLE calendar_entry (               -- a span of days that changes what can be planned
    id       INTEGER PRIMARY KEY,           -- internal number
    kind     TEXT NOT NULL CHECK (kind IN ('blackout', 'stop', 'crew_away')), -- no work / production stop: work is cheap / crew away
    start_ms INTEGER NOT NULL,              -- begin
    end_ms   INTEGER NOT NULL CHECK (end_ms > start_ms), -- end, not included
    crew_id  INTEGER REFERENCES crew(id),   -- for crew_away
    area     TEXT,                          -- NULL = the whole site
    note     TEXT                           -- in words
) STRICT;

CREATE TABLE plan (                         -- a recurring preventive rule
    id            INTEGER PRIMARY KEY,      -- internal number
    key           TEXT NOT NULL UNIQUE,     -- "PM-0012"
    name          TEXT NOT NULL,            -- "Grease bearings"
    class_id      INTEGER REFERENCES asset_class(id), -- for every asset of the class, or
    asset_id      INTEGER REFERENCES asset(id), -- for one asset
    component_id  INTEGER REFERENCES component(id), -- the part it renews or looks at; NULL = the asset
    action        TEXT NOT NULL CHECK (action IN ('replacement', 'inspection', 'service')), -- what is done
    interval_ms   INTEGER NOT NULL CHECK (interval_ms > 0), -- time between two
    tolerance_ms  INTEGER NOT NULL DEFAULT 0 CHECK (tolerance_ms >= 0), -- may be this early or late
    anchor_ms     INTEGER NOT NULL,         -- first due, or phase of a fixed rhythm
    is_floating   INTEGER NOT NULL DEFAULT 1 CHECK (is_floating IN (0, 1)), -- 1: counted from the last completion
    duration_h    REAL NOT NULL CHECK (duration_h > 0), -- crew hours of one job
    cost_minor    INTEGER NOT NULL DEFAULT 0 CHECK (cost_minor >= 0), -- parts and material of one job
    skill         TEXT,                     -- crew skill needed; NULL = any
    is_active     INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)), -- 0: stopped
    CHECK ((class_id IS NULL) <> (asset_id IS NULL))
) STRICT;

CREATE TABLE work_order (                   -- one job
    id             INTEGER PRIMARY KEY,     -- internal number
    key            TEXT NOT NULL UNIQUE,    -- "WO-00042", ours
    external_key   TEXT UNIQUE,             -- key in the CMMS; NULL = not known there
    title          TEXT NOT NULL,           -- one line
    note           TEXT,                    -- long text
    kind           TEXT NOT NULL CHECK (kind IN ('predictive', 'preventive', 'inspection', 'corrective', 'emergency')), -- why it exists
    status         TEXT NOT NULL CHECK (status IN ('draft', 'approved', 'sent', 'scheduled', 'in_progress', 'on_hold', 'done', 'closed', 'cancelled', 'rejected')), -- where it stands
    priority       INTEGER NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5), -- 1 is the most urgent
    asset_id       INTEGER NOT NULL REFERENCES asset(id), -- at which asset
    component_id   INTEGER REFERENCES component(id), -- at which part
    plan_id        INTEGER REFERENCES plan(id), -- made by this plan
    model_id       INTEGER REFERENCES model(id), -- proposed from this model's forecast
    crew_id        INTEGER REFERENCES crew(id), -- who
    due_ms         INTEGER,                 -- best instant
    earliest_ms    INTEGER,                 -- window begin
    latest_ms      INTEGER,                 -- window end
    scheduled_ms   INTEGER,                 -- placed on this day
    started_ms     INTEGER,                 -- actual begin
    ended_ms       INTEGER,                 -- actual end
    duration_h     REAL NOT NULL DEFAULT 1 CHECK (duration_h >= 0), -- estimated crew hours
    risk_by_due    REAL CHECK (risk_by_due BETWEEN 0 AND 1), -- chance of failure before due
    expected_cost_minor INTEGER,            -- expected cost when done at due
    waiting_minor_per_day INTEGER,          -- what one more day costs
    reason         TEXT,                    -- why, in words
    outcome        TEXT CHECK (outcome IN ('confirmed', 'other_fault', 'nothing_found', 'had_failed')), -- what was found
    is_pinned      INTEGER NOT NULL DEFAULT 0 CHECK (is_pinned IN (0, 1)), -- 1: the planner never moves it
    version        INTEGER NOT NULL DEFAULT 1, -- grows with every change; the ETag
    created_ms     INTEGER NOT NULL,        -- when
    updated_ms     INTEGER NOT NULL         -- last change
) STRICT;
CREATE INDEX work_order_by_asset ON work_order (asset_id);
CREATE INDEX work_order_by_status ON work_order (status);

CREATE TABLE api_key (                      -- who may call the API
    id         INTEGER PRIMARY KEY,         -- internal number
    public_id  TEXT NOT NULL UNIQUE,        -- the part of the key that is not secret
    name       TEXT NOT NULL,               -- who or what uses it
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'planner', 'engineer', 'admin', 'ingest')), -- what it may do
    hash       TEXT NOT NULL,               -- SHA-256 of the secret, hex
    created_ms INTEGER NOT NULL,            -- when
    expires_ms INTEGER,                     -- NULL = never
    revoked_ms INTEGER,                     -- NULL = valid
    used_ms    INTEGER                      -- last use, to the minute
) STRICT;

CREATE TABLE idempotency (                  -- answers kept for repeated POSTs, 24 h
    key        TEXT NOT NULL,               -- Idempotency-Key header
    api_key_id INTEGER NOT NULL,            -- whose
    route      TEXT NOT NULL,               -- method and path
    body_hash  TEXT NOT NULL,               -- SHA-256 of the body, hex
    status     INTEGER NOT NULL,            -- HTTP status of the answer
    location   TEXT,                        -- Location header of the answer
    etag       TEXT,                        -- ETag header of the answer
    response   TEXT NOT NULL,               -- body of the answer
    created_ms INTEGER NOT NULL,            -- when
    PRIMARY KEY (api_key_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_ms);

CREATE TABLE webhook (                      -- who is told about changes
    id         INTEGER PRIMARY KEY,         -- internal number
    url        TEXT NOT NULL UNIQUE,        -- where to POST
    secret     TEXT NOT NULL,               -- HMAC key, "whsec_" + base64 (Standard Webhooks)
    events     TEXT NOT NULL,               -- comma-separated event types
    is_active  INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)), -- 0: paused
    created_ms INTEGER NOT NULL             -- when
) STRICT;

CREATE TABLE webhook_delivery (             -- an event stored before it is sent
    id           INTEGER PRIMARY KEY,       -- internal number
    webhook_id   INTEGER NOT NULL REFERENCES webhook(id) ON DELETE CASCADE, -- to whom
    message_id   TEXT NOT NULL,             -- webhook-id header, stable over retries
    event_type   TEXT NOT NULL,             -- "work_order.proposed"
    body         TEXT NOT NULL,             -- JSON as it is signed and sent
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')), -- where it stands
    n_tries      INTEGER NOT NULL DEFAULT 0, -- how often it was sent
    next_try_ms  INTEGER NOT NULL,          -- not before
    last_status  INTEGER,                   -- HTTP status of the last try; NULL = no answer
    last_error   TEXT,                      -- in words
    created_ms   INTEGER NOT NULL           -- when
) STRICT;
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (next_try_ms) WHERE state = 'waiting';

CREATE TABLE audit (                        -- who changed what; rows are only added
    id      INTEGER PRIMARY KEY,            -- internal number
    ts_ms   INTEGER NOT NULL,               -- when
    actor   TEXT NOT NULL,                  -- api key name, "cli" or "night"
    action  TEXT NOT NULL,                  -- "work_order.patch"
    subject TEXT NOT NULL,                  -- what it was done to
    detail  TEXT                            -- JSON: before and after
) STRICT;
CREATE TRIGGER audit_is_immutable           -- rows are only added
BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit row is never changed');
END;
CREATE TRIGGER audit_is_kept                -- and never removed
BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit row is never deleted');
END;

-- derived

CREATE TABLE forecast (                     -- newest forecast per asset and component
    id           INTEGER PRIMARY KEY,       -- internal number
    asset_id     INTEGER NOT NULL REFERENCES asset(id), -- about
    component_id INTEGER REFERENCES component(id), -- about; NULL = the asset as a whole
    as_of_ms     INTEGER NOT NULL,          -- made with data up to here
    scored_ms    INTEGER NOT NULL,          -- when it was computed
    model_id     INTEGER REFERENCES model(id), -- by which model; NULL = no model could speak
    body         TEXT NOT NULL              -- JSON, app/forecast.h
) STRICT;
CREATE UNIQUE INDEX forecast_identity ON forecast (asset_id, ifnull(component_id, 0));

CREATE TABLE forecast_previous (            -- forecasts of the scoring before, for "since yesterday"
    asset_id     INTEGER NOT NULL REFERENCES asset(id), -- about
    component_id INTEGER REFERENCES component(id), -- about; NULL = the asset as a whole
    as_of_ms     INTEGER NOT NULL,          -- made with data up to here
    scored_ms    INTEGER NOT NULL,          -- when it was computed
    model_id     INTEGER REFERENCES model(id), -- by which model; NULL = no model could speak
    body         TEXT NOT NULL              -- JSON, app/forecast.h
) STRICT;
CREATE UNIQUE INDEX forecast_previous_identity ON forecast_previous (asset_id, ifnull(component_id, 0));
