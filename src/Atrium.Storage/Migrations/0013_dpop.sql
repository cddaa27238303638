-- Proofs of possession that were shown (RFC 9449 section 11.1). A row outlives every node's patience with its proof, so whatever finds one there is a replay.
CREATE TABLE dpop_proofs (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    proof_hash bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, proof_hash)
);
CREATE INDEX dpop_proofs_by_end ON dpop_proofs (realm_id, expires_at);

-- The thumbprint of the key that whoever redeems the code must hold, and of the one that holds a public client's refresh token.
ALTER TABLE authorization_codes ADD COLUMN dpop_jkt text NULL;
ALTER TABLE refresh_tokens ADD COLUMN dpop_jkt text NULL;
