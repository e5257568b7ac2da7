-- Counts what somebody set for a VM: two who change it at the same time find out about each other.
ALTER TABLE vms ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
