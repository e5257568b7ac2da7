-- The capacity governor: who holds a slot, who waits for one, and how many there are.

CREATE TABLE slot_claims (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  priority INTEGER NOT NULL,
  needs TEXT NOT NULL CHECK (json_valid(needs)),
  requested_ms INTEGER NOT NULL,
  granted_ms INTEGER,
  -- When its run was told of the grant.
  told_ms INTEGER,
  -- Until then it stands without anybody asking the engine whether its run is still there.
  lease_ms INTEGER NOT NULL,
  parked INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE slot_limits (
  resource TEXT PRIMARY KEY NOT NULL,
  slots INTEGER NOT NULL CHECK (slots >= 0)
) STRICT;
