-- What a boot of each VM reads first, as the newest drill out of a repository has shown it: an instant restore reads it ahead.
CREATE TABLE boot_lists (
  vm_id TEXT PRIMARY KEY NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
  drill_id TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  disks TEXT NOT NULL CHECK (json_valid(disks))
) STRICT;

-- Whether its VM booted from disks that were restored, or out of the repository.
ALTER TABLE drills ADD COLUMN booted_from TEXT NOT NULL DEFAULT 'disks';

-- The list that is read ahead, without its ranges.
ALTER TABLE instants ADD COLUMN boot TEXT CHECK (boot IS NULL OR json_valid(boot));
