-- What-ifs that are kept, to be compared: nothing of the plan changes with them.

CREATE TABLE scenario (                     -- a kept what-if
    id          INTEGER PRIMARY KEY,        -- internal number
    key         TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 100), -- its name
    changes     TEXT NOT NULL,              -- JSON: what was changed, as it was asked
    result      TEXT NOT NULL,              -- JSON: the plan with and without, when it was computed
    actor       TEXT NOT NULL,              -- who keeps it: name of the API key
    computed_ms INTEGER NOT NULL            -- when
) STRICT;
