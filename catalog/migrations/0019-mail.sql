-- Who is told by mail, by whom, and how.
ALTER TABLE channels ADD COLUMN mail TEXT;
