-- Media with copies that are on their way to a repository. Until then nothing is sent there by itself, and its lag is no trouble.
CREATE TABLE shipments (
  source_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  target_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  sent_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  note TEXT NOT NULL,
  user TEXT NOT NULL,
  PRIMARY KEY (source_id, target_id)
) STRICT;
