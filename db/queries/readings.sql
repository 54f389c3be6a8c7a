-- name: recent_get
SELECT value FROM reading_recent WHERE sensor_id = :sensor_id AND ts_ms = :ts_ms

-- name: recent_put
INSERT INTO reading_recent (sensor_id, ts_ms, value) VALUES (:sensor_id, :ts_ms, :value)
ON CONFLICT (sensor_id, ts_ms) DO UPDATE SET value = excluded.value

-- name: recent_scan
SELECT ts_ms, value FROM reading_recent
WHERE sensor_id = :sensor_id AND ts_ms >= :from_ms AND ts_ms < :to_ms
ORDER BY ts_ms

-- name: recent_span
SELECT count(*), min(ts_ms), max(ts_ms) FROM reading_recent WHERE sensor_id = :sensor_id

-- name: recent_newest
SELECT max((SELECT max(r.ts_ms) FROM reading_recent r WHERE r.sensor_id = s.id)) FROM sensor s

-- name: recent_count
SELECT count(*) FROM reading_recent

-- name: recent_newest_of_asset
SELECT max((SELECT max(r.ts_ms) FROM reading_recent r WHERE r.sensor_id = s.id)), count(*)
FROM sensor s WHERE s.asset_id = :asset_id
