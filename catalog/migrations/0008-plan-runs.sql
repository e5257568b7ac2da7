-- Runs of plans: which VMs each takes, and what came of every one.

CREATE TABLE plan_runs (
  id TEXT PRIMARY KEY NOT NULL,
  run_id TEXT NOT NULL,
  plan TEXT NOT NULL,
  trigger_by TEXT NOT NULL,
  opened_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX plan_runs_by_plan ON plan_runs (plan, opened_ms, id);

CREATE TABLE plan_run_vms (
  plan_run TEXT NOT NULL REFERENCES plan_runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  vm_id TEXT NOT NULL,
  vm_name TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  may_retry INTEGER NOT NULL,
  lane TEXT,
  turn INTEGER,
  run_id TEXT,
  ended_ms INTEGER,
  detail TEXT NOT NULL,
  PRIMARY KEY (plan_run, position)
) STRICT;
CREATE INDEX plan_run_vms_by_state ON plan_run_vms (plan_run, state, position);
CREATE INDEX plan_run_vms_by_lane ON plan_run_vms (plan_run, lane, turn);

-- What was written down of a run goes with it.
CREATE TRIGGER plan_runs_go AFTER DELETE ON runs WHEN old.kind = 'plan' BEGIN
  DELETE FROM plan_runs WHERE id = old.workflow_id;
END;
