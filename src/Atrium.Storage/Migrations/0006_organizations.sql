-- An organization may belong to another. No foreign key: SQLite adds none to a table that is there; whoever makes or deletes one holds the other.
ALTER TABLE organizations ADD COLUMN parent_id uuid NULL;
ALTER TABLE organizations ADD COLUMN status_reason text NULL;
CREATE INDEX organizations_by_parent ON organizations (realm_id, parent_id, id);
CREATE INDEX organizations_by_status ON organizations (realm_id, status, id);

ALTER TABLE memberships ADD COLUMN metadata text NOT NULL DEFAULT '{}';
CREATE INDEX memberships_by_organization_and_status ON memberships (realm_id, organization_id, status, id);

-- Many organizations may claim a domain; one of them at most has shown that it is its own.
ALTER TABLE organization_domains ADD COLUMN state text NOT NULL DEFAULT 'Pending';
ALTER TABLE organization_domains ADD COLUMN checked_at bigint NULL;
UPDATE organization_domains SET state = 'Verified' WHERE verified;
DROP INDEX organization_domains_by_domain;
ALTER TABLE organization_domains DROP COLUMN verified;
CREATE UNIQUE INDEX organization_domains_by_domain ON organization_domains (realm_id, domain, organization_id);
CREATE UNIQUE INDEX organization_domains_verified ON organization_domains (realm_id, domain) WHERE state = 'Verified';

-- An organization's own roles; one stands in for the realm's of the same slug.
ALTER TABLE roles ADD COLUMN created_at bigint NOT NULL DEFAULT 0;
ALTER TABLE roles ADD COLUMN updated_at bigint NOT NULL DEFAULT 0;
CREATE TABLE organization_roles (
    realm_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    permissions text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, organization_id, slug),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
