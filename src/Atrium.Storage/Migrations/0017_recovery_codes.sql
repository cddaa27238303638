-- Codes that stand in for an authenticator app. One that is used is deleted.
CREATE TABLE recovery_codes (
    realm_id uuid NOT NULL,
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (realm_id, user_id, code_hash),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);

-- A factor that a person is setting up in a sign-in: its first right code makes it a factor. It goes with the sign-in.
CREATE TABLE factor_enrolments (
    realm_id uuid NOT NULL,
    factor_id uuid NOT NULL,
    sign_in_id uuid NOT NULL,
    user_id uuid NOT NULL,
    issuer text NOT NULL,
    account text NOT NULL,
    sealed_secret bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (realm_id, factor_id),
    FOREIGN KEY (realm_id, sign_in_id) REFERENCES sign_ins (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX factor_enrolments_by_sign_in ON factor_enrolments (realm_id, sign_in_id, user_id);
CREATE INDEX factor_enrolments_by_user ON factor_enrolments (realm_id, user_id);

-- Whether the person goes on as whom the browser is signed in as, and the recovery codes that are shown until they are kept.
ALTER TABLE sign_ins ADD COLUMN account_confirmed boolean NOT NULL DEFAULT FALSE;
ALTER TABLE sign_ins ADD COLUMN sealed_codes bytea NULL;
