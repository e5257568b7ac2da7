-- What a plan has made lately, told from this alone: its page asks for it.
CREATE INDEX points_of_plan ON points (plan, created_ms, origin, mode, consistency, unexpected_full, vm_id) WHERE plan IS NOT NULL;
