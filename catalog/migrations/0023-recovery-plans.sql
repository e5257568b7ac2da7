-- Recovery plans, and what came of each rehearsal and each run of them.

CREATE TABLE recovery_plans (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  spec TEXT NOT NULL CHECK (json_valid(spec)),
  revision INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX recovery_plans_by_name ON recovery_plans (name);

CREATE TABLE recovery_runs (
  run_id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  plan_name TEXT NOT NULL,
  mode TEXT NOT NULL,
  spec TEXT NOT NULL CHECK (json_valid(spec)),
  until_ms INTEGER,
  without_people INTEGER NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  tiers TEXT NOT NULL CHECK (json_valid(tiers)),
  requested_user TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;
CREATE INDEX recovery_runs_by_plan ON recovery_runs (plan_id, started_ms);
