-- What every page asks of all points and copies is counted as they come, change and go: to count a million rows takes a third
-- of a second, and the overview asked for it eight times.

CREATE TABLE tallies (
  -- `points`: that are there, and `runs`: of all, both under the label ''. By the day (UTC, since 1970) on which they were made
  -- or ended: `points-of-day` and `bytes-of-day` (new bytes), also of points that have gone since, `failed-of-day` and
  -- `cancelled-of-day` (backups).
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (name, label)
) STRICT, WITHOUT ROWID;

INSERT INTO tallies SELECT 'points', '', count(*) FROM points WHERE gone_ms IS NULL;
INSERT INTO tallies SELECT 'runs', '', count(*) FROM runs;
INSERT INTO tallies SELECT 'points-of-day', CAST(created_ms / 86400000 AS TEXT), count(*) FROM points GROUP BY 2;
INSERT INTO tallies SELECT 'bytes-of-day', CAST(created_ms / 86400000 AS TEXT), sum(new_bytes) FROM points GROUP BY 2;
INSERT INTO tallies SELECT 'failed-of-day', CAST(ended_ms / 86400000 AS TEXT), count(*) FROM runs
  WHERE kind = 'backup' AND ended_ms IS NOT NULL AND state IN ('failed', 'terminated') GROUP BY 2;
INSERT INTO tallies SELECT 'cancelled-of-day', CAST(ended_ms / 86400000 AS TEXT), count(*) FROM runs
  WHERE kind = 'backup' AND ended_ms IS NOT NULL AND state = 'cancelled' GROUP BY 2;

-- No upsert inside triggers: the statement that fires them may say what a conflict does, and would say it for them too.
CREATE TRIGGER tally_points_in AFTER INSERT ON points BEGIN
  UPDATE tallies SET value = value + (new.gone_ms IS NULL) WHERE name = 'points';
  INSERT INTO tallies SELECT n.column1, CAST(new.created_ms / 86400000 AS TEXT), 0 FROM (VALUES ('points-of-day'), ('bytes-of-day')) n
    WHERE NOT EXISTS (SELECT 1 FROM tallies t WHERE t.name = n.column1 AND t.label = CAST(new.created_ms / 86400000 AS TEXT));
  UPDATE tallies SET value = value + iif(name = 'points-of-day', 1, new.new_bytes)
    WHERE name IN ('points-of-day', 'bytes-of-day') AND label = CAST(new.created_ms / 86400000 AS TEXT);
END;
CREATE TRIGGER tally_points_out AFTER DELETE ON points BEGIN
  UPDATE tallies SET value = value - (old.gone_ms IS NULL) WHERE name = 'points';
  UPDATE tallies SET value = value - iif(name = 'points-of-day', 1, old.new_bytes)
    WHERE name IN ('points-of-day', 'bytes-of-day') AND label = CAST(old.created_ms / 86400000 AS TEXT);
END;
CREATE TRIGGER tally_points_gone AFTER UPDATE OF gone_ms ON points WHEN (old.gone_ms IS NULL) <> (new.gone_ms IS NULL) BEGIN
  UPDATE tallies SET value = value + iif(new.gone_ms IS NULL, 1, -1) WHERE name = 'points';
END;
CREATE TRIGGER tally_points_moved AFTER UPDATE OF created_ms, new_bytes ON points
  WHEN old.created_ms <> new.created_ms OR old.new_bytes <> new.new_bytes BEGIN
  UPDATE tallies SET value = value - iif(name = 'points-of-day', 1, old.new_bytes)
    WHERE name IN ('points-of-day', 'bytes-of-day') AND label = CAST(old.created_ms / 86400000 AS TEXT);
  INSERT INTO tallies SELECT n.column1, CAST(new.created_ms / 86400000 AS TEXT), 0 FROM (VALUES ('points-of-day'), ('bytes-of-day')) n
    WHERE NOT EXISTS (SELECT 1 FROM tallies t WHERE t.name = n.column1 AND t.label = CAST(new.created_ms / 86400000 AS TEXT));
  UPDATE tallies SET value = value + iif(name = 'points-of-day', 1, new.new_bytes)
    WHERE name IN ('points-of-day', 'bytes-of-day') AND label = CAST(new.created_ms / 86400000 AS TEXT);
END;

CREATE TRIGGER tally_runs_in AFTER INSERT ON runs BEGIN
  UPDATE tallies SET value = value + 1 WHERE name = 'runs';
END;
CREATE TRIGGER tally_runs_out AFTER DELETE ON runs BEGIN
  UPDATE tallies SET value = value - 1 WHERE name = 'runs';
