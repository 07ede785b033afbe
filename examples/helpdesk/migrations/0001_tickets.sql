CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES dewar_users (id),
    assignee_id INTEGER REFERENCES dewar_users (id),
    title TEXT NOT NULL CHECK (length(title) <= 120),
    description TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'closed')),
    opened_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX tickets_by_owner ON tickets (owner_id, id);
CREATE INDEX tickets_by_assignee ON tickets (assignee_id);
CREATE INDEX tickets_by_status ON tickets (status, active_at);
