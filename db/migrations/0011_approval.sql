-- Work orders: when they were approved. The lead time of a spare counts from there.

ALTER TABLE work_order ADD COLUMN approved_ms INTEGER; -- when it last was approved; NULL = never, or a draft again

-- Work that is approved already: what the audit says; else the last change, which cannot be too early.
UPDATE work_order
SET approved_ms = coalesce((SELECT max(a.ts_ms) FROM audit a
                            WHERE a.action = 'work_order.patch' AND a.subject = work_order.key
                              AND json_valid(a.detail)
                              AND json_extract(a.detail, '$.status') = 'approved'), updated_ms)
WHERE status IN ('approved', 'scheduled', 'in_progress');
