-- Nothing has read this setting before, and its default was false: from here on it says whether an application asks people for their consent, and an
-- application that an operator registered is theirs unless they say otherwise.
UPDATE clients SET settings = replace(settings, '"first_party":false', '"first_party":true') WHERE settings LIKE '%"first_party":false%';

-- What a person has let an application of somebody else's have: these scopes, for these organizations, at this resource. One that is widened is replaced.
CREATE TABLE consents (
    realm_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id uuid NOT NULL,
    scopes text NOT NULL,
    choice text NOT NULL,
    organization_id uuid NULL,
    resource text NULL,
    granted_at bigint NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX consents_by_user ON consents (realm_id, user_id, client_id);
CREATE INDEX consents_by_client ON consents (realm_id, client_id);
CREATE INDEX consents_by_organization ON consents (realm_id, organization_id);

-- What a person last picked on the page that asks which organization an application's sign-in is for. It orders that page and decides nothing.
CREATE TABLE organization_choices (
    realm_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id uuid NOT NULL,
    choice text NOT NULL,
    organization_id uuid NULL,
    chosen_at bigint NOT NULL,
    PRIMARY KEY (realm_id, user_id, client_id),
    FOREIGN KEY (realm_id, user_id) REFERENCES users (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, client_id) REFERENCES clients (realm_id, id) ON DELETE CASCADE,
    FOREIGN KEY (realm_id, organization_id) REFERENCES organizations (realm_id, id) ON DELETE CASCADE
);
CREATE INDEX organization_choices_by_client ON organization_choices (realm_id, client_id);
CREATE INDEX organization_choices_by_organization ON organization_choices (realm_id, organization_id);
