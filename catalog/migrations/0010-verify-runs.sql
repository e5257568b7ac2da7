-- Verifies as runs, what each has found, and which points and disks need it.

CREATE TABLE verify_runs (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  level TEXT NOT NULL,
  quarantine INTEGER NOT NULL,
  budget_bytes INTEGER,
  state TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  points INTEGER NOT NULL,
  packs INTEGER NOT NULL,
  packs_resumed INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  damages INTEGER NOT NULL,
  unreadable INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  damaged_points INTEGER NOT NULL,
  unreadable_points INTEGER NOT NULL,
  mended_points INTEGER NOT NULL,
  notes TEXT NOT NULL CHECK (json_valid(notes)),
  notes_left INTEGER NOT NULL,
  error TEXT CHECK (error IS NULL OR json_valid(error))
) STRICT;
CREATE INDEX verify_runs_by_repository ON verify_runs (repository_id, started_ms);
CREATE INDEX verify_runs_by_time ON verify_runs (started_ms, run_id);

CREATE TABLE verify_findings (
  run_id TEXT NOT NULL REFERENCES verify_runs (run_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  object TEXT NOT NULL,
  pack TEXT,
  found TEXT NOT NULL,
  message TEXT NOT NULL,
  proved INTEGER NOT NULL,
  affects TEXT NOT NULL CHECK (json_valid(affects)),
  PRIMARY KEY (run_id, number)
) STRICT;
