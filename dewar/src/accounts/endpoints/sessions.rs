use serde::Serialize;

use crate::accounts::{Accounts, CurrentUser, RecentlyAuthenticated, device};
use crate::forms::{Line, Path};
use crate::pages::{AccountPage, Error, Message, Mounted, Page, Redirect};
use crate::sessions::{Session, SessionId, SessionInfo, Sessions};

/// A session as the page shows it.
#[derive(Debug, Serialize)]
struct View {
    id: String,
    browser: Option<&'static str>,
    system: Option<&'static str>,
    device: String,
    address: String,
    created_at: i64,
    seen_at: i64,
    this: bool,
}

/// `GET /account/sessions`: the sessions of the user, the latest first (ASVS 7.5.2).
///
/// # Errors
/// If the store cannot be read.
pub async fn sessions_page(
    person: CurrentUser,
    session: Session,
    sessions: Sessions,
) -> Result<Page, Error> {
    let all = sessions.list_of(person.id()).await?;
    let views: Vec<View> = all
        .into_iter()
        .map(|listed| view(listed, session.id()))
        .collect();
    Ok(Page::new("accounts/sessions.html").with("sessions", views))
}

fn view(listed: SessionInfo, this: Option<&SessionId>) -> View {
    View {
        id: listed.id.to_string(),
        browser: device::browser(&listed.device),
        system: device::system(&listed.device),
        address: listed.address,
        created_at: listed.created_at,
        seen_at: listed.seen_at,
        this: this == Some(&listed.id),
        device: listed.device,
    }
}

/// `POST /account/sessions/{id}/end`: ends one of the user's sessions at its very next request, with the API tokens that were made
/// in it.
///
/// # Errors
/// 404 if it is another user's session.
pub async fn end_session(
    person: CurrentUser,
    session: Session,
    accounts: Accounts,
    sessions: Sessions,
    _recently: RecentlyAuthenticated,
    Path(id): Path<Line<64>>,
) -> Result<Redirect, Error> {
    let id = SessionId::parse(id.as_str()).ok_or_else(Error::not_found)?;
    // First: if the session does not end, the person tries again.
    accounts.end_made_in(person.id(), id).await?;
    if session.id() == Some(&id) {
        session.sign_out().await?;
        return Ok(Redirect::to("/").forget());
    }
    if !sessions.end(person.id(), &id).await? {
        return Err(Error::not_found());
    }
    Ok(Redirect::to(accounts.place(AccountPage::Sessions))
        .flash(Message::new("accounts-session-ended")))
}

/// `POST /account/sessions/end-others`: ends all sessions but this one, which continues under a new token.
///
/// # Errors
/// If the database or the store cannot be written.
pub async fn end_other_sessions(
    session: Session,
    mounted: Mounted,
    _recently: RecentlyAuthenticated,
) -> Result<Redirect, Error> {
    session.end_others().await?;
    Ok(
        Redirect::to(mounted.accounts().place(AccountPage::Sessions))
            .flash(Message::new("accounts-sessions-ended")),
    )
}
