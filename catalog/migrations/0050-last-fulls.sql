-- When each disk of a VM was last read in full for a repository. It outlives the points: that retention has removed a full
-- one is no reason to read the disk again before its interval is over.
CREATE TABLE last_fulls (
  vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
  repository_id TEXT NOT NULL,
  disk TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (vm_id, repository_id, disk)
) STRICT, WITHOUT ROWID;
INSERT INTO last_fulls
  SELECT c.vm_id, c.repository_id, json_extract(d.value, '$.disk'), max(p.created_ms)
  FROM copies c JOIN points p ON p.id = c.point_id, json_each(p.disks) d
  WHERE c.state = 'done' AND c.validated_ms IS NOT NULL AND json_extract(d.value, '$.mode') = 'full'
  GROUP BY 1, 2, 3;
