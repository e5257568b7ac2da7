-- Who took what out of points, and other acts of people that leave nothing else behind. Rows are added and, when they are too
-- old, removed; none is changed.

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  ms INTEGER NOT NULL,
  user TEXT NOT NULL,
  action TEXT NOT NULL,
  -- Names stay when what they are of has gone.
  vm_id TEXT,
  vm_name TEXT,
  point_id TEXT,
  -- The file session, or the key.
  subject TEXT,
  detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX audit_by_time ON audit (ms, seq);
CREATE INDEX audit_by_vm ON audit (vm_id, ms, seq);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'rows of the audit log do not change');
END;
