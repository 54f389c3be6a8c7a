-- Readings that cannot be decoded any more are set aside with the bytes they had, so that the rest is
-- served and nothing is dropped in silence.
CREATE TABLE reading_damaged (              -- a block or a journal row with damage
    id        INTEGER PRIMARY KEY,          -- internal number
    sensor_id INTEGER,                      -- whose block it was; NULL = a journal row
    start_ms  INTEGER,                      -- first instant of the block
    end_ms    INTEGER,                      -- last instant of the block
    n         INTEGER NOT NULL,             -- number of readings, as the row said
    crc       INTEGER,                      -- checksum of the block, as the row said
    payload   BLOB NOT NULL,                -- its bytes
    reason    TEXT NOT NULL,                -- what was wrong
    found_ms  INTEGER NOT NULL              -- when it was set aside
) STRICT;
