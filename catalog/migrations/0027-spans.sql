-- The posture of all VMs, and when each is due for a drill, ask for the newest and the oldest point of each: to look them up is
-- half of what the overview of ten thousand VMs takes.

CREATE TABLE spans (
  -- With validated points; without any, there is no row.
  vm_id TEXT PRIMARY KEY NOT NULL,
  oldest_ms INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO spans SELECT vm_id, min(created_ms), max(created_ms) FROM points WHERE validated_ms IS NOT NULL GROUP BY 1;

-- Each end is one look into the index, so that it is looked up again instead of being moved: that cannot drift.
CREATE TRIGGER span_in AFTER INSERT ON points WHEN new.validated_ms IS NOT NULL BEGIN
  DELETE FROM spans WHERE vm_id = new.vm_id;
  INSERT INTO spans SELECT new.vm_id,
    (SELECT min(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = new.vm_id AND validated_ms IS NOT NULL),
    (SELECT max(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = new.vm_id AND validated_ms IS NOT NULL);
END;
CREATE TRIGGER span_out AFTER DELETE ON points WHEN old.validated_ms IS NOT NULL BEGIN
  DELETE FROM spans WHERE vm_id = old.vm_id;
  INSERT INTO spans SELECT old.vm_id,
      (SELECT min(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL),
      (SELECT max(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL)
    WHERE EXISTS (SELECT 1 FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL);
END;
CREATE TRIGGER span_left AFTER UPDATE OF vm_id, created_ms, validated_ms ON points WHEN old.validated_ms IS NOT NULL
    AND (old.vm_id, old.created_ms, old.validated_ms IS NULL) IS NOT (new.vm_id, new.created_ms, new.validated_ms IS NULL) BEGIN
  DELETE FROM spans WHERE vm_id = old.vm_id;
  INSERT INTO spans SELECT old.vm_id,
      (SELECT min(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL),
      (SELECT max(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL)
    WHERE EXISTS (SELECT 1 FROM points INDEXED BY points_validated WHERE vm_id = old.vm_id AND validated_ms IS NOT NULL);
END;
CREATE TRIGGER span_come AFTER UPDATE OF vm_id, created_ms, validated_ms ON points WHEN new.validated_ms IS NOT NULL
    AND (old.vm_id, old.created_ms, old.validated_ms IS NULL) IS NOT (new.vm_id, new.created_ms, new.validated_ms IS NULL) BEGIN
  DELETE FROM spans WHERE vm_id = new.vm_id;
  INSERT INTO spans SELECT new.vm_id,
    (SELECT min(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = new.vm_id AND validated_ms IS NOT NULL),
    (SELECT max(created_ms) FROM points INDEXED BY points_validated WHERE vm_id = new.vm_id AND validated_ms IS NOT NULL);
END;

-- Drills are few among the runs.
CREATE INDEX runs_drills ON runs (vm_id, started_ms) WHERE kind = 'drill';
