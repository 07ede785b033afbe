//! The front page.

use std::collections::BTreeMap;

use dewar::accounts::SignIn;
use dewar::forms::Int;
use dewar::roles::Role as _;
use dewar::sessions::Session;
use dewar::{Db, Form, Page, Query};

use crate::{Role, notices};

/// Which notices.
#[derive(Form, Debug)]
pub(crate) struct Which {
    page: Option<Int<1, 10_000>>,
}

/// `GET /`
pub(crate) async fn index(
    session: Session,
    db: Db,
    Query(which): Query<Which>,
) -> dewar::Result<Page> {
    let holds = |role: Role| {
        session
            .principal()
            .is_some_and(|person| person.has_role_named(role.name()))
    };
    let page = which.page.map_or(1, |page| page.get().unsigned_abs());
    let (notices, total) = notices::newest(&db, page).await?;
    let address = |page: u64| match page {
        1 => "/".to_owned(),
        page => format!("/?page={page}"),
    };
    let older = page * notices::SHOWN < total;
    let publisher = holds(Role::Administrator);
    let withdrawals = if publisher {
        notices::withdrawals(&db, &notices).await?
    } else {
        BTreeMap::new()
    };
    let front = Page::new("front/index.html")
        .with("notices", notices)
        .with("page", page)
        .with("newer", (page > 1).then(|| address(page - 1)))
        .with("older", older.then(|| address(page + 1)))
        .with("publisher", publisher)
        .form("withdrawals", withdrawals);
    Ok(match session.principal() {
        Some(_) => front,
        None => front.form("sign_in", SignIn::view()),
    })
}
