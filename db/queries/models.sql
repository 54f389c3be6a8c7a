-- name: model_insert
INSERT INTO model (class_id, target, component_id, horizon_ms, kind, state, reason, created_ms,
                   until_ms, run_id, seed, build, fingerprint, params, features, metrics, sha256, body)
VALUES (:class_id, :target, :component_id, :horizon_ms, :kind, :state, :reason, :created_ms,
        :until_ms, :run_id, :seed, :build, :fingerprint, :params, :features, :metrics, :sha256, :body)

-- name: model_get
SELECT id, class_id, target, component_id, horizon_ms, kind, state, reason, created_ms, until_ms,
       run_id, seed, build, fingerprint, params, features, metrics, sha256, body
FROM model WHERE id = :id

-- name: model_champion
SELECT id, class_id, target, component_id, horizon_ms, kind, state, reason, created_ms, until_ms,
       run_id, seed, build, fingerprint, params, features, metrics, sha256, body
FROM model
WHERE state = 'champion' AND class_id = :class_id AND target = :target
  AND ifnull(component_id, 0) = :component_id AND horizon_ms = :horizon_ms

-- name: model_list
SELECT id, class_id, target, component_id, horizon_ms, kind, state, reason, created_ms, until_ms,
       run_id, seed, build, fingerprint, params, features, metrics, sha256, NULL
FROM model
WHERE (:class_id = 0 OR class_id = :class_id) AND (:target IS NULL OR target = :target)
  AND (:state IS NULL OR state = :state)
ORDER BY id DESC

-- name: model_retire_champion
UPDATE model
SET state = 'retired', reason = 'replaced by model ' || :id
WHERE state = 'champion' AND id <> :id
  AND (class_id, target, ifnull(component_id, 0), horizon_ms)
      = (SELECT m.class_id, m.target, ifnull(m.component_id, 0), m.horizon_ms FROM model m
         WHERE m.id = :id)

-- name: model_prune
DELETE FROM model
WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY target, ifnull(component_id, 0),
                                                            horizon_ms, state ORDER BY id DESC) AS place
                             FROM model
                             WHERE class_id = :class_id AND state <> 'champion')
             WHERE place > :keep)
  AND id NOT IN (SELECT model_id FROM ledger WHERE model_id IS NOT NULL)
  AND id NOT IN (SELECT model_id FROM work_order WHERE model_id IS NOT NULL)
  AND id NOT IN (SELECT model_id FROM forecast WHERE model_id IS NOT NULL)
  AND id NOT IN (SELECT model_id FROM forecast_previous WHERE model_id IS NOT NULL)

-- name: model_set_state
UPDATE model SET state = :state, reason = :reason WHERE id = :id
