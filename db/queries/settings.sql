-- name: setting_get
SELECT value FROM setting WHERE key = :key

-- name: setting_set
INSERT INTO setting (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
