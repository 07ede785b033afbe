use super::form::{NewApiToken, TokenPage};
use crate::accounts::{CurrentUser, RecentlyAuthenticated};
use crate::api::{ApiTokens, TokenHolder};
use crate::forms::{Form, Line, Path};
use crate::pages::{AccountPage, Error, Language, Message, Page, Redirect};
use crate::sessions::Session;

fn page_of<'a>(person: &CurrentUser, tokens: &'a ApiTokens, language: Language) -> TokenPage<'a> {
    TokenPage {
        tokens,
        holder: TokenHolder::Person(person.id()),
        offered: tokens.offered(|role| person.has_role_named(role)),
        language,
    }
}

/// `GET /account/tokens`: the person's tokens, with their scopes, last use and expiry, and the form for another one.
///
/// # Errors
/// If the database fails.
pub async fn tokens_page(
    person: CurrentUser,
    tokens: ApiTokens,
    language: Language,
) -> Result<Page, Error> {
    page_of(&person, &tokens, language).show().await
}

/// `POST /account/tokens`: makes a token, and shows it this once. It needs a password that was given recently.
///
/// # Errors
/// The page again at 422.
pub async fn create_token(
    person: CurrentUser,
    tokens: ApiTokens,
    language: Language,
    session: Session,
    _recently: RecentlyAuthenticated,
    form: Form<NewApiToken>,
) -> Result<Page, Error> {
    page_of(&person, &tokens, language)
        .create(&session, form)
        .await
}

/// `POST /account/tokens/{id}/revoke`: revokes one of the person's tokens, at its very next request.
///
/// # Errors
/// 404 if it is another person's token.
pub async fn revoke_token(
    person: CurrentUser,
    tokens: ApiTokens,
    _recently: RecentlyAuthenticated,
    Path(id): Path<Line<64>>,
) -> Result<Redirect, Error> {
    let holder = TokenHolder::Person(person.id());
    if !tokens
        .revoke(Some(person.id()), holder, id.as_str())
        .await?
    {
        return Err(Error::not_found());
    }
    Ok(Redirect::to(tokens.paths().place(AccountPage::Tokens))
        .flash(Message::new("api-token-revoked")))
}
