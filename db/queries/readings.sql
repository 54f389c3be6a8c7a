-- name: recent_get
SELECT value FROM reading_recent WHERE sensor_id = :sensor_id AND ts_ms = :ts_ms

-- name: recent_put
INSERT INTO reading_recent (sensor_id, ts_ms, value) VALUES (:sensor_id, :ts_ms, :value)
ON CONFLICT (sensor_id, ts_ms) DO UPDATE SET value = excluded.value

-- name: recent_scan
SELECT ts_ms, value FROM reading_recent
WHERE sensor_id = :sensor_id AND ts_ms BETWEEN :first_ms AND :last_ms
ORDER BY ts_ms

-- name: recent_delete
DELETE FROM reading_recent WHERE sensor_id = :sensor_id AND ts_ms BETWEEN :first_ms AND :last_ms

-- name: recent_is_long
SELECT count(*) >= :limit
FROM (SELECT 1 FROM reading_recent WHERE sensor_id = :sensor_id LIMIT :limit)

-- name: recent_span
SELECT count(*), min(ts_ms), max(ts_ms) FROM reading_recent WHERE sensor_id = :sensor_id

-- name: block_span
SELECT ifnull(sum(n), 0), min(start_ms), max(end_ms) FROM reading_block WHERE sensor_id = :sensor_id

-- name: block_list
SELECT start_ms, end_ms, n, n_numbers, min, max, sum, last FROM reading_block
WHERE sensor_id = :sensor_id AND start_ms <= :last_ms
  AND start_ms >= ifnull((SELECT max(b.start_ms) FROM reading_block b
                          WHERE b.sensor_id = :sensor_id AND b.start_ms <= :first_ms), :first_ms)
ORDER BY start_ms

-- name: block_get
SELECT crc, payload FROM reading_block WHERE sensor_id = :sensor_id AND start_ms = :start_ms

-- name: block_insert
INSERT INTO reading_block (sensor_id, start_ms, end_ms, n, n_numbers, min, max, sum, last, crc, payload)
VALUES (:sensor_id, :start_ms, :end_ms, :n, :n_numbers, :min, :max, :sum, :last, :crc, :payload)

-- name: block_delete
DELETE FROM reading_block WHERE sensor_id = :sensor_id AND start_ms = :start_ms

-- name: reading_sensors
SELECT id FROM sensor ORDER BY id

-- name: reading_newest
SELECT max((SELECT max(r.ts_ms) FROM reading_recent r WHERE r.sensor_id = s.id)),
       max((SELECT b.end_ms FROM reading_block b WHERE b.sensor_id = s.id
            ORDER BY b.start_ms DESC LIMIT 1))
FROM sensor s

-- name: reading_newest_of_asset
SELECT max((SELECT max(r.ts_ms) FROM reading_recent r WHERE r.sensor_id = s.id)),
       max((SELECT b.end_ms FROM reading_block b WHERE b.sensor_id = s.id
            ORDER BY b.start_ms DESC LIMIT 1))
FROM sensor s WHERE s.asset_id = :asset_id

-- name: reading_count
SELECT (SELECT count(*) FROM reading_recent) + (SELECT ifnull(sum(n), 0) FROM reading_block)
