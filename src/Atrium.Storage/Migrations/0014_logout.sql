-- A session is over idle_timeout seconds after its last use. Those that were begun before there was such a limit go on as they would have.
ALTER TABLE sessions ADD COLUMN last_used_at bigint NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN idle_timeout bigint NOT NULL DEFAULT 2592000;
UPDATE sessions SET last_used_at = updated_at;

-- A person's sessions that nobody has ended, the newest of which are counted at each sign-in.
CREATE INDEX sessions_unended ON sessions (realm_id, user_id, id) WHERE ended_at IS NULL;

-- Whether the client's settings name an address to be told at, so that a session's end finds whom to tell without reading settings.
ALTER TABLE clients ADD COLUMN backchannel_logout boolean NOT NULL DEFAULT FALSE;

-- That a session has ended, on its way to a client that has something of it. Session and person may be gone before it is told: it holds what it says.
-- due_at and attempts are as in mails.
CREATE TABLE logout_notices (
    realm_id uuid NOT NULL,
    session_id uuid NOT NULL,
    client_id uuid NOT NULL,
    door text NOT NULL,
    organization_id uuid NULL,
    user_id uuid NOT NULL,
    attempts bigint NOT NULL,
    last_error text NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    due_at bigint NOT NULL,
    PRIMARY KEY (realm_id, session_id, client_id, door),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX logout_notices_by_client ON logout_notices (realm_id, client_id, due_at);
