-- Categories that can be changed, plans, what is set for one VM alone, and by which plan a point was made.

CREATE TABLE categories (
  name TEXT PRIMARY KEY NOT NULL,
  revision INTEGER NOT NULL,
  spec TEXT NOT NULL CHECK (json_valid(spec)),
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;

-- A deleted plan stays as a row: its points go on ageing by what it said last.
CREATE TABLE plans (
  name TEXT PRIMARY KEY NOT NULL,
  revision INTEGER NOT NULL,
  spec TEXT NOT NULL CHECK (json_valid(spec)),
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  deleted_ms INTEGER
) STRICT;

ALTER TABLE vms ADD COLUMN override TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(override));
ALTER TABLE points ADD COLUMN plan TEXT;
