CREATE TABLE shares (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES dewar_users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (document_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX shares_by_reader ON shares (user_id, document_id);
