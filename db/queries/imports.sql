-- name: import_start
INSERT INTO import (file, kind, started_ms) VALUES (:file, :kind, :now_ms)

-- name: import_finish
UPDATE import
SET ended_ms = :ended_ms, n_rows = :n_rows, n_new = :n_new, n_unchanged = :n_unchanged, n_bad = :n_bad
WHERE id = :id

-- name: quarantine_put
INSERT INTO quarantine (import_id, file, line, column_name, reason, raw, created_ms)
VALUES (:import_id, :file, :line, :column_name, :reason, :raw, :now_ms)
ON CONFLICT (file, line, raw, reason) DO NOTHING

-- name: import_list
SELECT id, file, kind, started_ms, ended_ms, n_rows, n_new, n_unchanged, n_bad FROM import
ORDER BY id DESC
LIMIT :limit

-- name: quarantine_list
SELECT id, import_id, file, line, column_name, reason, raw, created_ms FROM quarantine
WHERE :import_id = 0 OR import_id = :import_id
ORDER BY id
LIMIT :limit
