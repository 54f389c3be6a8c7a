-- name: class_find
SELECT id, name, cycle_ms, downtime_minor_per_h, false_alarm_minor FROM asset_class
WHERE name = :name

-- name: class_list
SELECT id, name, cycle_ms, downtime_minor_per_h, false_alarm_minor FROM asset_class
ORDER BY name

-- name: class_insert
INSERT INTO asset_class (name, created_ms) VALUES (:name, :now_ms)

-- name: class_update
UPDATE asset_class
SET name = :name, cycle_ms = :cycle_ms, downtime_minor_per_h = :downtime_minor_per_h,
    false_alarm_minor = :false_alarm_minor
WHERE id = :id

-- name: component_find
SELECT id FROM component WHERE class_id = :class_id AND name = :name

-- name: component_list
SELECT id, class_id, name, unplanned_h, planned_h, unplanned_repair_minor, planned_repair_minor,
       spare, spare_lead_ms, skill
FROM component
WHERE :class_id = 0 OR class_id = :class_id
ORDER BY name, class_id

-- name: component_insert
INSERT INTO component (class_id, name) VALUES (:class_id, :name)

-- name: component_update
UPDATE component
SET class_id = :class_id, name = :name, unplanned_h = :unplanned_h, planned_h = :planned_h,
    unplanned_repair_minor = :unplanned_repair_minor, planned_repair_minor = :planned_repair_minor,
    spare = :spare, spare_lead_ms = :spare_lead_ms, skill = :skill
WHERE id = :id

-- name: asset_find
SELECT id, class_id, key, name, area, downtime_minor_per_h, commissioned_ms, retired_ms,
       is_held_out, true_rul_ms
FROM asset WHERE key = :key

-- name: asset_get
SELECT id, class_id, key, name, area, downtime_minor_per_h, commissioned_ms, retired_ms,
       is_held_out, true_rul_ms
FROM asset WHERE id = :id

-- name: asset_list
SELECT id, class_id, key, name, area, downtime_minor_per_h, commissioned_ms, retired_ms,
       is_held_out, true_rul_ms
FROM asset
WHERE :class_id = 0 OR class_id = :class_id
ORDER BY key

-- name: asset_class_of_key
SELECT a.id, c.name FROM asset a JOIN asset_class c ON c.id = a.class_id WHERE a.key = :key

-- name: asset_insert
INSERT INTO asset (key, class_id, created_ms) VALUES (:key, :class_id, :now_ms)

-- name: asset_update
UPDATE asset
SET class_id = :class_id, key = :key, name = :name, area = :area,
    downtime_minor_per_h = :downtime_minor_per_h, commissioned_ms = :commissioned_ms,
    retired_ms = :retired_ms, is_held_out = :is_held_out, true_rul_ms = :true_rul_ms
WHERE id = :id

-- name: asset_attribute_set
INSERT INTO asset_attribute (asset_id, name, value) VALUES (:asset_id, :name, :value)
ON CONFLICT (asset_id, name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value

-- name: asset_attribute_list
SELECT name, value FROM asset_attribute
WHERE asset_id BETWEEN :first_id AND :last_id
ORDER BY name, asset_id

-- name: sensor_find
SELECT id FROM sensor WHERE asset_id = :asset_id AND name = :name

-- name: sensor_count
SELECT count(*) FROM sensor

-- name: sensor_insert
INSERT INTO sensor (asset_id, name) VALUES (:asset_id, :name)

-- name: sensor_update
UPDATE sensor SET asset_id = :asset_id, name = :name, unit = :unit, role = :role, low = :low,
    high = :high, rollover = :rollover
WHERE id = :id

-- name: sensor_list
SELECT id, asset_id, name, unit, role, low, high, rollover FROM sensor WHERE asset_id = :asset_id ORDER BY name

-- name: sensor_list_all
SELECT s.id, s.asset_id, s.name, s.unit, s.role, s.low, s.high, s.rollover
FROM sensor s JOIN asset a ON a.id = s.asset_id
ORDER BY a.key, s.name

-- name: arrival_add
INSERT INTO sensor_arrival (sensor_id, n, n_repeated, n_changed, n_late)
VALUES (:sensor_id, :n, :n_repeated, :n_changed, :n_late)
ON CONFLICT (sensor_id) DO UPDATE SET n = n + excluded.n,
    n_repeated = n_repeated + excluded.n_repeated, n_changed = n_changed + excluded.n_changed,
    n_late = n_late + excluded.n_late

-- name: arrival_get
SELECT n, n_repeated, n_changed, n_late FROM sensor_arrival WHERE sensor_id = :sensor_id

-- name: move_components
INSERT INTO component (class_id, name, unplanned_h, planned_h, unplanned_repair_minor,
                       planned_repair_minor, spare, spare_lead_ms, skill)
SELECT DISTINCT :class_id, name, unplanned_h, planned_h, unplanned_repair_minor,
       planned_repair_minor, spare, spare_lead_ms, skill
FROM component
WHERE (id IN (SELECT component_id FROM event WHERE asset_id = :asset_id)
       OR id IN (SELECT component_id FROM work_order WHERE asset_id = :asset_id))
  AND name NOT IN (SELECT name FROM component WHERE class_id = :class_id)

-- name: move_events
UPDATE event
SET component_id = (SELECT n.id FROM component n JOIN component o ON o.name = n.name
                    WHERE o.id = event.component_id AND n.class_id = :class_id)
WHERE asset_id = :asset_id AND component_id IS NOT NULL

-- name: move_work_orders
UPDATE work_order
SET component_id = (SELECT n.id FROM component n JOIN component o ON o.name = n.name
                    WHERE o.id = work_order.component_id AND n.class_id = :class_id)
WHERE asset_id = :asset_id AND component_id IS NOT NULL

-- name: move_asset
UPDATE asset SET class_id = :class_id WHERE id = :asset_id
