-- Tells a share from one of the same document and reader that was ended in the same second: a random number for each.
ALTER TABLE shares ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
