-- The keys of those who run the installation. They belong to no realm: they make them.
CREATE TABLE operator_keys (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL
);

-- From this moment on the realm is not found any more; what is in it goes little by little.
ALTER TABLE realms ADD COLUMN deleted_at bigint NULL;
CREATE INDEX realms_deleted ON realms (deleted_at) WHERE deleted_at IS NOT NULL;

-- Identity providers that may vouch for an organization's people, or for the realm's. What they know us by in secret is sealed; settings holds the rest.
CREATE TABLE connections (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    organization_id uuid NULL,
    type text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    settings text NOT NULL,
    sealed_secret bytea NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX connections_by_organization ON connections (realm_id, organization_id, id);
