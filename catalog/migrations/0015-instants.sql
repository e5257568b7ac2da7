-- VMs that run from a repository: who started them, and what became of them.

CREATE TABLE instants (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  repository_id TEXT NOT NULL,
  point_id TEXT NOT NULL,
  vm_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  name TEXT NOT NULL,
  network TEXT NOT NULL,
  state TEXT NOT NULL,
  requested_user TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  booted_ms INTEGER,
  ended_ms INTEGER,
  error TEXT CHECK (error IS NULL OR json_valid(error))
) STRICT;
CREATE INDEX instants_by_time ON instants (started_ms, run_id);
