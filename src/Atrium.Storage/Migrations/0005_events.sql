-- What happened, written in the transaction of the change. Here it waits for its place in the log: a change that began earlier may commit later,
-- and a reader that had gone past its place would never see it. inserted_at is the database's own clock, finer than a millisecond.
CREATE TABLE fresh_events (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    inserted_at bigint NOT NULL,
    type text NOT NULL,
    created_at bigint NOT NULL,
    subject text NOT NULL,
    organization_id uuid NULL,
    user_id uuid NULL,
    client_id text NULL,
    actor text NOT NULL,
    request_id text NULL,
    data text NOT NULL,
    changed text NULL,
    PRIMARY KEY (realm_id, id)
);

-- The log, append-only. It outlives what it speaks of, so it refers to nothing but its realm.
CREATE TABLE events (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    position bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    created_at bigint NOT NULL,
    subject text NOT NULL,
    organization_id uuid NULL,
    user_id uuid NULL,
    client_id text NULL,
    actor text NOT NULL,
    request_id text NULL,
    data text NOT NULL,
    changed text NULL,
    PRIMARY KEY (realm_id, position)
);
CREATE UNIQUE INDEX events_by_id ON events (realm_id, id);
CREATE INDEX events_by_type ON events (realm_id, type, position);
CREATE INDEX events_by_organization ON events (realm_id, organization_id, position);
CREATE INDEX events_by_user ON events (realm_id, user_id, position);
CREATE INDEX events_by_age ON events (realm_id, created_at);

-- How far somebody has come in a realm's log: the log itself, and whoever reads it to pass it on.
CREATE TABLE event_positions (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    reader text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (realm_id, reader)
);

ALTER TABLE realms ADD COLUMN settings text NOT NULL DEFAULT '{}';
ALTER TABLE realms ADD COLUMN updated_at bigint NOT NULL DEFAULT 0;
UPDATE realms SET updated_at = created_at;

-- The secret before the newest still works for a while.
ALTER TABLE api_keys ADD COLUMN old_secret_hash bytea NULL;
ALTER TABLE api_keys ADD COLUMN old_secret_ends_at bigint NULL;
ALTER TABLE api_keys ADD COLUMN updated_at bigint NOT NULL DEFAULT 0;
UPDATE api_keys SET updated_at = created_at;
CREATE UNIQUE INDEX api_keys_by_old_secret ON api_keys (old_secret_hash);

-- Which attempt reserved the key: nobody else keeps an answer under it, or gives it free.
ALTER TABLE idempotent_answers ADD COLUMN owner bytea NULL;
