use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::forms::{Described, HandlerInput};
use crate::pages::{Error, RequestContext, Sealed};
use crate::sessions::Principal;

/// The proof of re-authentication: the caller entered their password recently, or their second factor if they have one.
///
/// Recently means within `sessions.reauth_timeout`, ten minutes by default: at sign-in, or on the page
/// [`CONFIRM`](super::CONFIRM), where the guard of the route sends everybody else (ASVS 7.5.1 to 7.5.3). A user who has a second
/// factor gives that there, and the password alone is not accepted.
///
/// Only such callers reach a handler that takes it, and the route table shows this. After the password, Dewar continues
/// with the original request: it shows the page, or sends the form once more, with nothing typed twice.
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

/// The guard asks for the password first, because the route's entry requires it, and notes that it was given.
impl<S: Sync> FromRequestParts<S> for RecentlyAuthenticated {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let admission = &RequestContext::of(parts)?.admission;
        let proof = admission.recently_authenticated.then_some(Self(()));
        proof.ok_or_else(|| Error::missing("RecentlyAuthenticated"))
    }
}

impl HandlerInput for RecentlyAuthenticated {
    fn describe(route: &mut Described, _: Sealed) {
        route.recently = true;
    }
}

/// The same for users who have a second factor: they give it before a password counts. Everybody else passes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[expect(
    unnameable_types,
    reason = "an argument of the framework's handlers alone"
)]
pub struct FactorFirst(());

/// The guard has asked, because the route's entry requires it.
impl<S: Sync> FromRequestParts<S> for FactorFirst {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let context = RequestContext::of(parts)?;
        let person = context.session()?.principal();
        let has_factor = person.is_some_and(Principal::has_second_factor);
        let passes = !has_factor || context.admission.recently_authenticated;
        passes
            .then_some(Self(()))
            .ok_or_else(|| Error::missing("FactorFirst"))
    }
}

impl HandlerInput for FactorFirst {
    fn describe(route: &mut Described, _: Sealed) {
        route.factor_recently = true;
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
