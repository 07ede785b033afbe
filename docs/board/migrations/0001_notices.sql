CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    file_id TEXT NOT NULL,
    author_id INTEGER NOT NULL REFERENCES dewar_users (id),
    published_at INTEGER NOT NULL
) STRICT;
