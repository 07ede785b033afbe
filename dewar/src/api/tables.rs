//! The table of this room. It holds no token.
use crate::database::Migration;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "dewar_api_0001",
        "CREATE TABLE dewar_api_tokens (
        id TEXT NOT NULL PRIMARY KEY,
        token_mac BLOB NOT NULL UNIQUE,
        user_id INTEGER REFERENCES dewar_users (id) ON DELETE CASCADE,
        generation INTEGER NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at INTEGER,
        revoked_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_api_tokens_of_user ON dewar_api_tokens (user_id, created_at);
    CREATE INDEX dewar_api_tokens_by_expiry ON dewar_api_tokens (expires_at);",
    )
    .additive(),
    // The session that a person's token was made in.
    Migration::new(
        "dewar_api_0002",
        "ALTER TABLE dewar_api_tokens ADD COLUMN made_in TEXT",
    )
    .additive(),
];
