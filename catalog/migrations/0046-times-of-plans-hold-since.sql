-- From here on a plan's starts are looked at from where the last look ended, and a change of its times says so there: what
-- changed before, of whatever kind, counts as looked at.
UPDATE plan_watches SET watched_ms = max(watched_ms, coalesce((SELECT p.changed_ms FROM plans p WHERE p.name = plan_watches.plan), 0));
