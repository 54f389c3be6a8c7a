-- Preventive plans: recurrence rules, meters, seasons, nesting, checklists, parts; a version for
-- the ETag. The calendar: holidays, and entries that come again.

ALTER TABLE plan ADD COLUMN rrule TEXT;     -- RFC 5545 rule (app/planner/rrule.h); NULL = every interval_ms; interval_ms is then about the time between two
ALTER TABLE plan ADD COLUMN meter TEXT;     -- name of the sensor that counts up; NULL = calendar only
ALTER TABLE plan ADD COLUMN meter_interval REAL CHECK (meter_interval > 0); -- units of the meter between two
ALTER TABLE plan ADD COLUMN meter_only INTEGER NOT NULL DEFAULT 0 CHECK (meter_only IN (0, 1)); -- 1: the calendar does not count; 0: whichever comes first
ALTER TABLE plan ADD COLUMN season_from INTEGER CHECK (season_from BETWEEN 101 AND 1231); -- first day of the season, month * 100 + day; NULL = all year
ALTER TABLE plan ADD COLUMN season_to INTEGER CHECK (season_to BETWEEN 101 AND 1231); -- last day of the season
ALTER TABLE plan ADD COLUMN covers TEXT;    -- keys of plans that this work includes, separated by commas
ALTER TABLE plan ADD COLUMN checklist TEXT; -- JSON array of steps
ALTER TABLE plan ADD COLUMN parts TEXT;     -- JSON array of {"part","quantity"}
ALTER TABLE plan ADD COLUMN version INTEGER NOT NULL DEFAULT 1; -- grows with every change; the ETag
ALTER TABLE plan ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0; -- last change; 0 = made before this was kept

CREATE TABLE calendar_entry_new (           -- a span of days that changes what can be planned
    id       INTEGER PRIMARY KEY,           -- internal number
    kind     TEXT NOT NULL CHECK (kind IN ('blackout', 'stop', 'crew_away', 'holiday')), -- no work / production stop: work is cheap / crew away / nobody works
    start_ms INTEGER NOT NULL,              -- begin
    end_ms   INTEGER NOT NULL CHECK (end_ms > start_ms), -- end, not included
    crew_id  INTEGER REFERENCES crew(id),   -- for crew_away
    area     TEXT,                          -- NULL = the whole site
    note     TEXT,                          -- in words
    rrule    TEXT                           -- comes again by this RFC 5545 rule; NULL = once
) STRICT;
INSERT INTO calendar_entry_new (id, kind, start_ms, end_ms, crew_id, area, note)
SELECT id, kind, start_ms, end_ms, crew_id, area, note FROM calendar_entry;
DROP TABLE calendar_entry;
ALTER TABLE calendar_entry_new RENAME TO calendar_entry;
