-- A reviewer's account refers to the documents that it decided about.
CREATE INDEX documents_by_reviewer ON documents (reviewer_id);
