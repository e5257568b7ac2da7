-- What each repository holds of the catalog itself, how long records are kept, and points that a repository lost.

CREATE TABLE own_backups (
  repository_id TEXT PRIMARY KEY NOT NULL REFERENCES repositories (id),
  stem TEXT,
  made_ms INTEGER,
  covered_seq INTEGER,
  bytes INTEGER,
  versions INTEGER,
  tried_ms INTEGER,
  error TEXT CHECK (error IS NULL OR json_valid(error))
) STRICT;

CREATE TABLE keeping (
  kind TEXT PRIMARY KEY NOT NULL,
  months INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;

ALTER TABLE points ADD COLUMN gone_ms INTEGER;
