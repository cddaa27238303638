-- What the cleaner looks for: the oldest of each kind, realm by realm. These columns are written once and never changed, but for the end of a
-- session, so that rotating a token touches none of these indexes.
CREATE INDEX sign_ins_by_end ON sign_ins (realm_id, expires_at);
CREATE INDEX authorization_codes_by_end ON authorization_codes (realm_id, expires_at);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (realm_id, expires_at);
CREATE INDEX factor_challenges_by_end ON factor_challenges (realm_id, expires_at);
CREATE INDEX email_verifications_by_end ON email_verifications (realm_id, expires_at);
CREATE INDEX guesses_by_window ON guesses (realm_id, window_start);
CREATE INDEX idempotent_answers_by_age ON idempotent_answers (realm_id, created_at);
CREATE INDEX sessions_by_end ON sessions (realm_id, (coalesce(ended_at, expires_at)));
