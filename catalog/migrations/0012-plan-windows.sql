-- A run of a plan that stands still outside its window: until when, in words.

ALTER TABLE plan_runs ADD COLUMN stands_until TEXT;
