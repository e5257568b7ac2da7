-- What has been kept for long enough is looked for every day.
CREATE INDEX removed_points_by_time ON removed_points (removed_ms);
