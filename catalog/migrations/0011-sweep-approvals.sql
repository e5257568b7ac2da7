-- Repositories of which a person has seen, and approved, what a sweep takes. Sweeps themselves are kept for those who ask
-- what happened; this says what may happen by itself, and a rebuild forgets it.
CREATE TABLE sweep_approvals (
  repository_id TEXT PRIMARY KEY NOT NULL,
  approved_ms INTEGER NOT NULL
) STRICT;
INSERT INTO sweep_approvals (repository_id, approved_ms)
  SELECT repository_id, min(planned_ms) FROM sweeps WHERE approval IS NOT NULL GROUP BY repository_id;
