-- The words are in the full-text index.
ALTER TABLE documents DROP COLUMN search;
