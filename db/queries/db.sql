-- name: begin_write
BEGIN IMMEDIATE

-- name: begin_read
BEGIN

-- name: take_snapshot
SELECT 1 FROM sqlite_schema LIMIT 1

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: change_counter_add
UPDATE change_counter
SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))

-- name: change_counter_get
SELECT n FROM change_counter

-- name: integrity_check
PRAGMA integrity_check(1)

-- name: foreign_key_check
PRAGMA foreign_key_check

-- name: vacuum_into
VACUUM INTO :target

-- name: savepoint
SAVEPOINT unit

-- name: savepoint_release
RELEASE unit

-- name: savepoint_undo
ROLLBACK TO unit

-- name: free_pages
SELECT f.freelist_count, p.page_count FROM pragma_freelist_count f, pragma_page_count p
