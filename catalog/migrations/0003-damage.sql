-- A point that was validated and then found damaged is no recovery point any more.

ALTER TABLE points ADD COLUMN damaged_ms INTEGER;
ALTER TABLE points ADD COLUMN damage TEXT;
