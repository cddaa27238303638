-- Which redemption spent a code. Redeeming is one round trip: what follows in it asks for its own mark here.
ALTER TABLE authorization_codes ADD COLUMN spent_by bytea NULL;
