-- name: api_key_insert
INSERT INTO api_key (public_id, name, role, hash, created_ms, expires_ms)
VALUES (:public_id, :name, :role, :hash, :created_ms, :expires_ms)

-- name: api_key_find
SELECT id, public_id, name, role, hash, created_ms, expires_ms, revoked_ms, used_ms FROM api_key
WHERE public_id = :public_id

-- name: api_key_revoke
UPDATE api_key SET revoked_ms = ifnull(revoked_ms, :now_ms) WHERE public_id = :public_id

-- name: api_key_touch
UPDATE api_key SET used_ms = :minute_ms WHERE id = :id AND ifnull(used_ms, 0) <> :minute_ms

-- name: api_key_list
SELECT id, public_id, name, role, hash, created_ms, expires_ms, revoked_ms, used_ms FROM api_key
ORDER BY id

-- name: idempotency_find
SELECT route, body_hash, status, location, etag, response FROM idempotency
WHERE api_key_id = :api_key_id AND key = :key AND created_ms > :oldest_ms

-- name: idempotency_purge
DELETE FROM idempotency WHERE created_ms <= :oldest_ms

-- name: idempotency_insert
INSERT INTO idempotency (key, api_key_id, route, body_hash, status, location, etag, response, created_ms)
VALUES (:key, :api_key_id, :route, :body_hash, :status, :location, :etag, :response, :now_ms)

-- name: webhook_insert
INSERT INTO webhook (url, secret, events, is_active, created_ms)
VALUES (:url, :secret, :events, :is_active, :now_ms)

-- name: webhook_delete
DELETE FROM webhook WHERE id = :id

-- name: webhook_list
SELECT id, url, secret, events, is_active FROM webhook ORDER BY id

-- name: delivery_enqueue
INSERT INTO webhook_delivery (webhook_id, message_id, event_type, body, state, next_try_ms, created_ms)
SELECT id, :message_id, :event_type, :body, 'waiting', :now_ms, :now_ms FROM webhook
WHERE is_active = 1
  AND (events = '*' OR instr(',' || replace(events, ' ', '') || ',', ',' || :event_type || ',') > 0)
ORDER BY id

-- name: delivery_due
SELECT d.id, d.webhook_id, w.url, w.secret, d.message_id, d.event_type, d.body, d.state, d.n_tries,
       d.next_try_ms, d.last_status, d.last_error, d.created_ms
FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
WHERE d.state = 'waiting' AND d.next_try_ms <= :now_ms AND w.is_active = 1
ORDER BY d.next_try_ms, d.id
LIMIT :limit

-- name: delivery_result
UPDATE webhook_delivery
SET state = :state, n_tries = n_tries + 1, next_try_ms = :next_try_ms, last_status = :http_status,
    last_error = :error
WHERE id = :id

-- name: delivery_list
SELECT d.id, d.webhook_id, w.url, w.secret, d.message_id, d.event_type, d.body, d.state, d.n_tries,
       d.next_try_ms, d.last_status, d.last_error, d.created_ms
FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
ORDER BY d.id DESC
LIMIT :limit

-- name: audit_put
INSERT INTO audit (ts_ms, actor, action, subject, detail)
VALUES (:ts_ms, :actor, :action, :subject, :detail)
