-- Runbooks outlive the engine's retention; repositories tell how fast they fill.

CREATE TABLE histories (
  run_id TEXT PRIMARY KEY NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  workflow_id TEXT NOT NULL,
  event_count INTEGER NOT NULL,
  content BLOB NOT NULL,
  archived_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE repository_growth (
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  day TEXT NOT NULL,
  stored_bytes INTEGER NOT NULL,
  logical_bytes INTEGER NOT NULL,
  PRIMARY KEY (repository_id, day)
) STRICT;
