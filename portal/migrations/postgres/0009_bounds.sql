CREATE INDEX comments_by_author ON comments (author_id);
CREATE INDEX notices_by_author ON notices (author_id);

ALTER TABLE documents ADD COLUMN turn BIGINT;
CREATE INDEX documents_by_turn ON documents (turn) WHERE status = 'pending';
CREATE INDEX documents_by_turn_of_owner ON documents (owner_id, turn) WHERE status = 'pending';

CREATE FUNCTION documents_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.turn := greatest(
        coalesce((SELECT turn FROM documents WHERE status = 'pending' AND turn IS NOT NULL ORDER BY turn LIMIT 1), 0),
        coalesce((SELECT turn + 1 FROM documents WHERE status = 'pending' AND owner_id = NEW.owner_id
            AND turn IS NOT NULL ORDER BY turn DESC LIMIT 1), 0)
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER documents_wait BEFORE INSERT ON documents FOR EACH ROW WHEN (NEW.status = 'pending')
    EXECUTE FUNCTION documents_wait();
CREATE TRIGGER documents_wait_again BEFORE UPDATE OF status ON documents FOR EACH ROW
    WHEN (NEW.status = 'pending' AND OLD.status <> 'pending') EXECUTE FUNCTION documents_wait();
