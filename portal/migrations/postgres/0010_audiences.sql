CREATE TABLE document_audiences (
    document_id BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    audience BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    size BIGINT NOT NULL,
    title_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (document_id, audience)
);
CREATE INDEX document_audiences_by_age ON document_audiences (audience, status, created_at, document_id);
CREATE INDEX document_audiences_by_size ON document_audiences (audience, status, size, document_id);
CREATE INDEX document_audiences_by_title ON document_audiences (audience, status, title_key, document_id);

CREATE VIEW documents_with_audiences AS
    SELECT id AS document_id, 0::bigint AS audience, status, created_at, size, title_key FROM documents
        WHERE status = 'approved'
    UNION ALL SELECT id, -1, status, created_at, size, title_key FROM documents WHERE status <> 'approved'
    UNION ALL SELECT id, owner_id, status, created_at, size, title_key FROM documents WHERE status <> 'approved'
    UNION ALL SELECT d.id, s.user_id, d.status, d.created_at, d.size, d.title_key
        FROM documents d JOIN shares s ON s.document_id = d.id
        WHERE d.status <> 'approved' AND s.user_id <> d.owner_id;
INSERT INTO document_audiences SELECT * FROM documents_with_audiences;

CREATE FUNCTION documents_find_audiences() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM document_audiences WHERE document_id IN (OLD.id, NEW.id);
    END IF;
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER documents_find_audiences AFTER INSERT OR UPDATE OF id, owner_id, status, created_at, size, title_key
    ON documents FOR EACH ROW EXECUTE FUNCTION documents_find_audiences();

CREATE FUNCTION shares_find_audiences() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found bigint[] := '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        found := found || OLD.document_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        found := found || NEW.document_id;
    END IF;
    DELETE FROM document_audiences WHERE document_id = ANY (found);
    INSERT INTO document_audiences SELECT * FROM documents_with_audiences WHERE document_id = ANY (found);
    RETURN NULL;
END
$$;
CREATE TRIGGER shares_find_audiences AFTER INSERT OR DELETE OR UPDATE OF document_id, user_id
    ON shares FOR EACH ROW EXECUTE FUNCTION shares_find_audiences();
