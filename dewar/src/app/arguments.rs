//! Handles and proofs of rooms that come before `forms`, as arguments of handlers: none lets input in.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Dewar;
use crate::audit::{Clock, Log};
use crate::csrf::{CsrfTokens, VerifiedWebhook};
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{Error, Language, Mounted, handle};
use crate::secrets::KeyRing;

macro_rules! nothing_from_the_visitor {
    ($($handle:ty),*) => {$(
        impl HandlerInput for $handle {
            fn describe(_: &mut Described) {}
        }

        impl FromParts for $handle {}
    )*};
}

nothing_from_the_visitor! {
    Clock,
    Dewar,
    Log,
    VerifiedWebhook,
    CsrfTokens,
    crate::database::Db,
    crate::https::ClientAddress,
    crate::https::Nonce,
    crate::https::RequestId,
    KeyRing,
    Language,
    Mounted,
    crate::sessions::Session,
    crate::sessions::Sessions
}

macro_rules! from_the_stack {
    ($($handle:ident),*) => {$(
        impl<S: Sync> FromRequestParts<S> for $handle {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
                handle::<Self>(parts, stringify!($handle)).cloned()
            }
        }
    )*};
}

/// The language of whoever reads the answer: for a handler that writes words of its own, such as the head of a table.
impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let dewar = handle::<Dewar>(parts, "Language")?;
        Ok(dewar.rooms().languages.of(&parts.headers))
    }
}

from_the_stack!(
    Clock,
    VerifiedWebhook,
    Dewar,
    CsrfTokens,
    KeyRing,
    Log,
    Mounted
);
