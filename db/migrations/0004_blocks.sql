-- Blocks without an index beside them, short ones without a summary; the checksum covers the whole
-- row; codebooks that short blocks share.
CREATE TABLE reading_codebook (             -- how often the values of a sensor of a class occur; db/codebook.h
    id          INTEGER PRIMARY KEY,        -- named by blocks
    class_id    INTEGER NOT NULL REFERENCES asset_class(id), -- learnt from its assets
    sensor_name TEXT NOT NULL,              -- for sensors of this name
    crc         INTEGER NOT NULL,           -- CRC-32 of payload
    payload     BLOB NOT NULL,              -- see db/codebook.h
    UNIQUE (class_id, sensor_name)
) STRICT;

CREATE TABLE reading_block_new (            -- sealed readings of one sensor; blocks of a sensor never overlap
    sensor_id INTEGER NOT NULL REFERENCES sensor(id), -- whose
    start_ms  INTEGER NOT NULL,             -- instant of the first reading
    end_ms    INTEGER NOT NULL CHECK (end_ms >= start_ms), -- instant of the last reading
    n         INTEGER NOT NULL CHECK (n > 0), -- number of readings
    n_numbers INTEGER CHECK (n_numbers BETWEEN 0 AND n), -- readings that are not NaN; the four below are of these; NULL: a short block, no summary
    min       REAL,                         -- smallest value; NULL when n_numbers is 0
    max       REAL,                         -- largest value
    sum       REAL,                         -- sum of the values; NULL when infinities of both signs cancel
    last      REAL,                         -- newest value
    crc       INTEGER NOT NULL,             -- CRC-32 of payload and the columns before, see segment_row_crc()
    payload   BLOB NOT NULL,                -- see db/segment.h
    PRIMARY KEY (sensor_id, start_ms)
) STRICT, WITHOUT ROWID;
INSERT INTO reading_block_new (sensor_id, start_ms, end_ms, n, n_numbers, min, max, sum, last, crc, payload)
SELECT sensor_id, start_ms, end_ms, n, n_numbers, min, max, sum, last,
       fettle_block_crc(crc, sensor_id, start_ms, end_ms, n, n_numbers, min, max, sum, last), payload
FROM reading_block;
DROP TABLE reading_block;
ALTER TABLE reading_block_new RENAME TO reading_block;
