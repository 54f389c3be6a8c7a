-- name: event_of_key
SELECT id, asset_id, ifnull(component_id, 0), kind, ts_ms, code FROM event
WHERE external_key = :external_key

-- name: event_of_identity
SELECT id FROM event
WHERE asset_id = :asset_id AND ts_ms = :ts_ms AND kind = :kind
  AND ifnull(component_id, 0) = :component_id AND code = :code

-- name: event_insert
INSERT INTO event (asset_id, component_id, kind, ts_ms, code, note, downtime_ms, cost_minor, source,
                   external_key, part, created_ms)
VALUES (:asset_id, :component_id, :kind, :ts_ms, :code, :note, :downtime_ms, :cost_minor, :source,
        :external_key, :part, :now_ms)

-- name: event_get
SELECT id, asset_id, component_id, kind, ts_ms, code, note, downtime_ms, cost_minor, source,
       external_key, part
FROM event WHERE id = :id

-- name: event_list
SELECT e.id, e.asset_id, e.component_id, e.kind, e.ts_ms, e.code, e.note, e.downtime_ms,
       e.cost_minor, e.source, e.external_key,
       e.part
FROM event e
WHERE e.ts_ms >= :from_ms AND e.ts_ms < :to_ms
  AND (:class_id = 0 OR (SELECT class_id FROM asset WHERE id = e.asset_id) = :class_id)
  AND :kinds & CASE e.kind WHEN 'failure' THEN 1 WHEN 'replacement' THEN 2 WHEN 'repair' THEN 4
                           WHEN 'inspection' THEN 8 ELSE 16 END
  AND (:after_id = 0
       OR (e.ts_ms, e.id) > (SELECT a.ts_ms, a.id FROM event a WHERE a.id = :after_id))
ORDER BY e.ts_ms, e.id
LIMIT :limit

-- name: event_list_newest
SELECT e.id, e.asset_id, e.component_id, e.kind, e.ts_ms, e.code, e.note, e.downtime_ms,
       e.cost_minor, e.source, e.external_key,
       e.part
FROM event e
WHERE e.ts_ms >= :from_ms AND e.ts_ms < :to_ms
  AND (:class_id = 0 OR (SELECT class_id FROM asset WHERE id = e.asset_id) = :class_id)
  AND :kinds & CASE e.kind WHEN 'failure' THEN 1 WHEN 'replacement' THEN 2 WHEN 'repair' THEN 4
                           WHEN 'inspection' THEN 8 ELSE 16 END
  AND (:after_id = 0
       OR (e.ts_ms, e.id) < (SELECT a.ts_ms, a.id FROM event a WHERE a.id = :after_id))
ORDER BY e.ts_ms DESC, e.id DESC
LIMIT :limit

-- name: event_list_of_asset
SELECT e.id, e.asset_id, e.component_id, e.kind, e.ts_ms, e.code, e.note, e.downtime_ms,
       e.cost_minor, e.source, e.external_key,
       e.part
FROM event e
WHERE e.asset_id = :asset_id AND e.ts_ms >= :from_ms AND e.ts_ms < :to_ms
  AND (:class_id = 0 OR (SELECT class_id FROM asset WHERE id = e.asset_id) = :class_id)
  AND :kinds & CASE e.kind WHEN 'failure' THEN 1 WHEN 'replacement' THEN 2 WHEN 'repair' THEN 4
                           WHEN 'inspection' THEN 8 ELSE 16 END
  AND (:after_id = 0
       OR (e.ts_ms, e.id) > (SELECT a.ts_ms, a.id FROM event a WHERE a.id = :after_id))
ORDER BY e.ts_ms, e.id
LIMIT :limit

-- name: event_list_of_asset_newest
SELECT e.id, e.asset_id, e.component_id, e.kind, e.ts_ms, e.code, e.note, e.downtime_ms,
       e.cost_minor, e.source, e.external_key,
       e.part
FROM event e
WHERE e.asset_id = :asset_id AND e.ts_ms >= :from_ms AND e.ts_ms < :to_ms
  AND (:class_id = 0 OR (SELECT class_id FROM asset WHERE id = e.asset_id) = :class_id)
  AND :kinds & CASE e.kind WHEN 'failure' THEN 1 WHEN 'replacement' THEN 2 WHEN 'repair' THEN 4
                           WHEN 'inspection' THEN 8 ELSE 16 END
  AND (:after_id = 0
       OR (e.ts_ms, e.id) < (SELECT a.ts_ms, a.id FROM event a WHERE a.id = :after_id))
ORDER BY e.ts_ms DESC, e.id DESC
LIMIT :limit
