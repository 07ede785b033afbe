//! The buttons that lead to a provider, and the return from it.
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use url::Url;

use super::Next;
use crate::accounts::provider::{AfterReturn, AttemptPurpose, Begun, Provider, Return};
use crate::accounts::{Accounts, CurrentUser, RecentlyAuthenticated};
use crate::forms::{Line, Path, Query};
use crate::https::ClientAddress;
use crate::pages::{Error, LocalPath, Page, Redirect, output};
use crate::sessions::Session;

/// The response to the button of a provider: a page that leads the browser there at once.
///
/// It is a page and no redirect. Browsers apply the policy `form-action` to a form and to every redirect after it, also to those of
/// the provider, which may lead to further servers. This page goes on by itself, so `form-action` stays `'self'`, and scripts are
/// not needed.
#[derive(Debug)]
pub struct ToProvider(Way);

#[derive(Debug)]
enum Way {
    Back(Redirect),
    Leave(Box<(Page, Url)>),
}

impl IntoResponse for ToProvider {
    fn into_response(self) -> Response {
        match self.0 {
            Way::Back(redirect) => redirect.into_response(),
            Way::Leave(leave) => {
                let (page, url) = *leave;
                let mut response = page.into_response();
                if let Ok(value) = HeaderValue::try_from(format!("0;url={url}")) {
                    let refresh = HeaderName::from_static("refresh");
                    response.headers_mut().insert(refresh, value);
                }
                response
            }
        }
    }
}

output! { ToProvider => [200 Some("text/html"), 303 None] }

/// The parameters that a provider appends to the address of the return. Dewar ignores others.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct ProviderReturn {
    /// The state that the browser left with.
    pub state: Line<200>,
    /// The code.
    pub code: Option<Line<4000>>,
    /// The reason why there is no code.
    pub error: Option<Line<200>>,
    /// The issuer (RFC 9207).
    pub iss: Option<Line<500>>,
}

/// `POST /sign-in/with/{provider}`: leads a visitor to the provider.
///
/// # Errors
/// 404 for an unknown provider; 429.
pub async fn sign_in_at_provider(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    Query(next): Query<Next>,
    Path(name): Path<Line<20>>,
) -> Result<ToProvider, Error> {
    let next = next.local(accounts.paths());
    let at = (&session, next.as_ref());
    leave(&accounts, &name, AttemptPurpose::SignIn, at, &address).await
}

/// `POST /confirm/with/{provider}`: leads a signed-in user to the provider, to sign in there once more.
///
/// # Errors
/// As [`sign_in_at_provider`].
pub async fn confirm_at_provider(
    accounts: Accounts,
    _person: CurrentUser,
    session: Session,
    address: ClientAddress,
    Query(next): Query<Next>,
    Path(name): Path<Line<20>>,
) -> Result<ToProvider, Error> {
    let next = next.local(accounts.paths());
    let at = (&session, next.as_ref());
    leave(&accounts, &name, AttemptPurpose::Confirm, at, &address).await
}

/// `POST /account/providers/{id}/connect`: leads a signed-in user to the provider with this name, to connect it with the account.
///
/// # Errors
/// As [`sign_in_at_provider`].
pub async fn connect_provider(
    accounts: Accounts,
    _person: CurrentUser,
    _recently: RecentlyAuthenticated,
    session: Session,
    address: ClientAddress,
    Path(name): Path<Line<20>>,
) -> Result<ToProvider, Error> {
    let at = (&session, None);
    leave(&accounts, &name, AttemptPurpose::Connect, at, &address).await
}

async fn leave(
    accounts: &Accounts,
    name: &Line<20>,
    purpose: AttemptPurpose,
    at: (&Session, Option<&LocalPath>),
    address: &ClientAddress,
) -> Result<ToProvider, Error> {
    let provider = found(accounts, name)?;
    let begun = accounts
        .begin_at_provider(provider, purpose, at, address.network())
        .await?;
    let way = match begun {
        Begun::Away => Way::Back(redirect(accounts.back(
            provider,
            purpose,
            "accounts-provider-away",
        ))),
        Begun::NobodyIsSignedIn => return Err(Error::unauthenticated()),
        Begun::Leave(url) => {
            let page = Page::new("accounts/provider.html")
                .with("provider", provider.label().to_owned())
                .with("address", url.as_str().to_owned());
            Way::Leave(Box::new((page, url)))
        }
    };
    Ok(ToProvider(way))
}

/// `GET /sign-in/return/{provider}`: the redirect URI.
///
/// A provider's page leads here, so this is a `GET` of another site. Only the browser that left for the provider has the cookie that
/// makes it count, and it counts once.
///
/// # Errors
/// 404 for an unknown provider; if the database cannot be written.
pub async fn provider_return(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    Query(returned): Query<ProviderReturn>,
    Path(name): Path<Line<20>>,
) -> Result<Redirect, Error> {
    let provider = found(&accounts, &name)?;
    let returned = Return {
        state: returned.state.as_str(),
        code: returned.code.as_ref().map(Line::as_str),
        error: returned.error.as_ref().map(Line::as_str),
        issuer: returned.iss.as_ref().map(Line::as_str),
    };
    let after = accounts
        .return_from_provider(provider, &returned, &session, address.network())
        .await?;
    Ok(redirect(after))
}

fn found<'a>(accounts: &'a Accounts, name: &Line<20>) -> Result<&'a Provider, Error> {
    let provider = accounts.provider(name.as_str());
    provider.ok_or_else(Error::not_found)
}

fn redirect(after: AfterReturn) -> Redirect {
    let redirect = Redirect::to(after.to);
    match after.words {
        Some(words) => redirect.flash(words),
        None => redirect,
    }
}
