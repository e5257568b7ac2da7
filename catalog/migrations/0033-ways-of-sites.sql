-- The proxy through which workers of a site reach object stores; null: none but what their environment says.
ALTER TABLE sites ADD COLUMN proxy TEXT;
-- What networks and storages of this site are called at others: see SiteMapRecord.
ALTER TABLE sites ADD COLUMN maps TEXT NOT NULL DEFAULT '[]';
