//! Fields of the application's own, on the page to sign up and on the account's page.

use std::convert::Infallible;
use std::future::Future;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::SignUp;
use crate::database::{self, Db, Tx};
use crate::forms::{
    Described, FieldSpec, FormValue, FromParts, HandlerInput, Model, Problems, Received,
};
use crate::pages::{self, AccountPage, Sealed};
use crate::sessions::UserId;

/// Fields of the application's own, beside those of an account.
///
/// `accounts::sign_up_with::<It>` shows them on the page to sign up and calls [`store`](Self::store) in the transaction that makes
/// the account. `accounts::change_account_with::<It>` stores them on the account's page.
///
/// A field that has the name of a field of the account does not compile. No field reaches a role or another column of the
/// account: `store` gets the user's id and writes into tables of the application (mass assignment, CWE-915).
///
/// ```
/// use dewar::accounts::{self, AccountFields, FieldsError};
/// use dewar::database::{Db, Tx};
/// use dewar::forms::Line;
/// use dewar::sessions::UserId;
/// use dewar::{App, Form, get, post};
/// #[derive(Form)]
/// struct Company { company: Line<80> }
/// impl AccountFields for Company {
///     async fn store(self, tx: &Tx, user: UserId) -> Result<(), FieldsError<Self>> {
///         let set = "INSERT INTO companies (user_id, name) VALUES (?1, ?2)
///             ON CONFLICT (user_id) DO UPDATE SET name = excluded.name";
///         tx.execute(set, [user.into(), self.company.as_str().into()]).await?;
///         Ok(())
///     }
/// }
/// fn app(app: App) -> App {
///     app.public([
///         get("/sign-up", accounts::sign_up_page_with::<Company>),
///         post("/sign-up", accounts::sign_up_with::<Company>),
///     ])
/// }
/// # let _ = app;
/// ```
pub trait AccountFields: Model + Sync {
    /// The current values, for the account's page. Without this method the page shows empty fields.
    fn load(
        db: &Db,
        user: UserId,
    ) -> impl Future<Output = Result<Option<Self>, pages::Error>> + Send {
        let _ = (db, user);
        async { Ok(None) }
    }

    /// Stores the values in this transaction.
    ///
    /// A sign-up with an address that has an account already calls it too, for a user whom Dewar then rolls back: the response and
    /// its cost do not show whether the address has an account (user enumeration, CWE-204). So do everything in the
    /// transaction, and nothing outside it: no request to another server, no file. Queue a job or a letter instead, which the
    /// rollback takes back.
    ///
    /// The user has the visitor's address in both cases, so `store` may read it. Two things can still show whether the address has
    /// an account: rows that tables of your own have for the address or for the existing account, and a foreign key of your own on
    /// `dewar_users (email_key)`. So find rows by the `user` that you get, and let foreign keys refer to `dewar_users (id)`.
    fn store(
        self,
        tx: &Tx,
        user: UserId,
    ) -> impl Future<Output = Result<(), FieldsError<Self>>> + Send;
}

/// Why fields of the application's own were not stored. Nothing else was stored then either.
///
/// ```
/// use dewar::Form;
/// use dewar::accounts::FieldsError;
/// use dewar::forms::{Line, Problems};
/// #[derive(Form)]
/// struct Voucher { voucher: Line<10> }
/// fn unknown_voucher() -> FieldsError<Voucher> {
///     Problems::at(Voucher::VOUCHER, "This voucher does not exist.").into()
/// }
/// # let _ = unknown_voucher();
/// ```
#[non_exhaustive]
pub enum FieldsError<E> {
    /// The user can correct these: the page comes again, with everything that was typed.
    Problems(Problems<E>),
    /// Any other failure.
    Failed(Box<pages::Error>),
}

impl<E> FieldsError<E> {
    /// The same, of a form whose type is not at hand.
    pub(super) fn untyped(self) -> FieldsError<()> {
        match self {
            Self::Problems(problems) => FieldsError::Problems(problems.of_form()),
            Self::Failed(error) => FieldsError::Failed(error),
        }
    }
}

impl<E> std::fmt::Debug for FieldsError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(problems) => f.debug_tuple("Problems").field(problems).finish(),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl<E> std::fmt::Display for FieldsError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the application's own fields were not stored")
    }
}

impl<E> std::error::Error for FieldsError<E> {}

// Problems of another form would name fields that the page does not have.
impl<E> From<Problems<E>> for FieldsError<E> {
    fn from(problems: Problems<E>) -> Self {
        Self::Problems(problems)
    }
}