END;
CREATE TRIGGER tally_run_in AFTER INSERT ON runs
  WHEN new.kind = 'backup' AND new.ended_ms IS NOT NULL AND new.state IN ('failed', 'terminated', 'cancelled') BEGIN
  INSERT INTO tallies SELECT iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day'), CAST(new.ended_ms / 86400000 AS TEXT), 0
    WHERE NOT EXISTS (SELECT 1 FROM tallies WHERE name = iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
      AND label = CAST(new.ended_ms / 86400000 AS TEXT));
  UPDATE tallies SET value = value + 1 WHERE name = iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
    AND label = CAST(new.ended_ms / 86400000 AS TEXT);
END;
CREATE TRIGGER tally_run_out AFTER DELETE ON runs
  WHEN old.kind = 'backup' AND old.ended_ms IS NOT NULL AND old.state IN ('failed', 'terminated', 'cancelled') BEGIN
  UPDATE tallies SET value = value - 1 WHERE name = iif(old.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
    AND label = CAST(old.ended_ms / 86400000 AS TEXT);
END;
CREATE TRIGGER tally_run_was AFTER UPDATE OF kind, state, ended_ms ON runs
  WHEN old.kind = 'backup' AND old.ended_ms IS NOT NULL AND old.state IN ('failed', 'terminated', 'cancelled') BEGIN
  UPDATE tallies SET value = value - 1 WHERE name = iif(old.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
    AND label = CAST(old.ended_ms / 86400000 AS TEXT);
END;
CREATE TRIGGER tally_run_is AFTER UPDATE OF kind, state, ended_ms ON runs
  WHEN new.kind = 'backup' AND new.ended_ms IS NOT NULL AND new.state IN ('failed', 'terminated', 'cancelled') BEGIN
  INSERT INTO tallies SELECT iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day'), CAST(new.ended_ms / 86400000 AS TEXT), 0
    WHERE NOT EXISTS (SELECT 1 FROM tallies WHERE name = iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
      AND label = CAST(new.ended_ms / 86400000 AS TEXT));
  UPDATE tallies SET value = value + 1 WHERE name = iif(new.state = 'cancelled', 'cancelled-of-day', 'failed-of-day')
    AND label = CAST(new.ended_ms / 86400000 AS TEXT);
END;

-- What a repository holds of a VM, and from where: of the copies that are done and not gone.
CREATE TABLE held (
  repository_id TEXT NOT NULL,
  vm_id TEXT NOT NULL,
  -- From where they are mirrored; '': from the hypervisor.
  source_id TEXT NOT NULL,
  points INTEGER NOT NULL,
  newest_ms INTEGER,
  stored_bytes INTEGER NOT NULL,
  -- Of which somebody has read more than the validation did.
  verified INTEGER NOT NULL,
  -- Of which no damage is known, and that are validated.
  whole INTEGER NOT NULL,
  newest_whole_ms INTEGER,
  PRIMARY KEY (repository_id, vm_id, source_id)
) STRICT, WITHOUT ROWID;

INSERT INTO held SELECT repository_id, vm_id, coalesce(source_id, ''), count(*), max(created_ms), sum(coalesce(stored_bytes, 0)),
    sum(coalesce(verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')), sum(validated_ms IS NOT NULL AND damaged_ms IS NULL),
    max(iif(validated_ms IS NOT NULL AND damaged_ms IS NULL, created_ms, NULL))
  FROM copies WHERE state = 'done' AND gone_ms IS NULL GROUP BY 1, 2, 3;

-- With all that the counting below asks, so that it reads no row of the table.
DROP INDEX copies_held;
CREATE INDEX copies_held ON copies (repository_id, vm_id, created_ms, stored_bytes, verify_level, state, gone_ms, source_id, validated_ms,
    damaged_ms) WHERE state = 'done' AND gone_ms IS NULL;

-- One that comes is added; after anything else the few rows of the VM are counted again, which cannot drift.
CREATE TRIGGER held_in AFTER INSERT ON copies WHEN new.state = 'done' AND new.gone_ms IS NULL BEGIN
  INSERT INTO held SELECT new.repository_id, new.vm_id, coalesce(new.source_id, ''), 0, NULL, 0, 0, 0, NULL
    WHERE NOT EXISTS (SELECT 1 FROM held WHERE repository_id = new.repository_id AND vm_id = new.vm_id AND source_id = coalesce(new.source_id, ''));
  UPDATE held SET points = points + 1, newest_ms = max(coalesce(newest_ms, new.created_ms), new.created_ms),
      stored_bytes = stored_bytes + coalesce(new.stored_bytes, 0),
      verified = verified + (coalesce(new.verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')),
      whole = whole + (new.validated_ms IS NOT NULL AND new.damaged_ms IS NULL),
      newest_whole_ms = iif(new.validated_ms IS NOT NULL AND new.damaged_ms IS NULL,
        max(coalesce(newest_whole_ms, new.created_ms), new.created_ms), newest_whole_ms)
    WHERE repository_id = new.repository_id AND vm_id = new.vm_id AND source_id = coalesce(new.source_id, '');
END;
CREATE TRIGGER held_out AFTER DELETE ON copies WHEN old.state = 'done' AND old.gone_ms IS NULL BEGIN
  DELETE FROM held WHERE repository_id = old.repository_id AND vm_id = old.vm_id AND source_id = coalesce(old.source_id, '');
  INSERT INTO held SELECT repository_id, vm_id, coalesce(source_id, ''), count(*), max(created_ms), sum(coalesce(stored_bytes, 0)),
      sum(coalesce(verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')), sum(validated_ms IS NOT NULL AND damaged_ms IS NULL),
      max(iif(validated_ms IS NOT NULL AND damaged_ms IS NULL, created_ms, NULL))
    FROM copies INDEXED BY copies_held WHERE state = 'done' AND gone_ms IS NULL AND repository_id = old.repository_id AND vm_id = old.vm_id
      AND coalesce(source_id, '') = coalesce(old.source_id, '') GROUP BY 1, 2, 3;
END;
CREATE TRIGGER held_moved AFTER UPDATE OF repository_id, vm_id, source_id ON copies
  WHEN old.state = 'done' AND old.gone_ms IS NULL
    AND (old.repository_id <> new.repository_id OR old.vm_id <> new.vm_id OR old.source_id IS NOT new.source_id) BEGIN
  DELETE FROM held WHERE repository_id = old.repository_id AND vm_id = old.vm_id AND source_id = coalesce(old.source_id, '');
  INSERT INTO held SELECT repository_id, vm_id, coalesce(source_id, ''), count(*), max(created_ms), sum(coalesce(stored_bytes, 0)),
      sum(coalesce(verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')), sum(validated_ms IS NOT NULL AND damaged_ms IS NULL),
      max(iif(validated_ms IS NOT NULL AND damaged_ms IS NULL, created_ms, NULL))
    FROM copies INDEXED BY copies_held WHERE state = 'done' AND gone_ms IS NULL AND repository_id = old.repository_id AND vm_id = old.vm_id
      AND coalesce(source_id, '') = coalesce(old.source_id, '') GROUP BY 1, 2, 3;
END;
CREATE TRIGGER held_changed
  AFTER UPDATE OF repository_id, vm_id, source_id, created_ms, state, validated_ms, stored_bytes, verify_level, damaged_ms, gone_ms ON copies
  WHEN (old.state = 'done' OR new.state = 'done') AND (old.repository_id, old.vm_id, old.source_id, old.created_ms, old.state,
      old.validated_ms, old.stored_bytes, old.verify_level, old.damaged_ms, old.gone_ms) IS NOT (new.repository_id, new.vm_id,
      new.source_id, new.created_ms, new.state, new.validated_ms, new.stored_bytes, new.verify_level, new.damaged_ms, new.gone_ms) BEGIN
  DELETE FROM held WHERE repository_id = new.repository_id AND vm_id = new.vm_id AND source_id = coalesce(new.source_id, '');
  INSERT INTO held SELECT repository_id, vm_id, coalesce(source_id, ''), count(*), max(created_ms), sum(coalesce(stored_bytes, 0)),
      sum(coalesce(verify_level, '') IN ('spot-checked', 'quick', 'data', 'full')), sum(validated_ms IS NOT NULL AND damaged_ms IS NULL),
      max(iif(validated_ms IS NOT NULL AND damaged_ms IS NULL, created_ms, NULL))
    FROM copies INDEXED BY copies_held WHERE state = 'done' AND gone_ms IS NULL AND repository_id = new.repository_id AND vm_id = new.vm_id
      AND coalesce(source_id, '') = coalesce(new.source_id, '') GROUP BY 1, 2, 3;
END;

-- The newest points of a VM, the few that are damaged, and runs in the order of their list, by their state and by their end.
CREATE INDEX points_validated ON points (vm_id, created_ms) WHERE validated_ms IS NOT NULL;
CREATE INDEX points_damaged ON points (created_ms, id) WHERE damaged_ms IS NOT NULL;
CREATE INDEX runs_listed ON runs ((ended_ms IS NULL), started_ms, run_id);
CREATE INDEX runs_by_state ON runs (state, started_ms);
CREATE INDEX runs_ended ON runs (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX runs_residue ON runs (ended_ms) WHERE residue <> '[]';
