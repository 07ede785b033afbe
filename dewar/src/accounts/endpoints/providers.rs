//! The page of the providers that are connected with the user's account.
use crate::accounts::{self, Accounts, CurrentUser, RecentlyAuthenticated};
use crate::forms::{Line, Path};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};
use crate::sessions::{ProviderCookie, Session};

/// `GET /account/providers`: the connected providers, and the one that this browser has just proved and that waits for its owner.
///
/// # Errors
/// If the database cannot be read.
pub async fn providers_page(
    person: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
) -> Result<Page, Error> {
    let identities = accounts.identities_of(person.id()).await?;
    let waiting = accounts.proven_for(person.email());
    let waiting = waiting.map(|proven| accounts.shown(&proven));
    Ok(Page::new("accounts/providers.html")
        .with("identities", identities)
        .with("providers", accounts.provider_buttons())
        .with("waiting", waiting))
}

/// `POST /account/providers`: connects the identity that this browser has proved, with the account of the same address.
///
/// # Errors
/// If the database cannot be written.
pub async fn connect_proven_provider(
    person: CurrentUser,
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    _recently: RecentlyAuthenticated,
) -> Result<Redirect, Error> {
    let back = Redirect::to(accounts.place(AccountPage::Providers));
    let Some(proven) = accounts.proven_for(person.email()) else {
        return Ok(back.flash(Message::new("accounts-confirm-late")));
    };
    let connected = accounts
        .connect_proven(person.id(), &proven, address.network())
        .await?;
    session.keep_at_provider(ProviderCookie::Removed);
    let label = accounts.shown(&proven).label;
    Ok(back.flash(Message::new(connected.told()).with("provider", label)))
}

/// `POST /account/providers/{id}/disconnect`: the account's owner does not sign in with this provider any more.
///
/// # Errors
/// 404 if the user has no such identity; 400 if nobody could sign in to the account afterwards.
pub async fn disconnect_provider(
    person: CurrentUser,
    accounts: Accounts,
    address: ClientAddress,
    _recently: RecentlyAuthenticated,
    Path(id): Path<Line<64>>,
) -> Result<Redirect, Error> {
    let back = Redirect::to(accounts.place(AccountPage::Providers));
    match accounts
        .disconnect(person.id(), id.as_str(), address.network())
        .await
    {
        Ok(()) => Ok(back.flash(Message::new("accounts-provider-disconnected"))),
        Err(accounts::Error::LastWayIn) => {
            Ok(back.flash(Message::new("accounts-provider-last-way-in")))
        }
        Err(other) => Err(other.into()),
    }
}
