-- Newest points that a look could not read: since which look on end, and the first of them.
ALTER TABLE repository_watches ADD COLUMN unreadable_since_ms INTEGER;
ALTER TABLE repository_watches ADD COLUMN unreadable_object TEXT;
