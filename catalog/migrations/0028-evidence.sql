-- What was signed of each drill, and the public keys by which that is verified: those that were replaced stay. The private
-- one is no matter of the catalog.

CREATE TABLE evidence_keys (
  -- SHA-256 of the public key as SubjectPublicKeyInfo, in hex.
  id TEXT PRIMARY KEY NOT NULL,
  -- PEM.
  public_key TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  -- Since when nothing is signed with it; null: it is the one of now.
  retired_ms INTEGER
) STRICT;

CREATE TABLE drill_evidence (
  drill_id TEXT PRIMARY KEY NOT NULL REFERENCES drills (id),
  key_id TEXT NOT NULL REFERENCES evidence_keys (id),
  -- The exact text that was signed.
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  -- base64
  signature TEXT NOT NULL,
  signed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX drill_evidence_by_key ON drill_evidence (key_id);
