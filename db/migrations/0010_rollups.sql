-- Hours of sensors as ordinary rows, for reports and as what stays of old readings.
CREATE TABLE reading_hour (                 -- one hour of one sensor; hours without a number have no row
    sensor_id INTEGER NOT NULL REFERENCES sensor(id), -- whose
    start_ms  INTEGER NOT NULL,             -- first instant of the hour
    n         INTEGER NOT NULL CHECK (n > 0), -- readings that are not NaN
    min       REAL,                         -- smallest value
    max       REAL,                         -- largest value
    mean      REAL,                         -- their mean; NULL when infinities of both signs cancel
    last      REAL,                         -- newest value
    PRIMARY KEY (sensor_id, start_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE reading_tier (                 -- how far the hours of a sensor have come
    sensor_id     INTEGER PRIMARY KEY REFERENCES sensor(id), -- whose
    hours_upto_ms INTEGER NOT NULL,         -- hours before it are computed
    frozen_ms     INTEGER NOT NULL          -- before it readings were thinned or dropped: hours stay as they are
) STRICT;

CREATE VIEW bi_rollup AS
SELECT a.key AS asset, s.name AS sensor, s.unit,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.start_ms / 1000, 'unixepoch') AS hour,
       h.n, h.min, h.max, h.mean, h.last, h.sensor_id, h.start_ms
FROM reading_hour h JOIN sensor s ON s.id = h.sensor_id JOIN asset a ON a.id = s.asset_id;
