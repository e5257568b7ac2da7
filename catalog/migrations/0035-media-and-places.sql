-- On what a repository lies and where that stands, for what categories promise of copies. stands_at null: at its site.
ALTER TABLE repositories ADD COLUMN media TEXT NOT NULL DEFAULT 'disk';
UPDATE repositories SET media = 'object' WHERE json_extract(location, '$.kind') <> 'posix';
ALTER TABLE repositories ADD COLUMN stands_at TEXT;
UPDATE categories SET spec = json_set(spec, '$.copies.media', 1) WHERE json_extract(spec, '$.copies') IS NOT NULL;
