ALTER TABLE documents ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE documents ADD COLUMN title_key TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN search TEXT NOT NULL DEFAULT '';

-- As `document::searched` writes it; a test compares the two.
UPDATE documents SET
    title_key = fold(title),
    search = fold(trim(title || char(10) || words(description_html) || char(10) || coalesce(
        (SELECT group_concat(tag, ' ' ORDER BY tag) FROM document_tags WHERE document_id = documents.id), ''), char(10)));

DROP INDEX documents_by_title;
CREATE INDEX documents_by_title ON documents (title_key, id);
