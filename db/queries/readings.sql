-- name: journal_state
SELECT upto_id, next_sensor_id, (SELECT min(id) FROM reading_journal) FROM reading_seal

-- name: journal_set_state
UPDATE reading_seal SET upto_id = :upto_id, next_sensor_id = :next_sensor_id

-- name: journal_list
SELECT id, payload FROM reading_journal WHERE id > :after_id ORDER BY id

-- name: journal_insert
INSERT INTO reading_journal (id, n, payload) VALUES (:id, :n, :payload)

-- name: journal_delete
DELETE FROM reading_journal WHERE id <= :upto_id

-- name: sensor_block_end
SELECT (SELECT b.end_ms FROM reading_block b WHERE b.sensor_id = s.id ORDER BY b.start_ms DESC LIMIT 1)
FROM sensor s WHERE s.id = :sensor_id

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
SELECT max((SELECT b.end_ms FROM reading_block b WHERE b.sensor_id = s.id
            ORDER BY b.start_ms DESC LIMIT 1))
FROM sensor s

-- name: reading_newest_of_asset
SELECT s.id, (SELECT b.end_ms FROM reading_block b WHERE b.sensor_id = s.id
              ORDER BY b.start_ms DESC LIMIT 1)
FROM sensor s WHERE s.asset_id = :asset_id

-- name: reading_count
SELECT ifnull(sum(n), 0) FROM reading_block

-- name: codebook_get
SELECT id, crc, payload FROM reading_codebook WHERE id = :id

-- name: codebook_group
SELECT a.class_id, s.name,
       (SELECT c.id FROM reading_codebook c WHERE c.class_id = a.class_id AND c.sensor_name = s.name)
FROM sensor s JOIN asset a ON a.id = s.asset_id WHERE s.id = :sensor_id

-- name: codebook_insert
INSERT INTO reading_codebook (class_id, sensor_name, crc, payload)
VALUES (:class_id, :sensor_name, :crc, :payload)

-- name: damaged_add_block
INSERT INTO reading_damaged (sensor_id, start_ms, end_ms, n, crc, payload, reason, found_ms)
SELECT sensor_id, start_ms, end_ms, n, crc, payload, :reason, :found_ms
FROM reading_block WHERE sensor_id = :sensor_id AND start_ms = :start_ms

-- name: damaged_add_row
INSERT INTO reading_damaged (n, payload, reason, found_ms)
SELECT n, payload, :reason, :found_ms FROM reading_journal WHERE id = :id

-- name: damaged_remove_row
DELETE FROM reading_journal WHERE id = :id

-- name: damaged_count
SELECT count(*), ifnull(sum(n), 0) FROM reading_damaged

-- name: block_ninth
SELECT start_ms FROM reading_block WHERE sensor_id = :sensor_id AND start_ms > :after_ms
ORDER BY start_ms LIMIT 1 OFFSET 8

-- name: series_by_id
SELECT s.id, a.key, s.name FROM sensor s JOIN asset a ON a.id = s.asset_id WHERE s.id = :sensor_id

-- name: series_by_asset
SELECT s.id, a.key, s.name FROM asset a JOIN sensor s ON s.asset_id = a.id WHERE a.key = :asset
ORDER BY s.id

-- name: series_all
SELECT s.id, a.key, s.name FROM sensor s JOIN asset a ON a.id = s.asset_id ORDER BY s.id

-- name: tier_get
SELECT hours_upto_ms, frozen_ms FROM reading_tier WHERE sensor_id = :sensor_id

-- name: tier_set
INSERT INTO reading_tier (sensor_id, hours_upto_ms, frozen_ms)
VALUES (:sensor_id, :hours_upto_ms, :frozen_ms)
ON CONFLICT (sensor_id) DO UPDATE SET hours_upto_ms = excluded.hours_upto_ms, frozen_ms = excluded.frozen_ms

-- name: tier_touch
UPDATE reading_tier SET hours_upto_ms = :from_ms WHERE sensor_id = :sensor_id AND hours_upto_ms > :from_ms

-- name: tier_next_sensor
SELECT id FROM sensor WHERE id > :after_id ORDER BY id LIMIT 1

-- name: tier_forget
UPDATE reading_tier SET hours_upto_ms = frozen_ms

-- name: hours_insert
INSERT INTO reading_hour (sensor_id, start_ms, n, min, max, mean, last)
VALUES (:sensor_id, :start_ms, :n, :min, :max, :mean, :last)

-- name: hours_delete
DELETE FROM reading_hour WHERE sensor_id = :sensor_id AND start_ms >= :from_ms AND start_ms < :to_ms

-- name: hours_forget
DELETE FROM reading_hour
WHERE start_ms >= ifnull((SELECT t.frozen_ms FROM reading_tier t WHERE t.sensor_id = reading_hour.sensor_id), start_ms)
