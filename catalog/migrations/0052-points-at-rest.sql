-- Of points of a VM that did not run when its disks were cut: nothing was to be frozen.
ALTER TABLE points ADD COLUMN at_rest TEXT;
