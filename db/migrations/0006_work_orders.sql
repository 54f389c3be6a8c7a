-- Work orders: who does it, what was booked, what was found in codes, what the plan gave along. Lists of
-- codes in the shape of ISO 14224 (failure, cause, remedy), with neutral entries of our own.

ALTER TABLE work_order ADD COLUMN assignee TEXT;     -- who does it, by name
ALTER TABLE work_order ADD COLUMN labour_h REAL CHECK (labour_h >= 0); -- hours booked; NULL = none yet
ALTER TABLE work_order ADD COLUMN downtime_h REAL CHECK (downtime_h >= 0); -- hours the asset stood; NULL = unknown
ALTER TABLE work_order ADD COLUMN actual_cost_minor INTEGER CHECK (actual_cost_minor >= 0); -- what it cost; NULL = unknown
ALTER TABLE work_order ADD COLUMN failure_code TEXT; -- what was wrong, of table code
ALTER TABLE work_order ADD COLUMN cause_code TEXT;   -- why
ALTER TABLE work_order ADD COLUMN remedy_code TEXT;  -- what was done
ALTER TABLE work_order ADD COLUMN checklist TEXT;    -- JSON array of steps, copied from the plan
ALTER TABLE work_order ADD COLUMN parts TEXT;        -- JSON array of {"part","quantity"}

CREATE TABLE code (                         -- words for what was found and done
    kind TEXT NOT NULL CHECK (kind IN ('failure', 'cause', 'remedy')), -- what it says
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 60), -- short form
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- in words
    PRIMARY KEY (kind, code)
) STRICT, WITHOUT ROWID;
INSERT INTO code (kind, code, name) VALUES
    ('failure', 'leak', 'Leaks'), ('failure', 'noise', 'Noise'), ('failure', 'vibration', 'Vibrates'),
    ('failure', 'hot', 'Runs hot'), ('failure', 'stuck', 'Stuck or blocked'),
    ('failure', 'no_start', 'Does not start'), ('failure', 'no_stop', 'Does not stop'),
    ('failure', 'weak', 'Too little output'), ('failure', 'unstable', 'Unsteady output'),
    ('failure', 'signal', 'Wrong or missing signal'), ('failure', 'broken', 'Broken or torn'),
    ('failure', 'worn', 'Worn out'), ('failure', 'other', 'Something else'),
    ('cause', 'age', 'Age and use'), ('cause', 'lubrication', 'Lubrication'),
    ('cause', 'dirt', 'Dirt or foreign matter'), ('cause', 'alignment', 'Alignment or balance'),
    ('cause', 'overload', 'Overload'), ('cause', 'corrosion', 'Corrosion'),
    ('cause', 'fatigue', 'Fatigue'), ('cause', 'electric', 'Power supply'),
    ('cause', 'operation', 'Operation'), ('cause', 'assembly', 'Earlier work'),
    ('cause', 'material', 'Material or part'), ('cause', 'design', 'Design'),
    ('cause', 'unknown', 'Unknown'),
    ('remedy', 'replaced', 'Replaced'), ('remedy', 'repaired', 'Repaired'),
    ('remedy', 'adjusted', 'Adjusted'), ('remedy', 'cleaned', 'Cleaned'),
    ('remedy', 'lubricated', 'Lubricated'), ('remedy', 'tightened', 'Tightened'),
    ('remedy', 'reset', 'Reset'), ('remedy', 'modified', 'Modified'),
    ('remedy', 'inspected', 'Looked at only'), ('remedy', 'none', 'Nothing done');
