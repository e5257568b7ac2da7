-- Why the first disk of a point was read in full that nobody had decided to read so (product P-SMART); NULL: none was.
ALTER TABLE points ADD COLUMN unexpected_full TEXT;
UPDATE points SET unexpected_full = (
  SELECT json_extract(d.value, '$.why') FROM json_each(points.disks) d
  WHERE json_extract(d.value, '$.mode') = 'full'
    AND json_extract(d.value, '$.why') IN ('tracking-off', 'reference-missing', 'reference-inconsistent', 'reference-inactive', 'reference-of-another-point', 'epoch-changed', 'size-changed', 'volume-changed',
      'foreign-snapshot', 'reverted', 'known-bad-build', 'previous-round-uncertain', 'extent-query-failed', 'audit-mismatch', 'parent-damaged')
  LIMIT 1
) WHERE mode <> 'incremental';
CREATE INDEX points_unexpected_full ON points (created_ms, vm_id) WHERE unexpected_full IS NOT NULL;
