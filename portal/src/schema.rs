//! The portal's tables, in the order of their creation, and its models.

use dewar::database::{Migration, Table};

/// The portal's migrations, which run after the framework's own.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "portal_0001_documents",
        include_str!("../migrations/0001_documents.sql"),
    )
    .postgres(include_str!("../migrations/postgres/0001_documents.sql")),
    Migration::new(
        "portal_0002_shares",
        include_str!("../migrations/0002_shares.sql"),
    ),
    Migration::new(
        "portal_0003_comments",
        include_str!("../migrations/0003_comments.sql"),
    ),
    Migration::new(
        "portal_0004_notices",
        include_str!("../migrations/0004_notices.sql"),
    ),
    Migration::new(
        "portal_0005_search",
        include_str!("../migrations/0005_search.sql"),
    )
    .postgres(""),
    Migration::new(
        "portal_0006_members",
        include_str!("../migrations/0006_members.sql"),
    )
    .postgres(include_str!("../migrations/postgres/0006_members.sql")),
    Migration::new(
        "portal_0007_profiles",
        include_str!("../migrations/0007_profiles.sql"),
    ),
    Migration::new(
        "portal_0008_ids",
        include_str!("../migrations/0008_ids.sql"),
    )
    .postgres(include_str!("../migrations/postgres/0008_ids.sql")),
    Migration::new(
        "portal_0009_bounds",
        include_str!("../migrations/0009_bounds.sql"),
    )
    .postgres(include_str!("../migrations/postgres/0009_bounds.sql")),
    Migration::new(
        "portal_0010_audiences",
        include_str!("../migrations/0010_audiences.sql"),
    )
    .postgres(include_str!("../migrations/postgres/0010_audiences.sql")),
    Migration::new(
        "portal_0011_share_marks",
        include_str!("../migrations/0011_share_marks.sql"),
    ),
    Migration::new(
        "portal_0012_reviewers",
        include_str!("../migrations/0012_reviewers.sql"),
    ),
    crate::documents::SEARCH.migration(),
    Migration::new(
        "portal_0013_search_index",
        include_str!("../migrations/0013_search_index.sql"),
    ),
];

/// The models that SeaORM reads.
pub(crate) fn models() -> Vec<Table> {
    vec![
        Table::of::<crate::documents::document::Entity>(),
        Table::of::<crate::shares::share::Entity>(),
        Table::of::<crate::comments::comment::Entity>(),
        Table::of::<crate::notices::notice::Entity>(),
        Table::of::<crate::profile::record::Entity>(),
    ]
}
