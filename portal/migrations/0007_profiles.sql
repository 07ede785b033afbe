CREATE TABLE profiles (
    user_id INTEGER PRIMARY KEY REFERENCES dewar_users (id) ON DELETE CASCADE,
    telephone TEXT
) STRICT;
