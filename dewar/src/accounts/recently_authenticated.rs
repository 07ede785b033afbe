use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::forms::{Described, HandlerInput};
use crate::pages::{Error, RequestContext, Sealed};
use crate::sessions::Session;

/// The proof that whoever asks has given their password a short time ago.
///
/// That is the time of `sessions.reauth_timeout`, ten minutes, and it was at sign-in or on the page [`CONFIRM`](super::CONFIRM),
/// where the guard of the route sends everybody else (ASVS 7.5.1 to 7.5.3).
///
/// A handler that takes it is reached by nobody else, and the route table says so. Whoever was sent away comes back to
/// what they wanted: a page is shown, and a form that was sent is sent once more, with nothing typed twice.
///
/// ```
/// use dewar::accounts::RecentlyAuthenticated;
/// use dewar::{CurrentUser, Redirect};
/// async fn close_account(person: CurrentUser, _recently: RecentlyAuthenticated) -> Redirect {
///     Redirect::to("/").flash(format!("Good-bye, {}.", person.name()))
/// }
/// ```
/// Only the guard makes one:
/// ```compile_fail
/// let proof = dewar::accounts::RecentlyAuthenticated(());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecentlyAuthenticated(());

impl RecentlyAuthenticated {
    /// The one place where it is made: the session says whether its owner has.
    pub(crate) fn of(session: &Session) -> Option<Self> {
        session.is_recent().then_some(Self(()))
    }
}

/// The guard left it, because the route's entry says that it is asked for; without it nobody passes.
impl<S: Sync> FromRequestParts<S> for RecentlyAuthenticated {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let session = RequestContext::of(parts)?.session()?;
        Self::of(session).ok_or_else(|| Error::missing("RecentlyAuthenticated"))
    }
}

impl HandlerInput for RecentlyAuthenticated {
    fn describe(route: &mut Described, _: Sealed) {
        route.recently = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::ErrorKind;

    #[tokio::test]
    async fn where_the_guard_left_none_nobody_passes() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let proof = RecentlyAuthenticated::from_request_parts(&mut parts, &()).await;
        assert_eq!(proof.unwrap_err().kind(), ErrorKind::Internal);
    }

    #[test]
    fn the_route_table_knows_who_asks_for_it() {
        let mut described = Described::default();
        RecentlyAuthenticated::describe(&mut described, Sealed(()));
        assert!(described.recently);
    }
}
