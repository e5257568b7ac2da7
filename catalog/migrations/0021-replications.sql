-- VMs and the standbys that follow them on another hypervisor.

CREATE TABLE replications (
  id TEXT PRIMARY KEY NOT NULL,
  vm_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  name TEXT NOT NULL,
  rpo_ms INTEGER NOT NULL,
  is_paused INTEGER NOT NULL,
  state TEXT NOT NULL,
  run_id TEXT,
  act TEXT,
  head_point TEXT,
  head_ms INTEGER,
  links INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  standby TEXT CHECK (standby IS NULL OR json_valid(standby)),
  tried_ms INTEGER,
  ended_ms INTEGER,
  cycle_ms INTEGER,
  cycle_bytes INTEGER,
  failures INTEGER NOT NULL,
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  fence TEXT,
  moved_ms INTEGER,
  lost_ms INTEGER,
  tested_ms INTEGER,
  test_outcome TEXT,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX replications_by_pair ON replications (vm_id, endpoint_id);
