-- What an author's quota counts.
CREATE INDEX comments_by_author ON comments (author_id);
CREATE INDEX notices_by_author ON notices (author_id);

-- Whose turn it is in the review queue: one document of each owner, then the second of each. A new one stands behind the
-- owner's own, and not before those that wait already, so that many documents of one owner do not hold up the others.
ALTER TABLE documents ADD COLUMN turn INTEGER;
UPDATE documents SET turn = (
    SELECT count(*) FROM documents d WHERE d.status = 'pending' AND d.owner_id = documents.owner_id
        AND (d.created_at, d.id) < (documents.created_at, documents.id)
) WHERE status = 'pending';
CREATE INDEX documents_by_turn ON documents (turn, id) WHERE status = 'pending';
CREATE INDEX documents_by_turn_of_owner ON documents (owner_id, turn) WHERE status = 'pending';

CREATE TRIGGER documents_wait AFTER INSERT ON documents WHEN new.status = 'pending' BEGIN
    UPDATE documents SET turn = max(
        coalesce((SELECT turn FROM documents WHERE status = 'pending' AND turn IS NOT NULL ORDER BY turn LIMIT 1), 0),
        coalesce((SELECT turn + 1 FROM documents WHERE status = 'pending' AND owner_id = new.owner_id
            AND turn IS NOT NULL ORDER BY turn DESC LIMIT 1), 0)
    ) WHERE id = new.id;
END;
CREATE TRIGGER documents_wait_again AFTER UPDATE OF status ON documents
    WHEN new.status = 'pending' AND old.status <> 'pending' BEGIN
    UPDATE documents SET turn = NULL WHERE id = new.id;
    UPDATE documents SET turn = max(
        coalesce((SELECT turn FROM documents WHERE status = 'pending' AND turn IS NOT NULL ORDER BY turn LIMIT 1), 0),
        coalesce((SELECT turn + 1 FROM documents WHERE status = 'pending' AND owner_id = new.owner_id
            AND turn IS NOT NULL ORDER BY turn DESC LIMIT 1), 0)
    ) WHERE id = new.id;
END;
