-- What whoever looks at a run has to know, however it ended: that it went on without a slot. NULL: nothing.
ALTER TABLE runs ADD COLUMN attention TEXT;
CREATE INDEX runs_with_attention ON runs (started_ms) WHERE attention IS NOT NULL;
