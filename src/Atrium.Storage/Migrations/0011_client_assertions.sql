-- The assertions by which clients have proved themselves, each good once: what is remembered is the hash of the jti, until the assertion has ended.
CREATE TABLE client_assertions (
    realm_id uuid NOT NULL,
    client_id uuid NOT NULL,
    jti_hash bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, client_id, jti_hash),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX client_assertions_by_age ON client_assertions (realm_id, expires_at);
