//! The tables of this room, and the model of a user.
//!
//! The model does not have the password's hash, so no join, list or page carries it.
use crate::database::{Migration, Table};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "dewar_accounts_0001",
        "CREATE TABLE dewar_users (
            id INTEGER PRIMARY KEY,
            email TEXT NOT NULL,
            email_key TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            picture TEXT,
            created_at INTEGER NOT NULL,
            password_changed_at INTEGER NOT NULL,
            disabled_at INTEGER
        ) STRICT;
        CREATE TABLE dewar_user_roles (
            user_id INTEGER NOT NULL REFERENCES dewar_users (id) ON DELETE CASCADE,
            role TEXT NOT NULL,
            PRIMARY KEY (user_id, role)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dewar_user_roles_by_role ON dewar_user_roles (role);",
    ),
    Migration::new(
        "dewar_accounts_0002",
        "CREATE TABLE dewar_links (
            token_hash BLOB NOT NULL PRIMARY KEY,
            purpose TEXT NOT NULL,
            user_id INTEGER REFERENCES dewar_users (id) ON DELETE CASCADE,
            expires_at INTEGER NOT NULL,
            used_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dewar_links_of_user ON dewar_links (user_id);
        CREATE TABLE dewar_throttles (
            email_hash BLOB NOT NULL PRIMARY KEY,
            user_id INTEGER REFERENCES dewar_users (id) ON DELETE CASCADE,
            failures INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            wait_until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dewar_throttles_of_user ON dewar_throttles (user_id);",
    ),
    // Known browsers and sessions have counts of their own, so a key may belong to something else than an address.
    Migration::new(
        "dewar_accounts_0003",
        "ALTER TABLE dewar_throttles RENAME COLUMN email_hash TO key_hash;
        ALTER TABLE dewar_throttles ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE dewar_throttles ADD COLUMN last_from BLOB;
        ALTER TABLE dewar_throttles ADD COLUMN same_until INTEGER NOT NULL DEFAULT 0;",
    ),
];

/// The migrations that build on the tables of [`sessions`](crate::sessions), and run after them.
pub(crate) const MIGRATIONS_AFTER_SESSIONS: &[Migration] = &[
    // The id of a deleted account is never used again.
    Migration::new(
        "dewar_accounts_ids_0001",
        "CREATE TABLE dewar_users_anew (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            email TEXT NOT NULL,
            email_key TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            picture TEXT,
            created_at INTEGER NOT NULL,
            password_changed_at INTEGER NOT NULL,
            disabled_at INTEGER,
            session_generation INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        INSERT INTO dewar_users_anew (id, email, email_key, name, password_hash, picture, created_at,
                password_changed_at, disabled_at, session_generation)
            SELECT id, email, email_key, name, password_hash, picture, created_at, password_changed_at, disabled_at,
                session_generation FROM dewar_users;
        DROP TABLE dewar_users;
        ALTER TABLE dewar_users_anew RENAME TO dewar_users;",
    ),
    // The order of the list of users: a page reads no more rows than it shows.
    Migration::new(
        "dewar_accounts_ids_0002_by_name",
        "CREATE INDEX dewar_users_by_name ON dewar_users (name COLLATE NOCASE);",
    ),
];

/// The models of this room, for [`Db::register`](crate::database::Db::register).
pub(crate) fn models() -> [Table; 2] {
    [
        Table::of::<user::Entity>(),
        Table::of::<user_role::Entity>(),
    ]
}

/// The model of an account, for the relations of an application's own models.
///
/// ```
/// use sea_orm::EntityName;
/// assert_eq!(dewar::accounts::user::Entity.table_name(), "dewar_users");
/// ```
pub mod user {
    #![expect(
        missing_docs,
        clippy::exhaustive_structs,
        clippy::exhaustive_enums,
        reason = "a SeaORM model"
    )]
    use sea_orm::entity::prelude::*;

    /// An account, without its password.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dewar_users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub email: String,
        pub name: String,
        pub picture: Option<String>,
        pub created_at: i64,
        pub password_changed_at: i64,
        pub disabled_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::user_role::Entity")]
        Roles,
    }

    impl Related<super::user_role::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Roles.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The model of a role that an account has.
///
/// ```
/// use sea_orm::EntityName;
/// assert_eq!(dewar::accounts::user_role::Entity.table_name(), "dewar_user_roles");
/// ```
pub mod user_role {
    #![expect(
        missing_docs,
        clippy::exhaustive_structs,
        clippy::exhaustive_enums,
        reason = "a SeaORM model"
    )]
    use sea_orm::entity::prelude::*;

    /// A role of an account.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dewar_user_roles")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub role: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::user::Entity",
            from = "Column::UserId",
            to = "super::user::Column::Id"
        )]
        User,
    }

    impl Related<super::user::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::User.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}
