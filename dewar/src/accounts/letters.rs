//! What the letters say. Plain text: nothing loads, nothing tracks, nothing needs escaping.

/// A letter about an account.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    /// The account's password was changed (ASVS 6.3.7).
    PasswordChanged { forgot: String },
    /// The way to a new password.
    Reset { link: String },
    /// Somebody wanted an account with an address that has one.
    SignUpAgain { forgot: String },
    /// The account was made.
    Welcome { sign_in: String },
}

impl Letter {
    pub(crate) const fn subject(&self) -> &'static str {
        match self {
            Self::PasswordChanged { .. } => "Your password was changed",
            Self::Reset { .. } => "Choose a new password",
            Self::SignUpAgain { .. } => "You have an account already",
            Self::Welcome { .. } => "Your account",
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::PasswordChanged { forgot } => format!(
                "The password of your account was changed just now, and every other session was ended.\n\n\
                 If it was not you, choose a new password at once:\n{forgot}\n"
            ),
            Self::Reset { link } => format!(
                "Somebody, probably you, asked for a new password for your account.\n\n\
                 Choose it here, within an hour; the link works once:\n{link}\n\n\
                 If it was not you, do nothing: your account has not changed.\n"
            ),
            Self::SignUpAgain { forgot } => format!(
                "Somebody, probably you, wanted to make an account with this address. You have one already.\n\n\
                 If you do not remember its password, choose a new one:\n{forgot}\n\n\
                 If it was not you, do nothing: your account has not changed.\n"
            ),
            Self::Welcome { sign_in } => format!(
                "An account with this address was made just now. Sign in here:\n{sign_in}\n\n\
                 If it was not you, ask for a new password there: the account is then yours alone.\n"
            ),
        }
    }
}
