//! Work of later rooms that belongs to a session, and the letter about what they make.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use super::letters::TokenCreated;
use super::{Accounts, User};
use crate::database::{self, Tx};
use crate::pages::AccountPage;
use crate::sessions::{SessionId, UserId};

/// Work that follows a user into a new generation: the room `api` comes later, so it brings this work itself.
pub(super) type TokensFollow =
    OnceLock<Box<dyn for<'a> Fn(&'a Tx, UserId, i64) -> Following<'a> + Send + Sync>>;

/// The work of a moment in a transaction.
pub(crate) type Following<'a> =
    Pin<Box<dyn Future<Output = Result<(), database::Error>> + Send + 'a>>;

type Ending = Pin<Box<dyn Future<Output = Result<(), database::Error>> + Send>>;

/// What else ends when a person ends a session: the room `api` comes later, so it brings this work itself.
pub(super) type SessionEnd = OnceLock<Box<dyn Fn(UserId, SessionId) -> Ending + Send + Sync>>;

impl Accounts {
    /// Brings the work. The first one stays.
    pub(crate) fn at_session_end<F>(
        &self,
        work: impl Fn(UserId, SessionId) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), database::Error>> + Send + 'static,
    {
        let end = &self.0.session_end;
        let _first = end.get_or_init(|| Box::new(move |user, id| Box::pin(work(user, id))));
    }

    /// Brings the work that keeps a user's API tokens when a new generation ends the sessions. The first one stays.
    pub(crate) fn at_new_generation(
        &self,
        work: impl for<'a> Fn(&'a Tx, UserId, i64) -> Following<'a> + Send + Sync + 'static,
    ) {
        let _first = self.0.tokens_follow.get_or_init(|| Box::new(work));
    }

    /// Keeps a user's API tokens in a new generation.
    pub(super) async fn carry_tokens(
        &self,
        tx: &Tx,
        user: UserId,
        generation: i64,
    ) -> Result<(), database::Error> {
        match self.0.tokens_follow.get() {
            Some(follow) => follow(tx, user, generation).await,
            None => Ok(()),
        }
    }

    /// Ends what this user's session has made: whoever had the session may still hold it.
    pub(super) async fn end_made_in(
        &self,
        user: UserId,
        id: SessionId,
    ) -> Result<(), database::Error> {
        match self.0.session_end.get() {
            Some(end) => end(user, id).await,
            None => Ok(()),
        }
    }

    /// Notifies a user of a new API token, in the transaction that makes it.
    pub(crate) async fn tell_of_token(
        &self,
        tx: &Tx,
        person: &User,
    ) -> Result<(), database::Error> {
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(tx, person, &TokenCreated { link }).await
    }
}
