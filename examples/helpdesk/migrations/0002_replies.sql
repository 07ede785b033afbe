CREATE TABLE replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    author_id INTEGER NOT NULL REFERENCES dewar_users (id),
    body TEXT NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;
CREATE INDEX replies_by_ticket ON replies (ticket_id, id);
CREATE INDEX replies_by_author ON replies (author_id);
