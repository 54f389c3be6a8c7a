-- Sensors: values that can be, the value at which a counter begins again. How readings came in.
-- Events: the serial number of the part that went in, so that age follows the part.

ALTER TABLE sensor ADD COLUMN low REAL;     -- least value that can be; NULL = no limit
ALTER TABLE sensor ADD COLUMN high REAL;    -- greatest value that can be; NULL = no limit
ALTER TABLE sensor ADD COLUMN rollover REAL CHECK (rollover > 0); -- a meter begins at 0 again here (100000 for five digits); NULL = a fall is a new counter
ALTER TABLE event ADD COLUMN part TEXT;     -- serial number of the part that a replacement put in; NULL = unknown

CREATE TABLE sensor_arrival (               -- how the readings of a sensor came in by line protocol, MQTT and API, summed up now and then
    sensor_id  INTEGER PRIMARY KEY REFERENCES sensor(id), -- whose
    n          INTEGER NOT NULL,            -- readings that came
    n_repeated INTEGER NOT NULL,            -- of them: stood there already, the same
    n_changed  INTEGER NOT NULL,            -- of them: took the place of another value
    n_late     INTEGER NOT NULL             -- of them: older than one that had come before
) STRICT;
