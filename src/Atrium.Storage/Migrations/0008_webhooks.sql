-- Endpoints that are told what happens. One that is for an organization outlives it: it is told of the end, too. Nothing that happened up to the
-- position "since" is for it. It asked to be left alone until paused_until.
CREATE TABLE webhooks (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    events text NOT NULL,
    dialect text NOT NULL,
    organization_id uuid NULL,
    status text NOT NULL,
    status_reason text NULL,
    paused_until bigint NULL,
    since bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);

-- What messages are signed with; one with an end was rotated out, and signs until then.
CREATE TABLE webhook_secrets (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    sealed_secret bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, webhook_id) REFERENCES webhooks (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_by_webhook ON webhook_secrets (realm_id, webhook_id);
CREATE INDEX webhook_secrets_by_end ON webhook_secrets (realm_id, expires_at);

-- One event on its way to one endpoint, and the log of it afterwards. They go by age alone: an endpoint that is deleted leaves its own behind, so
-- that its deletion is short. holds: later ones of the same endpoint and subject wait for it, and have no next_attempt_at until then.
-- claim: the attempt that is under way; if its node dies, another makes it again at next_attempt_at.
CREATE TABLE webhook_deliveries (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    dialect text NOT NULL,
    body text NOT NULL,
    status text NOT NULL,
    tries bigint NOT NULL,
    holds boolean NOT NULL,
    next_attempt_at bigint NULL,
    claim uuid NULL,
    created_at bigint NOT NULL,
    finished_at bigint NULL,
    PRIMARY KEY (realm_id, id)
);
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (realm_id, webhook_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (realm_id, webhook_id, next_attempt_at) WHERE status = 'Pending';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (realm_id, webhook_id, subject, position) WHERE status = 'Pending';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (realm_id, created_at);

CREATE TABLE webhook_attempts (
    realm_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number bigint NOT NULL,
    started_at bigint NOT NULL,
    duration_ms bigint NOT NULL,
    status_code bigint NULL,
    answer text NULL,
    error text NULL,
    PRIMARY KEY (realm_id, delivery_id, number),
    FOREIGN KEY (realm_id, delivery_id) REFERENCES webhook_deliveries (realm_id, id) ON DELETE CASCADE
);
