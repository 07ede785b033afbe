use std::time::Duration;

use super::FieldsError;
use super::guessable::Guessable;
use super::pool::{PoolError, RETRY_AFTER};
use crate::audit::Finding;
use crate::forms::{AsProblem, Problem, RecordChanged};
use crate::pages::{Message, Words};
use crate::{database, mail, pages, sessions};

/// Why an account could not be made, opened or changed. No text holds a password, a link or an address.
///
/// ```
/// use dewar::accounts::Error;
/// fn is_for_the_form(error: &Error) -> bool {
///     matches!(error, Error::Guessable(_) | Error::TooLong(_) | Error::TooShort(_))
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot receive mail.
    #[error("not an email address: {0}")]
    Address(Problem),
    /// The name is not allowed.
    #[error("not a name: {0}")]
    Name(Problem),
    /// Every hashing thread is busy: retry after this time.
    #[error("every hashing thread is busy")]
    Busy(Duration),
    /// The user was changed since the page showed them.
    #[error(transparent)]
    Changed(#[from] RecordChanged),
    /// Users cannot sign up: `accounts.sign_up` is `closed`.
    #[error("sign-up is closed")]
    Closed,
    /// A role of the user requires a second factor, or the user has one, which counts instead of the password.
    #[error("the account needs its second factor")]
    FactorRequired,
    /// The user has an authenticator app already.
    #[error("the account has an authenticator app already")]
    FactorThere,
    /// The application's own fields were not stored, and the account was not made.
    #[error(transparent)]
    Fields(#[from] FieldsError<()>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The file of `accounts.flask_security_salt_file` cannot be used.
    #[error("cannot read the salt of Flask-Security from {0}")]
    FlaskSalt(String),
    /// The password is easy to guess; the user reads the reason.
    #[error("{0}")]
    Guessable(Guessable),
    /// Without this identity at a provider, nobody could sign in to the account.
    #[error("the account would have no way in")]
    LastWayIn,
    /// The change would remove the last active administrator.
    #[error("one active administrator must remain")]
    LastAdministrator,
    /// The link is unknown, was used, or has expired.
    #[error("this link was used or has expired")]
    LinkSpent,
    /// Letters cannot be sent.
    #[error(transparent)]
    Mail(#[from] mail::Error),
    /// The account does not exist.
    #[error("the account does not exist")]
    NoSuchUser,
    /// The secret of a provider cannot be read.
    #[error("cannot read the secret of a provider from {0}")]
    ProviderSecret(String),
    /// The hashing threads failed.
    #[error(transparent)]
    Pool(PoolError),
    /// The address and the password do not match, or the account is disabled: one error for all three.
    #[error("the address and the password do not match")]
    Refused,
    /// The secret of a second factor could not be sealed.
    #[error("the secret of the second factor was not sealed")]
    NotSealed,
    /// The sign-in waited too long for its second factor, or the account has changed since the password.
    #[error("the sign-in has ended; begin again")]
    SignInEnded,
    /// The store of the sessions failed.
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    /// The address has an account already. Only administrators see this, never a visitor.
    #[error("the address already has an account")]
    Taken,
    /// Too many attempts: the next one is allowed after this time.
    #[error("too many attempts")]
    Throttled(Duration),
    /// The account has too many valid links for a new password.
    #[error("the account has many links for a new password; wait until one has expired")]
    TooManyLinks,
    /// The password has more than so many bytes: 1,024, or 72 with bcrypt, which would cut it.
    #[error("Use at most {0} bytes.")]
    TooLong(usize),
    /// The password has fewer characters than this.
    #[error("Use at least {0} characters. A few words in a row are easy to remember.")]
    TooShort(usize),
    /// The application does not have this role.
    #[error("no role is named {0:?}")]
    UnknownRole(String),
}

impl Error {
    /// The user's message about a refused name; none for any other error.
    #[must_use]
    pub fn about_name(&self) -> Option<Problem> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "only one variant is about the name"
        )]
        match self {
            Self::Name(problem) => Some(problem.clone()),
            _ => None,
        }
    }

    /// The user's message about a refused password; none for any other error.
    #[must_use]
    pub fn about_password(&self) -> Option<Message> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "only three variants are about the password"
        )]
        match self {
            Self::Guessable(reason) => Some(reason.message()),
            Self::TooLong(max) => Some(Message::new("forms-password-bytes").with("max", *max)),
            Self::TooShort(min) => Some(Message::new("forms-password-short").with("min", *min)),
            _ => None,
        }
    }
}

