//! The front page.

use std::collections::BTreeMap;

use dewar::accounts::SignIn;
use dewar::forms::Cursor;
use dewar::roles::Role as _;
use dewar::secrets::KeyRing;
use dewar::sessions::Session;
use dewar::{Db, Form, Page, Query};

use crate::{Role, notices};

/// The page of notices to show.
#[derive(Form, Debug)]
pub(crate) struct NoticePage {
    page: Option<Cursor>,
}

/// `GET /`
pub(crate) async fn index(
    session: Session,
    db: Db,
    keys: KeyRing,
    Query(which): Query<NoticePage>,
) -> dewar::Result<Page> {
    let holds = |role: Role| {
        session
            .principal()
            .is_some_and(|person| person.has_role_named(role.name()))
    };
    let (notices, links) = notices::page(&db, &keys, which.page.as_ref()).await?;
    let address = |cursor: String| format!("/?page={cursor}");
    let publisher = holds(Role::Administrator);
    let withdrawals = if publisher {
        notices::withdrawals(&db, &notices).await?
    } else {
        BTreeMap::new()
    };
    let front = Page::new("front/index.html")
        .with("notices", notices)
        .with("newer", links.previous.map(address))
        .with("older", links.next.map(address))
        .with("publisher", publisher)
        .form("withdrawals", withdrawals);
    Ok(match session.principal() {
        Some(_) => front,
        None => front.form("sign_in", SignIn::view()),
    })
}
