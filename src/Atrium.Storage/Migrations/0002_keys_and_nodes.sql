-- These two tables belong to the installation and not to a realm: each has a few rows, whatever the number of realms.

-- The keys of the key file that anything here may be sealed under, by their fingerprints: a node whose file lacks one of them does not start.
-- One is sealing; the others only open what is not sealed anew yet.
CREATE TABLE storage_keys (
    fingerprint text NOT NULL PRIMARY KEY,
    state text NOT NULL,
    added_at bigint NOT NULL
);
CREATE UNIQUE INDEX storage_keys_that_seal ON storage_keys (state) WHERE state = 'sealing';

-- The servers that run. clock is the node's own, seen_at the database's at the same moment.
CREATE TABLE nodes (
    id uuid NOT NULL PRIMARY KEY,
    host text NOT NULL,
    version text NOT NULL,
    public_url text NOT NULL,
    keys text NOT NULL,
    started_at bigint NOT NULL,
    clock bigint NOT NULL,
    seen_at bigint NOT NULL
);
