-- What wants attention from its beginning to its end, who is told of it, and what became of each message.
CREATE TABLE incidents (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  title TEXT NOT NULL,
  detail TEXT NOT NULL,
  command TEXT,
  subject TEXT,
  tags TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  recovered_ms INTEGER
) STRICT;
-- One that is open tells whatever happens meanwhile.
CREATE UNIQUE INDEX incidents_open ON incidents (key) WHERE recovered_ms IS NULL;
CREATE INDEX incidents_by_end ON incidents (recovered_ms);

CREATE TABLE channels (
  name TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  url TEXT,
  chat TEXT,
  credential_ref TEXT NOT NULL,
  allow_private INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  route TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  digested_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE incident_notices (
  incident_id INTEGER NOT NULL,
  channel TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  recovered_ms INTEGER,
  PRIMARY KEY (incident_id, channel)
) STRICT;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  channel TEXT NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  next_ms INTEGER,
  ended_ms INTEGER,
  error TEXT
) STRICT;
CREATE INDEX deliveries_due ON deliveries (next_ms) WHERE state = 'waiting';
