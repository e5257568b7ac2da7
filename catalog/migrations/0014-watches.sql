-- What the looks into each repository found: when one last came to its end, why the last one did not, and how many points
-- were no longer there that nobody removed.
CREATE TABLE repository_watches (
  repository_id TEXT PRIMARY KEY NOT NULL,
  uuid TEXT,
  tried_ms INTEGER NOT NULL,
  looked_ms INTEGER,
  error TEXT,
  series INTEGER NOT NULL,
  points INTEGER NOT NULL,
  unreadable INTEGER NOT NULL,
  vanished INTEGER NOT NULL,
  vanished_ms INTEGER
) STRICT;

-- One row: the latest moment that this machine's clock has shown while it could be believed.
CREATE TABLE clock_watch (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  seen_ms INTEGER NOT NULL,
  drift_ms INTEGER NOT NULL,
  moved_ms INTEGER
) STRICT;
