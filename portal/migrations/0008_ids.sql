-- An id that was given to one record is given to no other, also where that record is gone: a page that was opened before a
-- document was deleted must not decide about another one (CWE-639).
CREATE TABLE documents_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
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
    version INTEGER NOT NULL DEFAULT 1,
    title_key TEXT NOT NULL DEFAULT '',
    -- Last, for they may be long: SQLite reads a row from its beginning and stops where it has what it needs.
    description_html TEXT NOT NULL,
    search TEXT NOT NULL DEFAULT '',
    CHECK ((status = 'pending') = (reviewer_id IS NULL)),
    CHECK ((reviewer_id IS NULL) = (reviewed_at IS NULL)),
    CHECK (reviewer_id IS NOT owner_id),
    CHECK (status <> 'rejected' OR review_reason IS NOT NULL)
) STRICT;
INSERT INTO documents_anew (id, owner_id, title, file_id, kind, size, status, review_reason, reviewer_id, reviewed_at,
        created_at, updated_at, version, title_key, description_html, search)
    SELECT id, owner_id, title, file_id, kind, size, status, review_reason, reviewer_id, reviewed_at,
        created_at, updated_at, version, title_key, description_html, search FROM documents;
DROP TABLE documents;
ALTER TABLE documents_anew RENAME TO documents;
CREATE INDEX documents_by_age ON documents (created_at, id);
CREATE INDEX documents_by_title ON documents (title_key, id);
CREATE INDEX documents_by_size ON documents (size, id);
CREATE INDEX documents_by_owner ON documents (owner_id, created_at);
CREATE INDEX documents_by_status ON documents (status, created_at);

CREATE TABLE comments_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES dewar_users (id),
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO comments_anew (id, document_id, author_id, body, created_at)
    SELECT id, document_id, author_id, body, created_at FROM comments;
DROP TABLE comments;
ALTER TABLE comments_anew RENAME TO comments;
CREATE INDEX comments_by_document ON comments (document_id, id);

CREATE TABLE notices_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author_id INTEGER NOT NULL REFERENCES dewar_users (id),
    title TEXT NOT NULL,
    body_html TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
INSERT INTO notices_anew (id, author_id, title, body_html, published_at)
    SELECT id, author_id, title, body_html, published_at FROM notices;
DROP TABLE notices;
ALTER TABLE notices_anew RENAME TO notices;
CREATE INDEX notices_by_age ON notices (published_at);

-- Its key is the id of a person: nothing is numbered.
CREATE TABLE profiles_anew (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES dewar_users (id) ON DELETE CASCADE,
    telephone TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO profiles_anew (user_id, telephone) SELECT user_id, telephone FROM profiles;
DROP TABLE profiles;
ALTER TABLE profiles_anew RENAME TO profiles;

-- The highest id that anything still speaks of, where it is above those that are there.
UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT max(owner) FROM dewar_files), 0)) WHERE name = 'dewar_users';
