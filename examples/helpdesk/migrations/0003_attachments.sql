CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    file TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;
CREATE INDEX attachments_by_ticket ON attachments (ticket_id, id);
