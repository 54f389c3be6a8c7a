-- name: crew_put
INSERT INTO crew (name, skills, hours_per_day, weekdays, rate_minor_per_h)
VALUES (:name, :skills, :hours_per_day, :weekdays, :rate_minor_per_h)
ON CONFLICT (name) DO UPDATE
SET skills = excluded.skills, hours_per_day = excluded.hours_per_day, weekdays = excluded.weekdays,
    rate_minor_per_h = excluded.rate_minor_per_h
RETURNING id

-- name: crew_list
SELECT id, name, skills, hours_per_day, weekdays, rate_minor_per_h FROM crew ORDER BY name

-- name: calendar_insert
INSERT INTO calendar_entry (kind, start_ms, end_ms, crew_id, area, note, rrule)
VALUES (:kind, :start_ms, :end_ms, :crew_id, :area, :note, :rrule)

-- name: calendar_update
UPDATE calendar_entry
SET kind = :kind, start_ms = :start_ms, end_ms = :end_ms, crew_id = :crew_id, area = :area, note = :note,
    rrule = :rrule
WHERE id = :id

-- name: calendar_delete
DELETE FROM calendar_entry WHERE id = :id

-- name: calendar_list
SELECT id, kind, start_ms, end_ms, crew_id, area, note, rrule FROM calendar_entry
WHERE (end_ms > :from_ms OR rrule IS NOT NULL) AND start_ms < :to_ms
ORDER BY start_ms, id

-- name: plan_put
INSERT INTO plan (key, name, class_id, asset_id, component_id, action, interval_ms, tolerance_ms,
                  anchor_ms, is_floating, duration_h, cost_minor, skill, is_active, rrule, meter,
                  meter_interval, meter_only, season_from, season_to, covers, checklist, parts,
                  updated_ms)
VALUES (:key, :name, :class_id, :asset_id, :component_id, :action, :interval_ms, :tolerance_ms,
        :anchor_ms, :is_floating, :duration_h, :cost_minor, :skill, :is_active, :rrule, :meter,
        :meter_interval, :meter_only, :season_from, :season_to, :covers, :checklist, :parts,
        :updated_ms)
ON CONFLICT (key) DO UPDATE
SET name = excluded.name, class_id = excluded.class_id, asset_id = excluded.asset_id,
    component_id = excluded.component_id, action = excluded.action,
    interval_ms = excluded.interval_ms, tolerance_ms = excluded.tolerance_ms,
    anchor_ms = excluded.anchor_ms, is_floating = excluded.is_floating,
    duration_h = excluded.duration_h, cost_minor = excluded.cost_minor, skill = excluded.skill,
    is_active = excluded.is_active, rrule = excluded.rrule, meter = excluded.meter,
    meter_interval = excluded.meter_interval, meter_only = excluded.meter_only,
    season_from = excluded.season_from, season_to = excluded.season_to, covers = excluded.covers,
    checklist = excluded.checklist, parts = excluded.parts, version = version + 1,
    updated_ms = excluded.updated_ms
RETURNING id

-- name: plan_list
SELECT id, key, name, class_id, asset_id, component_id, action, interval_ms, tolerance_ms, anchor_ms,
       is_floating, duration_h, cost_minor, skill, is_active, rrule, meter, meter_interval,
       meter_only, season_from, season_to, covers, checklist, parts, version, updated_ms
FROM plan ORDER BY key

-- name: plan_by_key
SELECT id, key, name, class_id, asset_id, component_id, action, interval_ms, tolerance_ms, anchor_ms,
       is_floating, duration_h, cost_minor, skill, is_active, rrule, meter, meter_interval,
       meter_only, season_from, season_to, covers, checklist, parts, version, updated_ms
FROM plan WHERE key = :key

-- name: work_order_next_id
SELECT ifnull(max(id), 0) + 1 FROM work_order

-- name: work_order_has_key
SELECT 1 FROM work_order WHERE key = :key

-- name: work_order_insert
INSERT INTO work_order (key, external_key, title, note, kind, status, priority, asset_id, component_id,
                        plan_id, model_id, crew_id, due_ms, earliest_ms, latest_ms, scheduled_ms,
                        started_ms, ended_ms, duration_h, risk_by_due, expected_cost_minor,
                        waiting_minor_per_day, reason, outcome, is_pinned, version, created_ms,
                        updated_ms, assignee, labour_h, downtime_h, actual_cost_minor, failure_code,
                        cause_code, remedy_code, checklist, parts, approved_ms)
