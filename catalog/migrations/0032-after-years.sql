-- What is asked at every look, however many runs and messages the years have left.
CREATE INDEX runs_of_plans ON runs (started_ms) WHERE kind = 'plan';
CREATE INDEX deliveries_ended ON deliveries (channel, ended_ms, id) WHERE state <> 'waiting';
CREATE INDEX deliveries_waiting ON deliveries (channel, id) WHERE state = 'waiting';
CREATE INDEX incident_notices_open ON incident_notices (channel) WHERE recovered_ms IS NULL;
CREATE INDEX copies_gone ON copies (repository_id, stem) WHERE state = 'done' AND gone_ms IS NOT NULL;
