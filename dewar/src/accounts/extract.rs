//! The signed-in person, and the accounts, as inputs of handlers.
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::Accounts;
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{Error, Message, RequestContext, Sealed};
use crate::sessions::{Principal, UserId};

/// The signed-in person. Dewar sends a visitor to the sign-in page; pages for both take `Option<CurrentUser>`.
///
/// ```
/// use dewar::accounts::CurrentUser;
/// async fn hello(person: CurrentUser) -> String {
///     format!("Hello, {}.", person.name())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CurrentUser(Principal);

impl CurrentUser {
    /// The account.
    #[must_use]
    pub fn id(&self) -> UserId {
        self.0.id()
    }

    /// The e-mail address that the person signs in with.
    #[must_use]
    pub fn email(&self) -> &str {
        self.0.email()
    }

    /// The name that others see.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The file of the person's picture.
    #[must_use]
    pub fn picture(&self) -> Option<&str> {
        self.0.picture()
    }

    /// Whether the person has a role now, by the role's name.
    #[must_use]
    pub fn has_role_named(&self, name: &str) -> bool {
        self.0.has_role_named(name)
    }

    /// Whether the person has a second factor.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.0.has_second_factor()
    }

    pub(super) const fn principal(&self) -> &Principal {
        &self.0
    }

    /// The names of the person's roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles()
    }

    fn of(parts: &Parts) -> Result<Option<Self>, Error> {
        let person = RequestContext::of(parts)?.person()?;
        Ok(person.cloned().map(Self))
    }

    /// The error where nobody is signed in. A service is nobody, whoever asks it to authenticate.
    fn nobody(parts: &Parts) -> Error {
        let context = RequestContext::of(parts).ok();
        match context.and_then(RequestContext::bearer) {
            Some(_) => Error::forbidden().public(Message::new("api-needs-a-person")),
            None => Error::unauthenticated(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(parts)?.ok_or_else(|| Self::nobody(parts))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Error> {
        Self::of(parts)
    }
}

impl HandlerInput for CurrentUser {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for CurrentUser {}

impl<S: Sync> FromRequestParts<S> for Accounts {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let context = RequestContext::of(parts)?;
        Ok(context.service::<Self>()?.for_caller(context))
    }
}

impl HandlerInput for Accounts {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for Accounts {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::ErrorKind;

    #[tokio::test]
    async fn outside_the_stack_nobody_passes() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let person =
            <CurrentUser as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(person.unwrap_err().kind(), ErrorKind::Internal);
        let maybe =
            <CurrentUser as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &())
                .await;
        assert_eq!(maybe.unwrap_err().kind(), ErrorKind::Internal);
        let accounts =
            <Accounts as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(accounts.unwrap_err().kind(), ErrorKind::Internal);
    }
}
