-- name: forecast_previous_clear
DELETE FROM forecast_previous
WHERE EXISTS (SELECT 1 FROM asset a WHERE a.id = forecast_previous.asset_id AND a.class_id = :class_id)
  AND EXISTS (SELECT 1 FROM forecast f JOIN asset a ON a.id = f.asset_id
              WHERE a.class_id = :class_id AND f.scored_ms < :midnight_ms)

-- name: forecast_previous_fill
INSERT INTO forecast_previous (asset_id, component_id, as_of_ms, scored_ms, model_id, body)
SELECT f.asset_id, f.component_id, f.as_of_ms, f.scored_ms, f.model_id, f.body
FROM forecast f JOIN asset a ON a.id = f.asset_id
WHERE a.class_id = :class_id AND f.scored_ms < :midnight_ms

-- name: forecast_clear
DELETE FROM forecast
WHERE EXISTS (SELECT 1 FROM asset a WHERE a.id = forecast.asset_id AND a.class_id = :class_id)

-- name: forecast_insert
INSERT INTO forecast (asset_id, component_id, as_of_ms, scored_ms, model_id, body)
VALUES (:asset_id, :component_id, :as_of_ms, :scored_ms, :model_id, :body)

-- name: forecast_list
SELECT f.asset_id, f.component_id, f.as_of_ms, f.scored_ms, f.model_id, f.body
FROM forecast f
WHERE (:asset_id = 0 OR f.asset_id = :asset_id)
  AND (:class_id = 0 OR (SELECT a.class_id FROM asset a WHERE a.id = f.asset_id) = :class_id)
ORDER BY f.asset_id, ifnull(f.component_id, 0)

-- name: forecast_previous_list
SELECT asset_id, component_id, as_of_ms, scored_ms, model_id, body FROM forecast_previous
ORDER BY asset_id, ifnull(component_id, 0)

-- name: ledger_put
INSERT INTO ledger (asset_id, component_id, model_id, as_of_ms, horizon_ms, p)
VALUES (:asset_id, :component_id, :model_id, :as_of_ms, :horizon_ms, :p)
ON CONFLICT (asset_id, ifnull(component_id, 0), as_of_ms, horizon_ms) DO NOTHING

-- name: ledger_due
SELECT l.id, l.asset_id, ifnull(l.component_id, 0), l.as_of_ms, l.horizon_ms,
       (SELECT a.retired_ms FROM asset a WHERE a.id = l.asset_id)
FROM ledger l
WHERE l.outcome IS NULL AND l.as_of_ms + l.horizon_ms <= :now_ms
ORDER BY l.asset_id, l.id

-- name: ledger_first_failure
SELECT id, ts_ms FROM event
WHERE asset_id = :asset_id AND kind = 'failure' AND ts_ms > :after_ms AND ts_ms <= :until_ms
  AND (:component_id = 0 OR component_id = :component_id)
ORDER BY ts_ms, id LIMIT 1

-- name: ledger_first_replacement
SELECT id, ts_ms FROM event
WHERE asset_id = :asset_id AND kind = 'replacement' AND ts_ms > :after_ms AND ts_ms <= :until_ms
  AND (component_id IS NULL OR component_id = :component_id)
ORDER BY ts_ms, id LIMIT 1

-- name: event_newest
SELECT max(ts_ms) FROM event

-- name: ledger_decide
UPDATE ledger SET outcome = :outcome, event_id = :event_id, decided_ms = :now_ms WHERE id = :id

-- name: ledger_list
SELECT id, asset_id, component_id, model_id, as_of_ms, horizon_ms, p, outcome, event_id, decided_ms
FROM ledger
WHERE asset_id BETWEEN :first_id AND :last_id
ORDER BY as_of_ms DESC, id DESC
LIMIT :limit
