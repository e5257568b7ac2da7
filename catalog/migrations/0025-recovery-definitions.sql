-- Since when a recovery plan says what its runs do; and the runs under way, whose points retention keeps.

ALTER TABLE recovery_plans ADD COLUMN defined_ms INTEGER NOT NULL DEFAULT 0;
UPDATE recovery_plans SET defined_ms = changed_ms;
CREATE INDEX recovery_runs_open ON recovery_runs (run_id) WHERE ended_ms IS NULL;
