-- A key is published, then signs, then is replaced and known for a while yet.
ALTER TABLE signing_keys ADD COLUMN activated_at bigint NULL;
ALTER TABLE signing_keys ADD COLUMN replaced_at bigint NULL;
UPDATE signing_keys SET activated_at = created_at;

-- The secret before the last rotation, and until when it is taken.
ALTER TABLE clients ADD COLUMN previous_secret_hash bytea NULL;
ALTER TABLE clients ADD COLUMN previous_secret_ends_at bigint NULL;

ALTER TABLE sessions ADD COLUMN end_reason text NULL;

-- Those who are disabled, page by page, are found without reading through everybody else.
CREATE INDEX users_by_status ON users (realm_id, status, id);
