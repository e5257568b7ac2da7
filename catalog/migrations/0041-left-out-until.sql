-- When a VM that is left out on purpose is protected again by itself (product P-POSTURE); NULL: when somebody says so.
ALTER TABLE vms ADD COLUMN excluded_until_ms INTEGER;
CREATE INDEX vms_excluded_until ON vms (excluded_until_ms) WHERE excluded_until_ms IS NOT NULL;