VALUES (:key, :external_key, :title, :note, :kind, :status, :priority, :asset_id, :component_id,
        :plan_id, :model_id, :crew_id, :due_ms, :earliest_ms, :latest_ms, :scheduled_ms, :started_ms,
        :ended_ms, :duration_h, :risk_by_due, :expected_cost_minor, :waiting_minor_per_day, :reason,
        :outcome, :is_pinned, 1, :created_ms, :updated_ms, :assignee, :labour_h, :downtime_h,
        :actual_cost_minor, :failure_code, :cause_code, :remedy_code, :checklist, :parts,
        CASE WHEN :status IN ('approved', 'scheduled', 'in_progress')
             THEN coalesce(:approved_ms, :now_ms) ELSE :approved_ms END)

-- name: work_order_update
UPDATE work_order
SET key = :key, external_key = :external_key, title = :title, note = :note, kind = :kind,
    status = :status, priority = :priority, asset_id = :asset_id, component_id = :component_id,
    plan_id = :plan_id, model_id = :model_id, crew_id = :crew_id, due_ms = :due_ms,
    earliest_ms = :earliest_ms, latest_ms = :latest_ms, scheduled_ms = :scheduled_ms,
    started_ms = :started_ms, ended_ms = :ended_ms, duration_h = :duration_h,
    risk_by_due = :risk_by_due, expected_cost_minor = :expected_cost_minor,
    waiting_minor_per_day = :waiting_minor_per_day, reason = :reason, outcome = :outcome,
    is_pinned = :is_pinned, version = version + 1, updated_ms = :updated_ms, assignee = :assignee,
    labour_h = :labour_h, downtime_h = :downtime_h, actual_cost_minor = :actual_cost_minor,
    failure_code = :failure_code, cause_code = :cause_code, remedy_code = :remedy_code,
    checklist = :checklist, parts = :parts,
    approved_ms = CASE WHEN :status = 'draft' THEN NULL
                       WHEN :status IN ('approved', 'scheduled', 'in_progress')
                       THEN coalesce(:approved_ms, approved_ms, :updated_ms)
                       ELSE coalesce(:approved_ms, approved_ms) END
WHERE id = :id AND version = :version

-- name: work_order_version
SELECT version FROM work_order WHERE id = :id

-- name: work_order_by_key
SELECT id, key, external_key, title, note, kind, status, priority, asset_id, component_id, plan_id,
       model_id, crew_id, due_ms, earliest_ms, latest_ms, scheduled_ms, started_ms, ended_ms,
       duration_h, risk_by_due, expected_cost_minor, waiting_minor_per_day, reason, outcome,
       is_pinned, version, created_ms, updated_ms, assignee, labour_h, downtime_h,
       actual_cost_minor, failure_code, cause_code, remedy_code, checklist, parts, approved_ms
FROM work_order WHERE key = :key

-- name: work_order_by_external_key
SELECT id, key, external_key, title, note, kind, status, priority, asset_id, component_id, plan_id,
       model_id, crew_id, due_ms, earliest_ms, latest_ms, scheduled_ms, started_ms, ended_ms,
       duration_h, risk_by_due, expected_cost_minor, waiting_minor_per_day, reason, outcome,
       is_pinned, version, created_ms, updated_ms, assignee, labour_h, downtime_h,
       actual_cost_minor, failure_code, cause_code, remedy_code, checklist, parts, approved_ms
FROM work_order WHERE external_key = :key

-- name: work_order_list
SELECT id, key, external_key, title, note, kind, status, priority, asset_id, component_id, plan_id,
       model_id, crew_id, due_ms, earliest_ms, latest_ms, scheduled_ms, started_ms, ended_ms,
       duration_h, risk_by_due, expected_cost_minor, waiting_minor_per_day, reason, outcome,
       is_pinned, version, created_ms, updated_ms, assignee, labour_h, downtime_h,
       actual_cost_minor, failure_code, cause_code, remedy_code, checklist, parts, approved_ms
FROM work_order
WHERE id > :after_id AND (:asset_id = 0 OR asset_id = :asset_id)
  AND (:status IS NULL OR instr(',' || :status || ',', ',' || status || ',') > 0)
  AND (:kind IS NULL OR kind = :kind) AND (:changed_since_ms = 0 OR updated_ms >= :changed_since_ms)
ORDER BY id
LIMIT :limit

-- name: code_put
INSERT INTO code (kind, code, name) VALUES (:kind, :code, :name)
ON CONFLICT (kind, code) DO UPDATE SET name = excluded.name

-- name: code_list
SELECT kind, code, name FROM code WHERE (:kind IS NULL OR kind = :kind) ORDER BY kind, code
