-- One text for both databases. SQLite takes PostgreSQL's type words as they are: uuid and bytea hold blobs, bigint and boolean integers.
-- Times are Unix milliseconds. Every key starts with the realm, so that a distributed PostgreSQL can shard by it.

CREATE TABLE realms (
    id uuid NOT NULL PRIMARY KEY,
    handle text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE signing_keys (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    kid text NOT NULL,
    algorithm text NOT NULL,
    sealed_private_key bytea NOT NULL,
    certificate bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (realm_id, kid)
);

CREATE TABLE api_keys (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    scopes text NOT NULL,
    expires_at bigint NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);

CREATE TABLE clients (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    client_id text NOT NULL UNIQUE,
    name text NOT NULL,
    type text NOT NULL,
    secret_hash bytea NULL,
    redirect_uris text NOT NULL,
    post_logout_redirect_uris text NOT NULL,
    grant_types text NOT NULL,
    signature_algorithm text NULL,
    status text NOT NULL,
    shared_with_all boolean NOT NULL,
    settings text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);

-- Origins of the registered redirect URIs, kept beside the client so that a CORS preflight is one look-up.
CREATE TABLE client_origins (
    realm_id uuid NOT NULL,
    client_id uuid NOT NULL,
    origin text NOT NULL,
    PRIMARY KEY (realm_id, client_id, origin),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX client_origins_by_origin ON client_origins (origin, realm_id);

-- name_key is the form that names are searched in.
CREATE TABLE organizations (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    handle text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    status text NOT NULL,
    external_id text NULL,
    metadata text NOT NULL,
    settings text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);
CREATE UNIQUE INDEX organizations_by_handle ON organizations (realm_id, handle);
CREATE UNIQUE INDEX organizations_by_external_id ON organizations (realm_id, external_id);
CREATE INDEX organizations_by_name ON organizations (realm_id, name, id);

CREATE TABLE organization_domains (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    domain text NOT NULL,
    verified boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX organization_domains_by_domain ON organization_domains (realm_id, domain);
CREATE INDEX organization_domains_by_organization ON organization_domains (realm_id, organization_id, id);

-- Which organizations a client that is not shared with all may be used by at the app-native door.
CREATE TABLE client_organizations (
    realm_id uuid NOT NULL,
    client_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    PRIMARY KEY (realm_id, client_id, organization_id),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX client_organizations_by_organization ON client_organizations (realm_id, organization_id);

CREATE TABLE roles (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    slug text NOT NULL,
    name text NOT NULL,
    permissions text NOT NULL,
    PRIMARY KEY (realm_id, slug)
);

-- email_key and username_key are the forms that addresses and names are compared in.
CREATE TABLE users (
    realm_id uuid NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    email_verified boolean NOT NULL,
    username text NULL,
    username_key text NULL,
    given_name text NULL,
    family_name text NULL,
    name text NULL,
    picture text NULL,
    locale text NULL,
    external_id text NULL,
    metadata text NOT NULL,
    status text NOT NULL,
    password_hash text NULL,
    last_sign_in_at bigint NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id)
);
CREATE UNIQUE INDEX users_by_email ON users (realm_id, email_key);
CREATE UNIQUE INDEX users_by_username ON users (realm_id, username_key);
CREATE UNIQUE INDEX users_by_external_id ON users (realm_id, external_id);

CREATE TABLE memberships (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    scopes text NOT NULL,
    title text NULL,
    status text NOT NULL,
    joined_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX memberships_by_user ON memberships (realm_id, user_id, organization_id);
-- For lists page by page: without an index in the list's own order, SQLite reads through the whole realm to find it.
CREATE INDEX memberships_by_user_in_order ON memberships (realm_id, user_id, id);
CREATE INDEX memberships_by_organization ON memberships (realm_id, organization_id, id);
CREATE INDEX memberships_by_organization_and_user ON memberships (realm_id, organization_id, user_id);

CREATE TABLE factors (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    issuer text NOT NULL,
    account text NOT NULL,
    sealed_secret bytea NOT NULL,
    confirmed boolean NOT NULL,
    last_used_step bigint NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX factors_by_user ON factors (realm_id, user_id, id);

CREATE TABLE factor_challenges (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    factor_id uuid NOT NULL,
    failed_tries bigint NOT NULL,
    spent_at bigint NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, factor_id) REFERENCES factors (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX factor_challenges_by_factor ON factor_challenges (realm_id, factor_id);

CREATE TABLE email_verifications (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    email text NOT NULL,
    sealed_code bytea NOT NULL,
    failed_tries bigint NOT NULL,
    spent_at bigint NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX email_verifications_by_user ON email_verifications (realm_id, user_id, id);

CREATE TABLE sessions (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    cookie_hash bytea NULL,
    proofs text NOT NULL,
    authenticated_at bigint NOT NULL,
    ip_address text NULL,
    user_agent text NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_by_user ON sessions (realm_id, user_id, id);
CREATE UNIQUE INDEX sessions_by_cookie ON sessions (realm_id, cookie_hash);
-- For the one address that names a session and no realm: the sign-out of the AuthKit door.
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);

-- A sign-in under way. handle_hash is what the door gave out; version guards every change.
CREATE TABLE sign_ins (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    handle_hash bytea NOT NULL,
    browser_hash bytea NULL,
    client_id uuid NOT NULL,
    door text NOT NULL,
    request text NOT NULL,
    user_id uuid NULL,
    session_id uuid NULL,
    proofs text NOT NULL,
    choice text NOT NULL,
    organization_id uuid NULL,
    failed_tries bigint NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sign_ins_by_handle ON sign_ins (realm_id, handle_hash);
CREATE INDEX sign_ins_by_user ON sign_ins (realm_id, user_id);
CREATE INDEX sign_ins_by_client ON sign_ins (realm_id, client_id);

CREATE TABLE grants (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    client_id uuid NOT NULL,
    user_id uuid NOT NULL,
    door text NOT NULL,
    profile text NOT NULL,
    scopes text NOT NULL,
    choice text NOT NULL,
    organization_id uuid NULL,
    on_organization_path boolean NOT NULL,
    resource text NULL,
    created_at bigint NOT NULL,
    ended_at bigint NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, session_id) REFERENCES sessions (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX grants_by_session ON grants (realm_id, session_id);
CREATE INDEX grants_by_client ON grants (realm_id, client_id);
CREATE INDEX grants_by_organization ON grants (realm_id, organization_id, user_id);

CREATE TABLE authorization_codes (
    realm_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    grant_id uuid NOT NULL,
    redirect_uri text NULL,
    nonce text NULL,
    code_challenge text NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    spent_at bigint NULL,
    PRIMARY KEY (realm_id, code_hash),
    FOREIGN KEY (realm_id, grant_id) REFERENCES grants (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX authorization_codes_by_grant ON authorization_codes (realm_id, grant_id);

-- sealed_successor is encrypted under a key derived from the spent token itself: only its holder can be given it again.
CREATE TABLE refresh_tokens (
    realm_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    grant_id uuid NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    spent_at bigint NULL,
    sealed_successor bytea NULL,
    PRIMARY KEY (realm_id, token_hash),
    FOREIGN KEY (realm_id, grant_id) REFERENCES grants (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (realm_id, grant_id);

-- Wrong guesses of passwords and codes, counted in windows; see the limits of the sign-in.
CREATE TABLE guesses (
    realm_id uuid NOT NULL,
    target_hash bytea NOT NULL,
    window_start bigint NOT NULL,
    failures bigint NOT NULL,
    PRIMARY KEY (realm_id, target_hash, window_start),
    FOREIGN KEY (realm_id) REFERENCES realms (id) ON DELETE CASCADE
);

-- Answers kept for an Idempotency-Key, encrypted under the caller's credential and that key.
CREATE TABLE idempotent_answers (
    realm_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    fingerprint bytea NOT NULL,
    status bigint NULL,
    sealed_body bytea NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (realm_id, key_hash),
    FOREIGN KEY (realm_id) REFERENCES realms (id) ON DELETE CASCADE
);
