-- What a copy is a copy of stands with it, so that what is asked of all copies of a repository is answered by an index alone.
-- When repositories were measured, which of their packs were read as a whole, and what is read of them every day.

CREATE TABLE copies_next (
  point_id TEXT NOT NULL REFERENCES points (id) ON DELETE CASCADE,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  -- Of the point, and like it for good.
  vm_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- From where it is mirrored; null: it came from the hypervisor.
  source_id TEXT REFERENCES repositories (id),
  -- Its name there; null until it is there.
  stem TEXT,
  state TEXT NOT NULL CHECK (state IN ('pending', 'in-progress', 'done', 'failed', 'removed')),
  wanted_ms INTEGER NOT NULL,
  validated_ms INTEGER,
  stored_bytes INTEGER,
  verify_level TEXT,
  verified_ms INTEGER,
  verify_chunks INTEGER,
  lock_until_ms INTEGER,
  damaged_ms INTEGER,
  damage TEXT,
  gone_ms INTEGER,
  removed_ms INTEGER,
  attempts INTEGER NOT NULL,
  retry_ms INTEGER,
  problem TEXT,
  by_hand INTEGER NOT NULL,
  run_id TEXT,
  PRIMARY KEY (point_id, repository_id)
) STRICT;
INSERT INTO copies_next SELECT c.point_id, c.repository_id, p.vm_id, p.created_ms, c.source_id, c.stem, c.state, c.wanted_ms,
    c.validated_ms, c.stored_bytes, c.verify_level, c.verified_ms, c.verify_chunks, c.lock_until_ms, c.damaged_ms, c.damage,
    c.gone_ms, c.removed_ms, c.attempts, c.retry_ms, c.problem, c.by_hand, c.run_id
  FROM copies c JOIN points p ON p.id = c.point_id;
DROP TABLE copies;
ALTER TABLE copies_next RENAME TO copies;
CREATE INDEX copies_by_stem ON copies (stem);
CREATE INDEX copies_by_repository ON copies (repository_id, state);
CREATE INDEX copies_wanted ON copies (source_id, repository_id) WHERE state IN ('pending', 'in-progress', 'failed');
CREATE INDEX copies_lost ON copies (repository_id) WHERE gone_ms IS NOT NULL OR damaged_ms IS NOT NULL;
-- With the columns of their own conditions: SQLite looks at these again, and else reads every row for it.
CREATE INDEX copies_held ON copies (repository_id, vm_id, created_ms, stored_bytes, verify_level, state, gone_ms)
  WHERE state = 'done' AND gone_ms IS NULL;
CREATE INDEX copies_mirrored ON copies (source_id, repository_id, created_ms, state, validated_ms, gone_ms, damaged_ms)
  WHERE source_id IS NOT NULL AND state = 'done' AND validated_ms IS NOT NULL AND gone_ms IS NULL AND damaged_ms IS NULL;
CREATE INDEX copies_in_hand ON copies (source_id, repository_id, run_id) WHERE source_id IS NOT NULL;
CREATE INDEX copies_validated ON copies (vm_id, repository_id, created_ms) WHERE state = 'done' AND validated_ms IS NOT NULL;
CREATE INDEX copies_verified ON copies (vm_id, repository_id, verified_ms)
  WHERE state = 'done' AND validated_ms IS NOT NULL AND verify_level IN ('quick', 'data', 'full');
CREATE INDEX points_gone ON points (id) WHERE gone_ms IS NOT NULL;

-- When somebody last tried to measure it, and why that failed; what was measured stands in `usage`.
ALTER TABLE repositories ADD COLUMN measure_tried_ms INTEGER;
ALTER TABLE repositories ADD COLUMN measure_error TEXT CHECK (measure_error IS NULL OR json_valid(measure_error));

-- How much of a repository is read every day, and how far that has come: as the last verify has counted it.
CREATE TABLE scrubs (
  repository_id TEXT PRIMARY KEY NOT NULL REFERENCES repositories (id),
  -- What is read a day without being asked for; null: nothing.
  level TEXT,
  budget_bytes INTEGER,
  changed_ms INTEGER,
  counted_ms INTEGER,
  packs INTEGER,
  bytes INTEGER,
  read_packs INTEGER,
  read_bytes INTEGER,
  oldest_ms INTEGER
) STRICT;

-- The last pass over each pack, by the first byte of its name: 40 bytes each, name ‖ L3 u32 ‖ L4 u32 in Unix seconds, sorted.
CREATE TABLE verify_passes (
  repository_id TEXT NOT NULL REFERENCES repositories (id),
  prefix INTEGER NOT NULL,
  passes BLOB NOT NULL,
  PRIMARY KEY (repository_id, prefix)
) STRICT;
