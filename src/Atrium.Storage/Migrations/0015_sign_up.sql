-- Codes mailed within a sign-in to somebody who can't sign in yet: to make an account, or to choose a new password. A sign-in has one at a time,
-- and with it, it goes. code_hash is keyed with the sign-in's handle, which is stored hashed alone. user_id is whose password it is about.
CREATE TABLE mailed_codes (
    realm_id uuid NOT NULL,
    sign_in_id uuid NOT NULL,
    purpose text NOT NULL,
    email text NOT NULL,
    user_id uuid NULL,
    code_hash bytea NOT NULL,
    failed_tries bigint NOT NULL,
    shown_at bigint NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, sign_in_id),
    FOREIGN KEY (realm_id, sign_in_id) REFERENCES sign_ins (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX mailed_codes_by_user ON mailed_codes (realm_id, user_id);
