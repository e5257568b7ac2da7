-- What ends is not always mended: a mirror that no plan copies to any more has not caught up. Of incidents that ended
-- before, nobody has written down why; what is open learns its part at the next look.
ALTER TABLE incidents ADD COLUMN part TEXT;
ALTER TABLE incidents ADD COLUMN ended_by TEXT;
