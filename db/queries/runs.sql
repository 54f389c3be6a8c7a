-- name: run_start
INSERT INTO run (kind, state, started_ms) VALUES (:kind, 'running', :now_ms)

-- name: run_progress
UPDATE run SET stage = :stage, done = :done, total = :total WHERE id = :id

-- name: run_finish
UPDATE run SET state = :state, ended_ms = :now_ms, report = :report WHERE id = :id

-- name: run_mark_interrupted
UPDATE run SET state = 'interrupted', ended_ms = :now_ms WHERE state = 'running'

-- name: run_get
SELECT id, kind, state, started_ms, ended_ms, stage, done, total, report FROM run WHERE id = :id

-- name: run_list
SELECT id, kind, state, started_ms, ended_ms, stage, done, total, report FROM run
WHERE :kind IS NULL OR kind = :kind
ORDER BY id DESC
LIMIT :limit

-- name: lease_take
INSERT INTO lease (name, holder, expires_ms) VALUES (:name, :holder, :expires_ms)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_ms = excluded.expires_ms
WHERE lease.expires_ms <= :now_ms OR lease.holder = excluded.holder

-- name: lease_get
SELECT holder, expires_ms FROM lease WHERE name = :name

-- name: lease_release
DELETE FROM lease WHERE name = :name AND holder = :holder
