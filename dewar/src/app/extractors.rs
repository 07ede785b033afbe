//! The extractors of the rooms before `forms`, and of `mail`. Each reads from the one [`RequestContext`], and none lets input in.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Dewar;
use crate::audit::{Clock, Log};
use crate::csrf::{CsrfTokens, VerifiedWebhook};
use crate::database::Db;
use crate::forms::{Described, FromParts, HandlerInput, Intake};
use crate::https::{ClientAddress, Nonce, RequestId, RequestInfo};
use crate::mail::Mailer;
use crate::outgoing::Client;
use crate::pages::{
    CookieInfo, CookieValue, DangerousScriptCookie, DangerousScriptValue, Error, Language, Mounted,
    RequestContext, Sealed, SealedCookie,
};
use crate::secrets::KeyRing;
use crate::sessions::{Session, Sessions};

macro_rules! extractors {
    ($read:ident as $from:ident: $($input:ident => $value:expr;)*) => {$(
        impl<S: Sync> FromRequestParts<S> for $input {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
                let $from = $read(parts, stringify!($input))?;
                $value
            }
        }

        impl HandlerInput for $input {
            fn describe(_: &mut Described, _: Sealed) {}
        }

        impl FromParts for $input {}
    )*};
}

fn context<'a>(parts: &'a Parts, _input: &str) -> Result<&'a RequestContext, Error> {
    RequestContext::of(parts)
}

/// The facts that a layer outside the session can read too.
fn info<'a>(parts: &'a Parts, input: &'static str) -> Result<&'a RequestInfo, Error> {
    RequestInfo::get(&parts.extensions).ok_or_else(|| Error::missing(input))
}

extractors! { context as request:
    Clock => Ok(request.services().clock.clone());
    Client => request.service().cloned();
    CsrfTokens => {
        // An API token has no session, and needs no CSRF token.
        request.session()?;
        request.tokens().cloned()
    };
    Db => Ok(request.services().db.clone());
    Dewar => request.service().cloned();
    KeyRing => Ok(request.services().ring.clone());
    Language => Ok(request.language().clone());
    Log => Ok(request.services().log.clone());
    Mailer => Ok(request.service::<Mailer>()?.for_caller(request));
    Mounted => Ok(request.services().mounted.clone());
    RequestContext => Ok(request.clone());
    Session => request.session().cloned();
    Sessions => Ok(request.services().sessions.clone());
    VerifiedWebhook => {
        let webhook = request.admission.webhook.as_deref().cloned();
        let webhook = webhook.ok_or_else(|| Error::missing("VerifiedWebhook"))?;
        let intake = request.service::<Intake>()?;
        Ok(webhook.bounded(intake.config().fields, intake.min_password_length()))
    };
}

extractors! { info as info:
    ClientAddress => info.address.ok_or_else(|| Error::missing("ClientAddress"));
    Nonce => Ok(info.nonce);
    RequestId => Ok(info.id);
}

/// `type bound: how it is read, whether scripts can read it`.
macro_rules! own_cookies {
    ($($cookie:ident $value:ident $by_scripts:literal;)*) => {$(
        impl<T: $value> HandlerInput for $cookie<T> {
            fn describe(route: &mut Described, _: Sealed) {
                route.cookies.push(CookieInfo::of::<T>($by_scripts));
                route.dangers.extend(Self::danger());
            }
        }

        impl<T: $value> FromParts for $cookie<T> {}

        impl<S: Sync, T: $value> FromRequestParts<S> for $cookie<T> {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
                Ok(Self::of(RequestContext::of(parts)?))
            }
        }
    )*};
}

own_cookies! {
    SealedCookie CookieValue false;
    DangerousScriptCookie DangerousScriptValue true;
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http::Request;

    use super::*;
    use crate::csrf::VerifiedWebhook as Webhook;
    use crate::pages::Fixture;

    #[tokio::test]
    async fn a_handler_gets_the_rooms_of_the_context_and_nothing_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let rooms = Fixture::new(folder.path());
        let mut request = Request::new(());
        rooms.enter(&mut request, http::Extensions::new());
        let (mut parts, ()) = request.into_parts();
        let db = Db::from_request_parts(&mut parts, &()).await.unwrap();
        let before = rooms.db.statements();
        db.query("SELECT 1", []).await.unwrap();
        assert_eq!(rooms.db.statements() - before, 1);
        let session = Session::from_request_parts(&mut parts, &()).await.unwrap();
        assert!(session.principal().is_none());
        let webhook = Webhook::from_request_parts(&mut parts, &()).await;
        assert_eq!(webhook.unwrap_err().into_response().status(), 500);
        parts.extensions.remove::<RequestContext>();
        let missing = Db::from_request_parts(&mut parts, &()).await.unwrap_err();
        assert_eq!(missing.into_response().status(), 500);
    }
}
