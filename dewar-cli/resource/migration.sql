CREATE TABLE __tickets__ (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES dewar_users (id),
__columns__
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX __tickets___by_owner ON __tickets__ (owner_id, id);
