CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES dewar_users (id),
    title TEXT NOT NULL,
    body_html TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notices_by_age ON notices (published_at);
