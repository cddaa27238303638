-- Authorization requests that clients sent ahead of the browser. uri_hash is that of the reference which the browser brings, once: whoever takes a
-- request deletes it, so that what is here was not used yet. path_organization is the organization of the path it was pushed on, as it was sent.
CREATE TABLE pushed_requests (
    realm_id uuid NOT NULL,
    uri_hash bytea NOT NULL,
    client_id uuid NOT NULL,
    parameters text NOT NULL,
    path_organization text NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, uri_hash),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX pushed_requests_by_client ON pushed_requests (realm_id, client_id);
CREATE INDEX pushed_requests_by_end ON pushed_requests (realm_id, expires_at);
