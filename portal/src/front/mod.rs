//! The front page.

use dewar::roles::Role as _;
use dewar::sessions::Session;
use dewar::{Db, Page};

use crate::{Role, notices};

/// `GET /`
pub(crate) async fn index(session: Session, db: Db) -> dewar::Result<Page> {
    let administrator = Role::Administrator.name();
    let publisher = session
        .principal()
        .is_some_and(|person| person.has_role_named(administrator));
    Ok(Page::new("front/index.html")
        .with("notices", notices::latest(&db).await?)
        .with("publisher", publisher))
}
