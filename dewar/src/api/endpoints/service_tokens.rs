use super::form::{NewApiToken, TokenPage};
use crate::accounts::{Accounts, CurrentUser, RecentlyAuthenticated};
use crate::api::{ApiTokens, TokenHolder};
use crate::forms::{Form, Line, Path};
use crate::pages::{AccountPage, Error, Language, Message, Page, Redirect};
use crate::sessions::Session;

/// The page, for an administrator. The handlers ask themselves, so no other heading opens them to others.
fn page_of<'a>(
    person: &CurrentUser,
    accounts: &Accounts,
    tokens: &'a ApiTokens,
    language: Language,
) -> Result<TokenPage<'a>, Error> {
    let administrator = accounts.administrator();
    if !administrator.is_some_and(|role| person.has_role_named(role)) {
        return Err(Error::forbidden().because("only an administrator makes tokens for services"));
    }
    Ok(TokenPage {
        tokens,
        holder: TokenHolder::Service,
        offered: tokens.offered(|_| true),
        language,
    })
}

/// `GET /admin/tokens`: the tokens of services, and the form for another one. For administrators alone, whatever heading it
/// is mounted under.
///
/// # Errors
/// 403 for everybody else.
pub async fn service_tokens_page(
    person: CurrentUser,
    accounts: Accounts,
    tokens: ApiTokens,
    language: Language,
) -> Result<Page, Error> {
    page_of(&person, &accounts, &tokens, language)?.show().await
}

/// `POST /admin/tokens`: makes a token for a service, and shows it this once. It needs a password that was given recently.
///
/// # Errors
/// The page again at 422; 403 for everybody but administrators.
pub async fn create_service_token(
    person: CurrentUser,
    accounts: Accounts,
    tokens: ApiTokens,
    language: Language,
    session: Session,
    _recently: RecentlyAuthenticated,
    form: Form<NewApiToken>,
) -> Result<Page, Error> {
    let page = page_of(&person, &accounts, &tokens, language)?;
    page.create(&session, form).await
}

/// `POST /admin/tokens/{id}/revoke`: revokes a service's token, at its very next request.
///
/// # Errors
/// 404 if no service has it; 403 for everybody but administrators.
pub async fn revoke_service_token(
    person: CurrentUser,
    accounts: Accounts,
    tokens: ApiTokens,
    language: Language,
    _recently: RecentlyAuthenticated,
    Path(id): Path<Line<64>>,
) -> Result<Redirect, Error> {
    page_of(&person, &accounts, &tokens, language)?;
    let by = Some(person.id());
    if !tokens.revoke(by, TokenHolder::Service, id.as_str()).await? {
        return Err(Error::not_found());
    }
    Ok(
        Redirect::to(tokens.paths().place(AccountPage::ServiceTokens))
            .flash(Message::new("api-token-revoked")),
    )
}
