-- What changed between a point and the one before it, and what was made of that.

CREATE TABLE point_changes (
  point_id TEXT PRIMARY KEY NOT NULL,
  vm_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  before_id TEXT,
  before_ms INTEGER,
  figures TEXT CHECK (figures IS NULL OR json_valid(figures)),
  problem TEXT,
  score INTEGER NOT NULL,
  is_suspicious INTEGER NOT NULL,
  sign TEXT,
  usual_bytes INTEGER,
  measured_ms INTEGER NOT NULL,
  review TEXT CHECK (review IS NULL OR json_valid(review))
) STRICT;
CREATE INDEX point_changes_by_vm ON point_changes (vm_id, created_ms);
CREATE INDEX point_changes_suspicious ON point_changes (vm_id) WHERE is_suspicious = 1 AND review IS NULL;