impl<E> From<pages::Error> for FieldsError<E> {
    fn from(error: pages::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl<E> From<database::Error> for FieldsError<E> {
    fn from(error: database::Error) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

/// The work that a sign-up does beside the account's own, in its transaction.
pub(super) trait Beside: Send {
    /// Whether there is any.
    const IS_SOME: bool;

    fn keep(
        self,
        tx: &Tx,
        user: UserId,
    ) -> impl Future<Output = Result<(), FieldsError<()>>> + Send;
}

impl Beside for () {
    const IS_SOME: bool = false;

    async fn keep(self, _: &Tx, _: UserId) -> Result<(), FieldsError<()>> {
        Ok(())
    }
}

/// The application's own.
pub(super) struct Own<E>(pub(super) E);

impl<E: AccountFields> Beside for Own<E> {
    const IS_SOME: bool = true;

    async fn keep(self, tx: &Tx, user: UserId) -> Result<(), FieldsError<()>> {
        self.0.store(tx, user).await.map_err(FieldsError::untyped)
    }
}

/// The fields of the page to sign up, then the application's own. The messages with their labels in other languages are
/// `sign-up-<field>`.
///
/// ```
/// use dewar::Form;
/// use dewar::accounts::{AccountFields, FieldsError, SignUpWith};
/// use dewar::database::Tx;
/// use dewar::forms::{Line, Model};
/// use dewar::sessions::UserId;
/// #[derive(Form)]
/// struct Company { company: Line<80> }
/// impl AccountFields for Company {
///     async fn store(self, _: &Tx, _: UserId) -> Result<(), FieldsError<Self>> { Ok(()) }
/// }
/// assert_eq!(SignUpWith::<Company>::FIELDS[3].name, "company");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SignUpWith<E> {
    /// The fields of the account.
    pub account: SignUp,
    /// The application's own.
    pub fields: E,
}

/// The most fields of a sign-up.
const MOST: usize = 64;

impl<E: AccountFields> SignUpWith<E> {
    const ALL: [FieldSpec; MOST] = joined(<SignUp as Model>::FIELDS, E::FIELDS);
    const ALL_AT: &'static [FieldSpec; MOST] = &Self::ALL;
}

impl<E: AccountFields> Model for SignUpWith<E> {
    const NAME: &'static str = <SignUp as Model>::NAME;
    const FIELDS: &'static [FieldSpec] = Self::ALL_AT
        .split_at(<SignUp as Model>::FIELDS.len() + E::FIELDS.len())
        .0;

    fn read(from: &mut Received) -> Option<Self> {
        // Both are read before either is used, so that every problem is shown at once.
        let (account, fields) = (SignUp::read(from), E::read(from));
        Some(Self {
            account: account?,
            fields: fields?,
        })
    }

    fn show(&self) -> Vec<FormValue> {
        let mut all = self.account.show();
        all.extend(self.fields.show());
        all
    }

    fn check(&self) -> Result<(), Problems<Self>> {
        let mut found = Problems::default();
        if let Err(problems) = self.account.check() {
            found.extend(problems.of_form());
        }
        if let Err(problems) = self.fields.check() {
            found.extend(problems.of_form());
        }
        found.into_result()
    }
}

/// The fields of two forms. Two of one name, and too many, do not compile.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
const fn joined(first: &'static [FieldSpec], second: &'static [FieldSpec]) -> [FieldSpec; MOST] {
    assert!(
        first.len() + second.len() <= MOST,
        "a sign-up has at most 64 fields"
    );
    let mut all = [first[0]; MOST];
    let mut at = 0;
    while at < first.len() {
        all[at] = first[at];
        at += 1;
    }
    let mut at = 0;
    while at < second.len() {
        let mut known = 0;
        while known < first.len() {
            assert!(
                !is_same(first[known].name, second[at].name),
                "a field of `AccountFields` has the name of a field of the account: `name`, `email` or `password`"
            );
            known += 1;
        }
        all[first.len() + at] = second[at];
        at += 1;
    }
    all
}

#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Tells the route table that a handler is the page to sign up, or takes its form.
#[doc(hidden)]
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "an argument of the framework's handlers alone"
)]
pub struct OnSignUp(());

/// Tells the route table that a handler is the account's page, or takes its form.
#[doc(hidden)]
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "an argument of the framework's handlers alone"
)]
pub struct OnAccount(());

macro_rules! on {
    ($($name:ident, $page:ident;)*) => {$(
        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Infallible;

            async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
                Ok(Self(()))
            }
        }

        impl HandlerInput for $name {
            fn describe(route: &mut Described, _: Sealed) {
                route.account_page = Some(AccountPage::$page);
            }
        }

        impl FromParts for $name {}
    )*};
}

on! {
    OnSignUp, SignUp;
    OnAccount, Account;
}
