-- What the list of VMs asks of each VM, and the posture of all of them at once, is read from an index alone, or from the one row
-- that is meant: rows of one VM lie far apart, and a hundred of them are a hundred pages.

-- Whether the newest backup failed, and how long the last ones took.
CREATE INDEX runs_backups ON runs (vm_id, started_ms, state, ended_ms) WHERE kind = 'backup';
-- The newest run that is open, and the newest that has ended.
CREATE INDEX runs_open_of ON runs (vm_id, started_ms, run_id) WHERE ended_ms IS NULL;
CREATE INDEX runs_ended_of ON runs (vm_id, started_ms, run_id) WHERE ended_ms IS NOT NULL;
-- What changes on a VM in a day.
CREATE INDEX points_changed ON points (vm_id, created_ms, read_bytes, new_bytes) WHERE mode = 'incremental';
-- How many points it has: all of them but those that are gone.
CREATE INDEX points_gone_of ON points (vm_id) WHERE gone_ms IS NOT NULL;

-- The posture of all VMs asks of each that is outside of its promise whether its newest backup failed: those whose did are few.
CREATE TABLE backups_failed (
  vm_id TEXT PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO backups_failed SELECT v.vm_id FROM (SELECT DISTINCT vm_id FROM runs WHERE kind = 'backup' AND vm_id IS NOT NULL) v
  WHERE (SELECT state FROM runs INDEXED BY runs_backups WHERE vm_id = v.vm_id AND kind = 'backup' AND ended_ms IS NOT NULL
    ORDER BY started_ms DESC, state DESC LIMIT 1) IN ('failed', 'terminated');

-- Looked up again after whatever changes it: that cannot drift.
CREATE TRIGGER backup_failed_in AFTER INSERT ON runs WHEN new.kind = 'backup' AND new.vm_id IS NOT NULL AND new.ended_ms IS NOT NULL BEGIN
  DELETE FROM backups_failed WHERE vm_id = new.vm_id;
  INSERT INTO backups_failed SELECT new.vm_id
    WHERE (SELECT state FROM runs INDEXED BY runs_backups WHERE vm_id = new.vm_id AND kind = 'backup' AND ended_ms IS NOT NULL
      ORDER BY started_ms DESC, state DESC LIMIT 1) IN ('failed', 'terminated');
END;
CREATE TRIGGER backup_failed_out AFTER DELETE ON runs WHEN old.kind = 'backup' AND old.vm_id IS NOT NULL AND old.ended_ms IS NOT NULL BEGIN
  DELETE FROM backups_failed WHERE vm_id = old.vm_id;
  INSERT INTO backups_failed SELECT old.vm_id
    WHERE (SELECT state FROM runs INDEXED BY runs_backups WHERE vm_id = old.vm_id AND kind = 'backup' AND ended_ms IS NOT NULL
      ORDER BY started_ms DESC, state DESC LIMIT 1) IN ('failed', 'terminated');
END;
CREATE TRIGGER backup_failed_was AFTER UPDATE OF kind, state, vm_id, started_ms, ended_ms ON runs
  WHEN old.kind = 'backup' AND old.vm_id IS NOT NULL AND old.ended_ms IS NOT NULL BEGIN
  DELETE FROM backups_failed WHERE vm_id = old.vm_id;
  INSERT INTO backups_failed SELECT old.vm_id
    WHERE (SELECT state FROM runs INDEXED BY runs_backups WHERE vm_id = old.vm_id AND kind = 'backup' AND ended_ms IS NOT NULL
      ORDER BY started_ms DESC, state DESC LIMIT 1) IN ('failed', 'terminated');
END;
CREATE TRIGGER backup_failed_is AFTER UPDATE OF kind, state, vm_id, started_ms, ended_ms ON runs
  WHEN new.kind = 'backup' AND new.vm_id IS NOT NULL AND new.ended_ms IS NOT NULL BEGIN
  DELETE FROM backups_failed WHERE vm_id = new.vm_id;
  INSERT INTO backups_failed SELECT new.vm_id
    WHERE (SELECT state FROM runs INDEXED BY runs_backups WHERE vm_id = new.vm_id AND kind = 'backup' AND ended_ms IS NOT NULL
      ORDER BY started_ms DESC, state DESC LIMIT 1) IN ('failed', 'terminated');
END;
