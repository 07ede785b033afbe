-- Who sees which document, in every order of the list: 0 are all members, -1 are all reviewers, any other is one person,
-- the owner or somebody it is shared with. What was approved is for all members; anything else for the others. A page of the
-- list reads its rows from here, and no more of them than it shows.
CREATE TABLE document_audiences (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    audience INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    title_key TEXT NOT NULL,
    PRIMARY KEY (document_id, audience)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_audiences_by_age ON document_audiences (audience, status, created_at, document_id);
CREATE INDEX document_audiences_by_size ON document_audiences (audience, status, size, document_id);
CREATE INDEX document_audiences_by_title ON document_audiences (audience, status, title_key, document_id);

CREATE VIEW documents_with_audiences AS
    SELECT id AS document_id, 0 AS audience, status, created_at, size, title_key FROM documents WHERE status = 'approved'
    UNION ALL SELECT id, -1, status, created_at, size, title_key FROM documents WHERE status <> 'approved'
    UNION ALL SELECT id, owner_id, status, created_at, size, title_key FROM documents WHERE status <> 'approved'
    UNION ALL SELECT d.id, s.user_id, d.status, d.created_at, d.size, d.title_key
        FROM documents d JOIN shares s ON s.document_id = d.id
        WHERE d.status <> 'approved' AND s.user_id <> d.owner_id;
INSERT INTO document_audiences SELECT * FROM documents_with_audiences;

CREATE TRIGGER documents_find_audiences AFTER INSERT ON documents BEGIN
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = new.id;
END;
CREATE TRIGGER documents_change_audiences AFTER UPDATE OF id, owner_id, status, created_at, size, title_key ON documents BEGIN
    DELETE FROM document_audiences WHERE document_id IN (old.id, new.id);
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = new.id;
END;
CREATE TRIGGER shares_add_audience AFTER INSERT ON shares BEGIN
    DELETE FROM document_audiences WHERE document_id = new.document_id;
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = new.document_id;
END;
CREATE TRIGGER shares_end_audience AFTER DELETE ON shares BEGIN
    DELETE FROM document_audiences WHERE document_id = old.document_id;
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = old.document_id;
END;
CREATE TRIGGER shares_change_audience AFTER UPDATE OF document_id, user_id ON shares BEGIN
    DELETE FROM document_audiences WHERE document_id IN (old.document_id, new.document_id);
    INSERT INTO document_audiences
        SELECT * FROM documents_with_audiences WHERE document_id IN (old.document_id, new.document_id);
END;

-- The id is in every index, and only as such a place in it is found by both.
DROP INDEX documents_by_turn;
CREATE INDEX documents_by_turn ON documents (turn) WHERE status = 'pending';

-- No order of a list is read from these any more; notices go by their ids, which only grow.
DROP INDEX documents_by_status;
DROP INDEX documents_by_age;
DROP INDEX documents_by_title;
DROP INDEX documents_by_size;
DROP INDEX notices_by_age;
