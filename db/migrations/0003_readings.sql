-- Readings that were acknowledged but not sealed yet stand in a journal: one row for each batch that
-- came in, in place of one row for each reading.
CREATE TABLE reading_journal (              -- one ingest batch, not sealed yet
    id      INTEGER PRIMARY KEY,            -- grows with every batch; see reading_seal for the next one
    n       INTEGER NOT NULL CHECK (n > 0), -- number of readings
    payload BLOB NOT NULL                   -- see db/reading_journal.h
) STRICT;

CREATE TABLE reading_seal (                 -- how far the journal has been moved into blocks; one row
    id             INTEGER PRIMARY KEY CHECK (id = 1), -- always 1
    upto_id        INTEGER NOT NULL,        -- the walk under way (or the last one) takes journal rows up to here
    next_sensor_id INTEGER NOT NULL         -- sensors below it are done; the largest number: the walk is over
) STRICT;
INSERT INTO reading_seal (id, upto_id, next_sensor_id) VALUES (1, 0, 9223372036854775807);

INSERT INTO reading_journal (n, payload)
SELECT 1, fettle_journal_row(sensor_id, ts_ms, value) FROM reading_recent;
DROP TABLE reading_recent;
