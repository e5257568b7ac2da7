-- What retention would take and took, which rule keeps the rest, who held what, and what collections freed.

CREATE TABLE sweeps (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  state TEXT NOT NULL,
  dry_run INTEGER NOT NULL,
  digest TEXT NOT NULL,
  planned_ms INTEGER NOT NULL,
  max_share REAL NOT NULL,
  points INTEGER NOT NULL,
  going INTEGER NOT NULL,
  series INTEGER NOT NULL,
  asking INTEGER NOT NULL,
  orphans INTEGER NOT NULL,
  policies TEXT NOT NULL CHECK (json_valid(policies)),
  waits_for TEXT,
  waits_until_ms INTEGER,
  approval TEXT CHECK (approval IS NULL OR json_valid(approval)),
  removed INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  spared INTEGER NOT NULL,
  confirmed_ms INTEGER,
  ended_ms INTEGER
) STRICT;
CREATE INDEX sweeps_by_repository ON sweeps (repository_id, planned_ms);
CREATE INDEX sweeps_by_time ON sweeps (planned_ms, run_id);

CREATE TABLE sweep_series (
  run_id TEXT NOT NULL REFERENCES sweeps (run_id) ON DELETE CASCADE,
  series TEXT NOT NULL,
  vm_id TEXT,
  vm_name TEXT NOT NULL,
  policy TEXT NOT NULL,
  orphan TEXT,
  points INTEGER NOT NULL,
  going INTEGER NOT NULL,
  asks INTEGER NOT NULL,
  PRIMARY KEY (run_id, series)
) STRICT;

CREATE TABLE sweep_points (
  run_id TEXT NOT NULL REFERENCES sweeps (run_id) ON DELETE CASCADE,
  stem TEXT NOT NULL,
  series TEXT NOT NULL,
  point_id TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  origin TEXT NOT NULL,
  policy TEXT NOT NULL,
  kept_by TEXT NOT NULL CHECK (json_valid(kept_by)),
  state TEXT NOT NULL,
  why TEXT,
  PRIMARY KEY (run_id, stem)
) STRICT;
CREATE INDEX sweep_points_by_state ON sweep_points (run_id, state, series, stem);

-- The last policy of each series: points of a VM or plan that no longer exists keep ageing by it.
CREATE TABLE series_policies (
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  series TEXT NOT NULL,
  policy TEXT NOT NULL,
  vm_id TEXT,
  vm_name TEXT NOT NULL,
  rules TEXT NOT NULL CHECK (json_valid(rules)),
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (repository_id, series, policy)
) STRICT;

CREATE TABLE removed_points (
  id TEXT PRIMARY KEY NOT NULL,
  stem TEXT NOT NULL,
  vm_id TEXT,
  repository_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  origin TEXT NOT NULL,
  name TEXT,
  removed_ms INTEGER NOT NULL,
  removed_by TEXT NOT NULL,
  why TEXT NOT NULL
) STRICT;
CREATE INDEX removed_points_by_repository ON removed_points (repository_id, removed_ms);

CREATE TABLE holds (
  name TEXT PRIMARY KEY NOT NULL,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  point_id TEXT NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  ms INTEGER
) STRICT;
CREATE INDEX holds_by_point ON holds (point_id);

CREATE TABLE collections (
  run_id TEXT PRIMARY KEY NOT NULL,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  why TEXT NOT NULL,
  report TEXT NOT NULL CHECK (json_valid(report))
) STRICT;
CREATE INDEX collections_by_repository ON collections (repository_id, ended_ms);
