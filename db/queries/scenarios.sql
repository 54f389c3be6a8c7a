-- name: scenario_put
INSERT INTO scenario (key, changes, result, actor, computed_ms)
VALUES (:key, :changes, :result, :actor, :computed_ms)
ON CONFLICT (key) DO UPDATE
SET changes = excluded.changes, result = excluded.result, actor = excluded.actor,
    computed_ms = excluded.computed_ms

-- name: scenario_delete
DELETE FROM scenario WHERE key = :key

-- name: scenario_by_key
SELECT id, key, changes, result, actor, computed_ms FROM scenario WHERE key = :key

-- name: scenario_list
SELECT id, key, changes, result, actor, computed_ms FROM scenario ORDER BY key
