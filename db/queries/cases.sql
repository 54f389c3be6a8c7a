-- name: case_insert
INSERT INTO risk_case (asset_id, component_id, state, opened_ms, p_window, saving_minor, updated_ms)
VALUES (:asset_id, :component_id, 'open', :opened_ms, :p_window, :saving_minor, :opened_ms)

-- name: case_update
UPDATE risk_case
SET state = :state, closed_ms = :closed_ms, until_ms = :until_ms, reason = :reason,
    verdict = :verdict, note = :note, version = version + 1, updated_ms = :updated_ms
WHERE id = :id AND version = :version

-- name: case_by_id
SELECT id, asset_id, component_id, state, opened_ms, closed_ms, until_ms, p_window, saving_minor,
       reason, verdict, note, version, updated_ms
FROM risk_case WHERE id = :id

-- name: case_list
SELECT id, asset_id, component_id, state, opened_ms, closed_ms, until_ms, p_window, saving_minor,
       reason, verdict, note, version, updated_ms
FROM risk_case
WHERE (:asset_id = 0 OR asset_id = :asset_id)
  AND (:state IS NULL OR instr(',' || :state || ',', ',' || state || ',') > 0)
  AND (:since_ms = 0 OR state IN ('open', 'approved', 'deferred') OR opened_ms >= :since_ms
       OR until_ms >= :since_ms)
ORDER BY id
