-- Cases: open concerns about one asset and part. At most one is open for each.

CREATE TABLE risk_case (                    -- a concern that a forecast raised
    id            INTEGER PRIMARY KEY,      -- internal number
    asset_id      INTEGER NOT NULL REFERENCES asset(id), -- about which asset
    component_id  INTEGER REFERENCES component(id), -- about which part; NULL = the asset as a whole
    state         TEXT NOT NULL CHECK (state IN ('open', 'approved', 'deferred', 'rejected', 'closed')), -- where it stands
    opened_ms     INTEGER NOT NULL,         -- when it was raised
    closed_ms     INTEGER,                  -- when it ended; NULL = it has not
    until_ms      INTEGER,                  -- deferred: comes back then; ended: none is raised for the part before
    p_window      REAL CHECK (p_window BETWEEN 0 AND 1), -- chance of failure in 30 days when it was raised
    saving_minor  INTEGER,                  -- what acting was worth when it was raised
    reason        TEXT,                     -- why it ended, in words or as one of the reasons of a rejection
    verdict       TEXT CHECK (verdict IN ('right', 'other_fault', 'false_alarm', 'unclear')), -- what a person says it was
    note          TEXT,                     -- of the verdict
    version       INTEGER NOT NULL DEFAULT 1, -- grows with every change; the ETag
    updated_ms    INTEGER NOT NULL          -- last change
) STRICT;
CREATE UNIQUE INDEX risk_case_open ON risk_case (asset_id, ifnull(component_id, 0))
    WHERE state IN ('open', 'approved', 'deferred');
CREATE INDEX risk_case_by_time ON risk_case (opened_ms);
