//! The front page.

use std::collections::BTreeMap;

use dewar::accounts::SignIn;
use dewar::forms::{Cursor, FormView};
use dewar::pages::{PageData, TypedPage};
use dewar::roles::Role as _;
use dewar::secrets::KeyRing;
use dewar::sessions::Session;
use dewar::{Db, Form, Query};

use crate::Role;
use crate::notices::{self, NoticeView, Withdrawal};

/// The page of notices to show.
#[derive(Form, Debug)]
pub(crate) struct NoticePage {
    page: Option<Cursor>,
}

/// The front page.
#[derive(PageData)]
#[page(template = "front/index.html")]
pub(crate) struct Front {
    notices: Vec<NoticeView>,
    newer: Option<String>,
    older: Option<String>,
    /// Whether the reader writes notices.
    publisher: bool,
    withdrawals: BTreeMap<i64, FormView<Withdrawal>>,
    /// For a visitor.
    sign_in: Option<FormView<SignIn>>,
}

/// `GET /`
pub(crate) async fn index(
    session: Session,
    db: Db,
    keys: KeyRing,
    Query(which): Query<NoticePage>,
) -> dewar::Result<TypedPage<Front>> {
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
    let sign_in = session.principal().is_none().then(SignIn::view);
    Ok(TypedPage(Front {
        notices,
        newer: links.previous.map(address),
        older: links.next.map(address),
        publisher,
        withdrawals,
        sign_in,
    }))
}
