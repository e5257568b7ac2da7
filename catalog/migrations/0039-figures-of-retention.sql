-- What every scrape asks: points made by hand, and what is held, are few beside all points.
CREATE INDEX points_manual ON points (vm_id, id) WHERE origin = 'manual';
CREATE INDEX holds_by_repository ON holds (repository_id, type, point_id);
