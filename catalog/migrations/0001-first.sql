-- The first schema. Every table is STRICT; times are Unix milliseconds, sizes are bytes, JSON is text.

CREATE TABLE installation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uuid TEXT NOT NULL,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE endpoints (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  platform TEXT NOT NULL,
  address TEXT NOT NULL,
  site TEXT NOT NULL,
  credential_ref TEXT NOT NULL,
  identity TEXT,
  options TEXT NOT NULL CHECK (json_valid(options)),
  created_ms INTEGER NOT NULL,
  discovered_ms INTEGER,
  probe TEXT CHECK (probe IS NULL OR json_valid(probe))
) STRICT;

CREATE TABLE vms (
  id TEXT PRIMARY KEY NOT NULL,
  endpoint_id TEXT NOT NULL REFERENCES endpoints (id),
  scope TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  power TEXT NOT NULL,
  tags TEXT NOT NULL CHECK (json_valid(tags)),
  disks TEXT NOT NULL CHECK (json_valid(disks)),
  size_bytes INTEGER NOT NULL,
  guest_agent TEXT NOT NULL,
  os TEXT,
  foreign_snapshots INTEGER NOT NULL,
  owner TEXT CHECK (owner IS NULL OR json_valid(owner)),
  findings TEXT NOT NULL CHECK (json_valid(findings)),
  category TEXT NOT NULL,
  excluded_reason TEXT,
  drill_checks TEXT NOT NULL CHECK (json_valid(drill_checks)),
  created_ms INTEGER NOT NULL,
  listing TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  gone_ms INTEGER,
  UNIQUE (endpoint_id, scope, external_id)
) STRICT;
CREATE INDEX vms_by_name ON vms (name, id);

CREATE TABLE repositories (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  site TEXT NOT NULL,
  location TEXT NOT NULL UNIQUE CHECK (json_valid(location)),
  credential_ref TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  test TEXT CHECK (test IS NULL OR json_valid(test)),
  usage TEXT CHECK (usage IS NULL OR json_valid(usage))
) STRICT;

CREATE TABLE points (
  id TEXT PRIMARY KEY NOT NULL,
  stem TEXT NOT NULL,
  vm_id TEXT NOT NULL REFERENCES vms (id),
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  parent_id TEXT,
  created_ms INTEGER NOT NULL,
  validated_ms INTEGER,
  origin TEXT NOT NULL,
  name TEXT,
  description TEXT,
  mode TEXT NOT NULL,
  consistency TEXT NOT NULL,
  freeze_duration_ms INTEGER,
  disks TEXT NOT NULL CHECK (json_valid(disks)),
  logical_bytes INTEGER NOT NULL,
  read_bytes INTEGER NOT NULL,
  new_bytes INTEGER NOT NULL,
  verify_level TEXT,
  verified_ms INTEGER,
  verify_chunks INTEGER,
  manifest_bytes INTEGER,
  refs TEXT NOT NULL CHECK (json_valid(refs)),
  workflow_id TEXT,
  run_id TEXT
) STRICT;
CREATE INDEX points_by_vm ON points (vm_id, created_ms);
CREATE INDEX points_by_time ON points (created_ms, id);
CREATE INDEX points_by_repository ON points (repository_id, created_ms);

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  vm_id TEXT,
  repository_id TEXT,
  point_id TEXT,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  progress TEXT CHECK (progress IS NULL OR json_valid(progress)),
  resumed_times INTEGER NOT NULL,
  bytes_read INTEGER,
  bytes_stored INTEGER,
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  residue TEXT NOT NULL CHECK (json_valid(residue)),
  summary TEXT,
  requested_user TEXT NOT NULL,
  requested_reason TEXT NOT NULL,
  idempotency_key TEXT,
  seen_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_workflow ON runs (workflow_id, started_ms);
CREATE INDEX runs_by_vm ON runs (vm_id, kind, started_ms);
CREATE INDEX runs_open ON runs (started_ms) WHERE ended_ms IS NULL;
CREATE INDEX runs_by_time ON runs (started_ms, run_id);
CREATE INDEX runs_by_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE drills (
  id TEXT PRIMARY KEY NOT NULL,
  vm_id TEXT NOT NULL REFERENCES vms (id),
  point_id TEXT NOT NULL,
  repository_id TEXT NOT NULL,
  verdict TEXT NOT NULL,
  why TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  rto_seconds REAL,
  restore_seconds REAL NOT NULL,
  boot_seconds REAL,
  checks TEXT NOT NULL CHECK (json_valid(checks)),
  screenshot TEXT,
  workflow_id TEXT NOT NULL,
  run_id TEXT NOT NULL
) STRICT;
CREATE INDEX drills_by_vm ON drills (vm_id, ended_ms);
CREATE INDEX drills_by_point ON drills (point_id, ended_ms);
CREATE INDEX drills_by_time ON drills (ended_ms, id);

-- AUTOINCREMENT: a sequence number is never given twice, also after the oldest rows were dropped.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  subject TEXT
) STRICT;

CREATE TABLE idempotency_keys (
  key TEXT PRIMARY KEY NOT NULL,
  request TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  status INTEGER,
  response TEXT,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER
) STRICT;

CREATE TABLE sessions (
  hash TEXT PRIMARY KEY NOT NULL,
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;
