-- How fast may be moved between hypervisors and repositories; `*`: all of them together.
CREATE TABLE link_limits (
  hypervisor TEXT NOT NULL,
  repository TEXT NOT NULL,
  spec TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (hypervisor, repository)
) STRICT;
