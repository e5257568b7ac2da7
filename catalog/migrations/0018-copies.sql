-- Which point lies in which repository, how far the copy is, and what is known of it there. What `points` says of a
-- repository, a stem, a validation or a damage is what holds for the best of its copies.

CREATE TABLE copies (
  point_id TEXT NOT NULL REFERENCES points (id) ON DELETE CASCADE,
  repository_id TEXT NOT NULL REFERENCES repositories (id),
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
CREATE INDEX copies_by_stem ON copies (stem);
CREATE INDEX copies_by_repository ON copies (repository_id, state);
CREATE INDEX copies_wanted ON copies (source_id, repository_id) WHERE state IN ('pending', 'in-progress', 'failed');

INSERT INTO copies (point_id, repository_id, source_id, stem, state, wanted_ms, validated_ms, stored_bytes, verify_level,
    verified_ms, verify_chunks, lock_until_ms, damaged_ms, damage, gone_ms, removed_ms, attempts, retry_ms, problem, by_hand,
    run_id)
  SELECT id, repository_id, NULL, stem, 'done', created_ms, validated_ms, new_bytes, verify_level,
    verified_ms, verify_chunks, NULL, damaged_ms, damage, gone_ms, NULL, 1, NULL, NULL, 0, run_id FROM points;

-- What a repository says it is: the same store registered twice is one copy, not two.
ALTER TABLE repositories ADD COLUMN uuid TEXT;
UPDATE repositories SET uuid = json_extract(test, '$.repositoryUuid')
  WHERE NOT EXISTS (SELECT 1 FROM repositories older WHERE older.rowid < repositories.rowid
    AND json_extract(older.test, '$.repositoryUuid') = json_extract(repositories.test, '$.repositoryUuid'));
CREATE UNIQUE INDEX repositories_by_uuid ON repositories (uuid) WHERE uuid IS NOT NULL;
