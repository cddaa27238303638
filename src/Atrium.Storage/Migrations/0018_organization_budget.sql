-- The days (their first millisecond, UTC) on which a client's tokens were found over its budget for organizations, each told once.
CREATE TABLE organization_budget_notices (
    realm_id uuid NOT NULL,
    client_id uuid NOT NULL,
    day bigint NOT NULL,
    PRIMARY KEY (realm_id, client_id, day),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX organization_budget_notices_by_day ON organization_budget_notices (realm_id, day);

-- What the scopes phone and address ask for (OpenID Connect Core section 5.1); address is a JSON object.
ALTER TABLE users ADD COLUMN phone_number text NULL;
ALTER TABLE users ADD COLUMN phone_number_verified boolean NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN address text NULL;
