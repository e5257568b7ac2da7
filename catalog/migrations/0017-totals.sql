-- What happened so often, ever: records of it are removed after a while, and counters never go back.
CREATE TABLE totals (
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (name, label)
) STRICT;
INSERT INTO totals SELECT 'runs', kind || '/' || state, count(*) FROM runs WHERE ended_ms IS NOT NULL GROUP BY 2;
INSERT INTO totals SELECT 'run-ms', kind, sum(max(0, ended_ms - started_ms)) FROM runs WHERE ended_ms IS NOT NULL GROUP BY 2;
INSERT INTO totals SELECT 'bytes-read', kind, sum(coalesce(bytes_read, 0)) FROM runs WHERE ended_ms IS NOT NULL GROUP BY 2;
INSERT INTO totals SELECT 'bytes-stored', kind, sum(coalesce(bytes_stored, 0)) FROM runs WHERE ended_ms IS NOT NULL GROUP BY 2;
INSERT INTO totals SELECT 'run-within', r.kind || '/' || b.column1, count(*)
  FROM runs r JOIN (VALUES (10), (60), (300), (900), (3600), (14400), (43200), (86400)) b
    ON r.ended_ms - r.started_ms <= b.column1 * 1000
  WHERE r.ended_ms IS NOT NULL GROUP BY 2;
INSERT INTO totals SELECT 'missed-starts', plan || '/' || kind, count(*) FROM missed_starts GROUP BY 2;
INSERT INTO totals SELECT 'notifications', channel || '/' || state, count(*) FROM deliveries WHERE state <> 'waiting' GROUP BY 2;
