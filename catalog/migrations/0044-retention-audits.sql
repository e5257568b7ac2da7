-- Once a day of each repository: what its points are compared with what the rules promise (product P-AUDIT).
CREATE TABLE retention_audits (
  repository_id TEXT NOT NULL,
  ms INTEGER NOT NULL,
  vms INTEGER NOT NULL,
  points INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  vanished INTEGER NOT NULL,
  overdue INTEGER NOT NULL,
  swept_ms INTEGER,
  -- JSON: the first of them.
  deviations TEXT NOT NULL,
  PRIMARY KEY (repository_id, ms)
) STRICT;
