-- A document: its file stands with the framework's uploads, under a name that only this table knows.
-- What must never be is refused here too, so that a mistake in a handler cannot write it.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES dewar_users (id),
    title TEXT NOT NULL,
    file_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected')),
    review_reason TEXT,
    reviewer_id INTEGER REFERENCES dewar_users (id),
    reviewed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Last, for it may be long: SQLite reads a row from its beginning and stops where it has what it needs.
    description_html TEXT NOT NULL,
    CHECK ((status = 'pending') = (reviewer_id IS NULL)),
    CHECK ((reviewer_id IS NULL) = (reviewed_at IS NULL)),
    CHECK (reviewer_id IS NOT owner_id),
    CHECK (status <> 'rejected' OR review_reason IS NOT NULL)
) STRICT;

-- One for each order of the list, and what the review queue reads.
CREATE INDEX documents_by_age ON documents (created_at, id);
CREATE INDEX documents_by_title ON documents (title COLLATE NOCASE, id);
CREATE INDEX documents_by_size ON documents (size, id);
CREATE INDEX documents_by_owner ON documents (owner_id, created_at);
CREATE INDEX documents_by_status ON documents (status, created_at);

CREATE TABLE document_tags (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (document_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX document_tags_by_tag ON document_tags (tag, document_id);
