-- Starts of plans that were due and did not come, and up to when that was looked at.

CREATE TABLE plan_watches (
  plan TEXT PRIMARY KEY NOT NULL,
  watched_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE missed_starts (
  plan TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  noticed_ms INTEGER NOT NULL,
  PRIMARY KEY (plan, due_ms)
) STRICT;
CREATE INDEX missed_starts_by_time ON missed_starts (due_ms);
