-- Which run a run of a plan repeats: a repetition starts no plan that comes after.

ALTER TABLE plan_runs ADD COLUMN again TEXT;
