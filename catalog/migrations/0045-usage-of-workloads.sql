-- What each VM has in each repository, by month: looked at once a day (product P-REPORT, usage).
CREATE TABLE workload_usage (
  repository_id TEXT NOT NULL,
  vm_id TEXT NOT NULL,
  -- YYYY-MM, in UTC.
  month TEXT NOT NULL,
  -- Days on which it was looked at.
  days INTEGER NOT NULL,
  -- As of the last look.
  points INTEGER NOT NULL,
  logical_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  -- Over all looks of the month.
  sum_stored_bytes INTEGER NOT NULL,
  most_stored_bytes INTEGER NOT NULL,
  looked_ms INTEGER NOT NULL,
  PRIMARY KEY (repository_id, month, vm_id)
) STRICT;
CREATE INDEX workload_usage_looked ON workload_usage (repository_id, looked_ms);
