-- Plain views for reports and BI tools: names in place of numbers, instants as RFC 3339 text in UTC,
-- money in minor units of the site's currency. docs/reference/sql.md says what each column means;
-- views keep their columns, new ones come at the end. Readings themselves: table reading.

CREATE VIEW bi_asset AS
SELECT a.id AS asset_id, a.key AS asset, a.name, c.name AS class, a.area,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.commissioned_ms / 1000, 'unixepoch') AS commissioned,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.retired_ms / 1000, 'unixepoch') AS retired,
       ifnull(a.downtime_minor_per_h, c.downtime_minor_per_h) AS downtime_minor_per_h,
       a.is_held_out
FROM asset a JOIN asset_class c ON c.id = a.class_id;

CREATE VIEW bi_sensor AS
SELECT s.id AS sensor_id, a.key AS asset, s.name AS sensor, c.name AS class, s.unit, s.role,
       (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', b.start_ms / 1000, 'unixepoch') FROM reading_block b
        WHERE b.sensor_id = s.id ORDER BY b.start_ms LIMIT 1) AS first_sealed,
       (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', b.end_ms / 1000, 'unixepoch') FROM reading_block b
        WHERE b.sensor_id = s.id ORDER BY b.start_ms DESC LIMIT 1) AS last_sealed,
       (SELECT ifnull(sum(b.n), 0) FROM reading_block b WHERE b.sensor_id = s.id) AS n_sealed
FROM sensor s JOIN asset a ON a.id = s.asset_id JOIN asset_class c ON c.id = a.class_id;

CREATE VIEW bi_event AS
SELECT e.id AS event_id, a.key AS asset, c.name AS class, p.name AS component, e.kind,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.ts_ms / 1000, 'unixepoch') AS ts, e.code, e.note,
       e.downtime_ms / 3600000.0 AS downtime_h, e.cost_minor, e.source
FROM event e JOIN asset a ON a.id = e.asset_id JOIN asset_class c ON c.id = a.class_id
LEFT JOIN component p ON p.id = e.component_id;

CREATE VIEW bi_forecast AS
SELECT a.key AS asset, c.name AS class, p.name AS component,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.as_of_ms / 1000, 'unixepoch') AS as_of,
       json_extract(f.body, '$.model_kind') AS model, f.model_id,
       json_extract(f.body, '$.rul.median_s') / 86400.0 AS rul_days,
       json_extract(f.body, '$.rul.low_s') / 86400.0 AS rul_low_days,
       json_extract(f.body, '$.rul.high_s') / 86400.0 AS rul_high_days,
       json_extract(f.body, '$.rul.coverage') AS rul_coverage,
       json_extract(h.value, '$.t_s') / 86400.0 AS horizon_days,
       json_extract(h.value, '$.p') AS p_failure,
       json_extract(h.value, '$.low') AS p_low, json_extract(h.value, '$.high') AS p_high
FROM forecast f JOIN asset a ON a.id = f.asset_id JOIN asset_class c ON c.id = a.class_id
LEFT JOIN component p ON p.id = f.component_id
LEFT JOIN json_each(f.body, '$.horizons') h;

CREATE VIEW bi_schedule AS
SELECT w.key AS work_order, w.external_key, a.key AS asset, c.name AS class, p.name AS component,
       w.kind, w.status, w.priority, w.title, r.name AS crew,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.due_ms / 1000, 'unixepoch') AS due,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.earliest_ms / 1000, 'unixepoch') AS earliest,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.latest_ms / 1000, 'unixepoch') AS latest,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.scheduled_ms / 1000, 'unixepoch') AS scheduled,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.started_ms / 1000, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%SZ', w.ended_ms / 1000, 'unixepoch') AS ended,
       w.duration_h, w.risk_by_due, w.expected_cost_minor, w.reason, w.outcome,
       w.labour_h, w.downtime_h, w.actual_cost_minor
FROM work_order w JOIN asset a ON a.id = w.asset_id JOIN asset_class c ON c.id = a.class_id
LEFT JOIN component p ON p.id = w.component_id LEFT JOIN crew r ON r.id = w.crew_id;

CREATE VIEW bi_ledger AS
SELECT l.id AS ledger_id, a.key AS asset, c.name AS class, p.name AS component, l.model_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.as_of_ms / 1000, 'unixepoch') AS as_of,
       l.horizon_ms / 86400000.0 AS horizon_days, l.p AS p_failure, l.outcome,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.decided_ms / 1000, 'unixepoch') AS decided
FROM ledger l JOIN asset a ON a.id = l.asset_id JOIN asset_class c ON c.id = a.class_id
LEFT JOIN component p ON p.id = l.component_id;