impl AsProblem for Error {
    fn as_problem(&self) -> Option<Problem> {
        match self {
            Self::Address(problem) | Self::Name(problem) => Some(problem.clone()),
            Self::Guessable(_) | Self::TooLong(_) | Self::TooShort(_) => {
                self.about_password().map(Problem::new)
            }
            Self::LastAdministrator => {
                Some(Problem::new(Message::new("accounts-one-administrator")))
            }
            Self::Taken => Some(Problem::new(Message::new("accounts-taken"))),
            Self::UnknownRole(_) => Some(Problem::new(Message::new("accounts-no-role"))),
            Self::Busy(_)
            | Self::Changed(_)
            | Self::Closed
            | Self::Database(_)
            | Self::FactorRequired
            | Self::FactorThere
            | Self::Fields(_)
            | Self::FlaskSalt(_)
            | Self::LastWayIn
            | Self::LinkSpent
            | Self::Mail(_)
            | Self::NoSuchUser
            | Self::NotSealed
            | Self::Pool(_)
            | Self::ProviderSecret(_)
            | Self::Refused
            | Self::Sessions(_)
            | Self::SignInEnded
            | Self::Throttled(_)
            | Self::TooManyLinks => None,
        }
    }

    fn as_wait(&self) -> Option<(Duration, Message)> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "only one variant is solved by waiting"
        )]
        match self {
            Self::Throttled(wait) => Some((*wait, how_long(*wait))),
            _ => None,
        }
    }
}

/// A time to wait, in a unit that people would use.
fn how_long(wait: Duration) -> Message {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let (id, unit, number) = match seconds {
        ..60 => ("accounts-too-often-seconds", "seconds", seconds.max(1)),
        60.. => ("accounts-too-often", "minutes", seconds.div_ceil(60)),
    };
    Message::new(id).with(unit, i64::try_from(number).unwrap_or(i64::MAX))
}

/// The status and the visitor's message, in one place.
impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy(wait) => Self::busy(wait),
            Error::Changed(changed) => changed.into(),
            Error::Closed | Error::NoSuchUser => Self::not_found(),
            Error::Database(error) => error.into(),
            Error::Fields(FieldsError::Failed(error)) => *error,
            Error::Fields(FieldsError::Problems(_)) => {
                Self::bad_request(Message::new("accounts-fields-refused"))
            }
            Error::Sessions(error) => error.into(),
            Error::Guessable(_) | Error::TooLong(_) | Error::TooShort(_) => {
                let words = error.about_password().map(Words::from);
                Self::bad_request(words.unwrap_or_else(|| error.to_string().into()))
            }
            Error::LastAdministrator => {
                Self::bad_request(Message::new("accounts-one-administrator"))
            }
            Error::LastWayIn => Self::bad_request(Message::new("accounts-provider-last-way-in")),
            Error::LinkSpent => Self::bad_request(Message::new("accounts-spent")),
            Error::FactorRequired => Self::bad_request(Message::new("accounts-factor-required")),
            Error::FactorThere => Self::bad_request(Message::new("accounts-factor-there")),
            Error::SignInEnded => Self::bad_request(Message::new("accounts-sign-in-ended")),
            Error::TooManyLinks => Self::too_many_requests(Duration::from_secs(3600)),
            Error::Refused => Self::unauthenticated(),
            Error::Address(problem) | Error::Name(problem) => {
                Self::bad_request(problem.words().clone())
            }
            Error::Taken => Self::bad_request(Message::new("accounts-taken")),
            Error::Throttled(wait) => Self::too_many_requests(wait),
            Error::UnknownRole(_) => Self::bad_request(Message::new("accounts-no-role")),
            Error::FlaskSalt(_)
            | Error::Mail(_)
            | Error::NotSealed
            | Error::Pool(_)
            | Error::ProviderSecret(_) => Self::internal(error),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Busy => Self::Busy(RETRY_AFTER),
            other @ (PoolError::Hash(_) | PoolError::Stopped(_)) => Self::Pool(other),
        }
    }
}

impl From<Guessable> for Error {
    fn from(reason: Guessable) -> Self {
        Self::Guessable(reason)
    }
}

/// Why the room cannot be opened, as the launch reports it.
impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        Self::refuse(
            crate::audit::Practice::Accounts,
            "accounts-not-open",
            "cannot open the accounts",
        )
        .why(error.to_string())
        .fix("fix the cause, and start again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Languages;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_minutes_and_never_too_short() {
        for (milliseconds, said) in [
            (0, "one second"),
            (1_000, "one second"),
            (1_001, "2 seconds"),
            (59_000, "59 seconds"),
            (59_001, "one minute"),
            (60_001, "2 minutes"),
            (3_600_000, "60 minutes"),
        ] {
            let message = how_long(Duration::from_millis(milliseconds)).into();
            let text = Languages::english().first().translate(&message);
            assert!(
                text.contains(&format!("Wait {said},")),
                "{milliseconds}: {text}"
            );
        }
    }
}
