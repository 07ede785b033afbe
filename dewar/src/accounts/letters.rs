//! The letters about accounts. An application replaces their templates as it replaces pages: `letters/accounts/reset.txt`.

use dewar_macros::Letter;

use crate::mail::LetterType;

/// A second factor was added to the account (ASVS 6.3.7).
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/factor_added")]
pub(super) struct FactorAdded {
    pub(super) link: String,
}

/// The account's second factor was removed.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/factor_removed")]
pub(super) struct FactorRemoved {
    pub(super) link: String,
}

/// New recovery codes replaced the old ones.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/recovery_codes_made")]
pub(super) struct RecoveryCodesMade {
    pub(super) link: String,
}

/// A recovery code was used.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/recovery_code_used")]
pub(super) struct RecoveryCodeUsed {
    pub(super) link: String,
}

/// The account's password was changed (ASVS 6.3.7).
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/password_changed")]
pub(super) struct PasswordChanged {
    pub(super) link: String,
}

/// A provider was connected with the account.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/provider_connected")]
pub(super) struct ProviderConnected {
    pub(super) provider: String,
    pub(super) link: String,
}

/// A provider was disconnected from the account.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/provider_disconnected")]
pub(super) struct ProviderDisconnected {
    pub(super) provider: String,
    pub(super) link: String,
}

/// A link for a new password.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/reset", valid_minutes = 60)]
pub(super) struct ResetLetter {
    pub(super) link: String,
}

/// Somebody signed up with an address that has an account.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/sign_up_again")]
pub(super) struct SignUpAgain {
    pub(super) link: String,
}

/// An API token was made for the account.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/token_created")]
pub(super) struct TokenCreated {
    pub(super) link: String,
}

/// The account was made.
#[derive(Debug, Letter)]
#[letter(template = "letters/accounts/welcome")]
pub(super) struct Welcome {
    pub(super) link: String,
}

/// All of them.
pub(crate) fn letters() -> [LetterType; 11] {
    [
        LetterType::of::<FactorAdded>(),
        LetterType::of::<FactorRemoved>(),
        LetterType::of::<PasswordChanged>(),
        LetterType::of::<ProviderConnected>(),
        LetterType::of::<ProviderDisconnected>(),
        LetterType::of::<RecoveryCodeUsed>(),
        LetterType::of::<RecoveryCodesMade>(),
        LetterType::of::<ResetLetter>(),
        LetterType::of::<SignUpAgain>(),
        LetterType::of::<TokenCreated>(),
        LetterType::of::<Welcome>(),
    ]
}
