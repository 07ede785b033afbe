//! The pages of accounts, one endpoint a file. An application mounts them at the paths in this room's constants.
use crate::pages::{AccountPage, AccountPaths, LocalPath};

mod account;
mod change_password;
mod confirm;
mod factors;
mod forgot;
mod provider;
mod providers;
mod reset;
mod second_factor;
mod sessions;
mod set_up;
mod sign_in;
mod sign_out;
mod sign_up;

pub use account::{account_page_with, change_account_with};
pub use change_password::{ChangePassword, change_password, change_password_page};
pub(super) use confirm::MOST_PENDING;
pub use confirm::{Confirm, Confirmed, confirm, confirm_page};
pub use factors::{NewFactor, add_factor, factors_page, remove_factor, renew_recovery_codes};
pub use forgot::{Forgot, forgot, forgot_page};
pub use provider::{
    ProviderReturn, ToProvider, confirm_at_provider, connect_provider, provider_return,
    sign_in_at_provider,
};
pub use providers::{connect_proven_provider, disconnect_provider, providers_page};
pub use reset::{Reset, reset, reset_page};
pub(super) use second_factor::ask_to_confirm;
pub use second_factor::{FactorAccepted, SecondFactor, second_factor, second_factor_page};
pub use sessions::{end_other_sessions, end_session, sessions_page};
pub use set_up::{SetUp, set_up, set_up_page};
pub(super) use sign_in::sign_in_again;
pub use sign_in::{Next, SecondTab, SignIn, SignedIn, sign_in, sign_in_page};
pub use sign_out::{SignOut, sign_out};
pub use sign_up::{SignUp, sign_up, sign_up_page, sign_up_page_with, sign_up_with};

/// Whether a path leads to this page, whatever its query.
pub(in crate::accounts) fn is_page(
    paths: &AccountPaths,
    page: AccountPage,
    path: &LocalPath,
) -> bool {
    let path = path.as_str();
    paths.is(page, path.split_once('?').map_or(path, |(path, _)| path))
}
