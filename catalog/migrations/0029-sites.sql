-- Places with workers of their own. Whoever names one in a hypervisor or a repository makes it.
CREATE TABLE sites (
  name TEXT PRIMARY KEY NOT NULL,
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- 1: its workers may ask the server for the secrets of their hypervisors and repositories.
  hands_secrets INTEGER NOT NULL,
  -- What a worker there could reach when it was last asked.
  test TEXT
) STRICT;

INSERT INTO sites
  SELECT site, '', min(created_ms), 0, NULL
  FROM (SELECT site, created_ms FROM endpoints UNION ALL SELECT site, created_ms FROM repositories) GROUP BY site;

-- Whose workers may show it; NULL: those of the server's own home, whatever their site.
ALTER TABLE tokens ADD COLUMN site TEXT;
