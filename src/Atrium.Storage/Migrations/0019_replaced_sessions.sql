-- The session that took the place of this one in its browser, when the same person signed in anew or showed more: signing out ends both.
ALTER TABLE sessions ADD COLUMN replaced_by uuid NULL;
CREATE INDEX sessions_by_replacement ON sessions (realm_id, replaced_by);
