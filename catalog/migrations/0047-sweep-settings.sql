-- With what sweeps run that nobody starts by hand, where somebody has decided; `*`: of every repository that says nothing.
CREATE TABLE sweep_settings (
  repository_id TEXT PRIMARY KEY,
  grace_ms INTEGER,
  approval TEXT,
  approve_within_ms INTEGER,
  max_share REAL,
  changed_ms INTEGER NOT NULL
) STRICT;
-- Whether a person has to agree, or the sweep goes on by itself with what nobody is asked for; NULL: it was planned before
-- this was written down.
ALTER TABLE sweeps ADD COLUMN approval_required INTEGER;
