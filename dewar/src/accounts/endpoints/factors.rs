//! The page of the user's own second factor.
use crate::accounts::second_factor::{NewTotp, RecoveryCode};
use crate::accounts::{self, Accounts, CurrentUser, OneTimeCode, RecentlyAuthenticated};
use crate::audit::Clock;
use crate::forms::{Form, Hidden, Line};
use crate::pages::{AccountPage, Error, Message, Page, Redirect};
use crate::sessions::Session;

const PAGE: &str = "accounts/factors.html";

/// A new authenticator app, with its first code.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct NewFactor {
    /// The secret that the page showed, sealed for this session.
    pub secret: Hidden<Line<80>>,
    /// The code that the app shows.
    #[field(label = "Code", hint = "The six digits that the app shows now.")]
    pub code: OneTimeCode,
}

/// `GET /account/second-factor`: the way to set a second factor up, or what there is of one.
///
/// # Errors
/// If the database cannot be read.
pub async fn factors_page(
    person: CurrentUser,
    accounts: Accounts,
    clock: Clock,
    _recently: RecentlyAuthenticated,
) -> Result<Page, Error> {
    if person.has_second_factor() {
        return with_factor(&accounts, &person).await;
    }
    let new = NewTotp::new(clock.now());
    let form = NewFactor::view().fill(NewFactor::SECRET, &*new.sealed_text());
    let app = accounts.offer(person.principal(), &new).into_value();
    let page = page(&accounts, &person).with_value("app", app);
    Ok(page.form("form", form))
}

/// `POST /account/second-factor`: adds the app after its first code, and shows the recovery codes this once.
///
/// # Errors
/// The page again at 422; 400 if the page is older than half an hour, or an app was added meanwhile.
pub async fn add_factor(
    person: CurrentUser,
    accounts: Accounts,
    session: Session,
    clock: Clock,
    _recently: RecentlyAuthenticated,
    form: Form<NewFactor>,
) -> Result<Page, Error> {
    let (given, bound) = form.bind(page(&accounts, &person))?;
    let new = NewTotp::read(given.secret.as_str(), clock.now());
    let new = new.ok_or_else(|| Error::bad_request(Message::new("accounts-factor-late")))?;
    let app = accounts.offer(person.principal(), &new).into_value();
    let added = accounts
        .add_totp(&session, person.id(), new, given.code.expose())
        .await;
    match added {
        Ok(codes) => Ok(show_codes(&codes).with("is_new", true)),
        Err(accounts::Error::Refused) => {
            let wrong = Message::new("accounts-code-wrong");
            Err(bound.with("app", app).refuse(NewFactor::CODE, wrong))
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /account/second-factor/codes`: new recovery codes instead of the old ones, shown this once.
///
/// # Errors
/// If the database cannot be written.
pub async fn renew_recovery_codes(
    person: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
) -> Result<Page, Error> {
    if !person.has_second_factor() {
        return Err(Error::not_found());
    }
    Ok(show_codes(
        &accounts.renew_recovery_codes(person.id()).await?,
    ))
}

/// `POST /account/second-factor/remove`: removes the app and the recovery codes. Every other session ends.
///
/// # Errors
/// 400 if a role of the user requires a second factor; 404 if there is none.
pub async fn remove_factor(
    person: CurrentUser,
    accounts: Accounts,
    session: Session,
    _recently: RecentlyAuthenticated,
) -> Result<Redirect, Error> {
    if !person.has_second_factor() {
        return Err(Error::not_found());
    }
    accounts
        .remove_factors(&session, person.principal())
        .await?;
    Ok(Redirect::to(accounts.place(AccountPage::Factors))
        .flash(Message::new("accounts-factor-removed")))
}

async fn with_factor(accounts: &Accounts, person: &CurrentUser) -> Result<Page, Error> {
    let left = accounts.recovery_codes_left(person.id()).await?;
    Ok(page(accounts, person)
        .with("has_factor", true)
        .with("left", left))
}

/// The page with the recovery codes, which nobody can see again.
fn show_codes(codes: &[RecoveryCode]) -> Page {
    let codes: Vec<String> = codes.iter().map(|code| code.text().to_string()).collect();
    Page::new("accounts/recovery_codes.html").with("codes", codes)
}

fn page(accounts: &Accounts, person: &CurrentUser) -> Page {
    Page::new(PAGE).with(
        "required",
        accounts.requires_second_factor(person.principal()),
    )
}
