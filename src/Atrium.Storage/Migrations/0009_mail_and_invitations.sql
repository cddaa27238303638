-- Letters that wait to be sent. sealed_letter is all that they say; due_at is moved into the future by whoever takes one, so that nobody else
-- does meanwhile, and attempts tells the taker whether it is still theirs.
CREATE TABLE mails (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    organization_id uuid NULL,
    kind text NOT NULL,
    about text NOT NULL,
    recipient text NOT NULL,
    sealed_letter bytea NOT NULL,
    attempts bigint NOT NULL,
    last_error text NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    due_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX mails_by_due ON mails (realm_id, due_at);
CREATE INDEX mails_by_about ON mails (realm_id, about);
CREATE INDEX mails_by_organization ON mails (realm_id, organization_id);

-- Letters that could not be sent, for the operator to see. What they said is gone.
CREATE TABLE mail_failures (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    attempts bigint NOT NULL,
    error text NOT NULL,
    failed_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);
CREATE INDEX mail_failures_by_age ON mail_failures (realm_id, failed_at);

-- What takes the place of a built-in template. owner_id is the organization, or the realm itself for its own.
CREATE TABLE mail_templates (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    owner_id uuid NOT NULL,
    kind text NOT NULL,
    organization_id uuid NULL,
    subject text NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, owner_id, kind),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_templates_by_organization ON mail_templates (realm_id, organization_id);

-- email is lower case. Whether one is pending or has expired is asked of the clock.
CREATE TABLE invitations (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    email text NOT NULL,
    scopes text NOT NULL,
    title text NULL,
    message text NULL,
    inviter_name text NULL,
    metadata text NOT NULL,
    lifetime_seconds bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    accepted_at bigint NULL,
    accepted_by uuid NULL,
    revoked_at bigint NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invitations_by_token ON invitations (realm_id, token_hash);
CREATE INDEX invitations_by_organization ON invitations (realm_id, organization_id, id);
CREATE INDEX invitations_by_email ON invitations (realm_id, organization_id, email, id);
CREATE INDEX invitations_by_end ON invitations (realm_id, (coalesce(accepted_at, revoked_at, expires_at)));
