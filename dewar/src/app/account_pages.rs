//! Which page of accounts a handler of the framework is.

use std::any::TypeId;
use std::sync::LazyLock;

use crate::pages::AccountPage;
use crate::{accounts, api};

/// The page of accounts that this handler shows, or whose form it takes.
pub(super) fn account_page_of<H: 'static>() -> Option<AccountPage> {
    let handler = TypeId::of::<H>();
    let mut known = HANDLERS.iter();
    let found = known.find(|(known, _)| *known == handler);
    found.map(|(_, page)| *page)
}

/// Handlers without parameters of their own; those with some say themselves which page they are.
static HANDLERS: LazyLock<Vec<(TypeId, AccountPage)>> = LazyLock::new(|| {
    use AccountPage::{
        ChangePassword, Confirm, ConfirmAtProvider, ConnectProvider, DisconnectProvider,
        EndOtherSessions, EndSession, Factors, Forgot, ProviderReturn, Providers, RemoveFactor,
        RenewRecoveryCodes, Reset, RevokeServiceToken, RevokeToken, SecondFactor, ServiceTokens,
        Sessions, SetUp, SignIn, SignInAtProvider, SignOut, SignUp, Tokens,
    };
    vec![
        (id(accounts::change_password), ChangePassword),
        (id(accounts::change_password_page), ChangePassword),
        (id(accounts::confirm), Confirm),
        (id(accounts::confirm_page), Confirm),
        (id(accounts::confirm_at_provider), ConfirmAtProvider),
        (id(accounts::connect_proven_provider), Providers),
        (id(accounts::connect_provider), ConnectProvider),
        (id(accounts::disconnect_provider), DisconnectProvider),
        (id(accounts::end_other_sessions), EndOtherSessions),
        (id(accounts::end_session), EndSession),
        (id(accounts::add_factor), Factors),
        (id(accounts::factors_page), Factors),
        (id(accounts::remove_factor), RemoveFactor),
        (id(accounts::renew_recovery_codes), RenewRecoveryCodes),
        (id(accounts::second_factor), SecondFactor),
        (id(accounts::second_factor_page), SecondFactor),
        (id(accounts::forgot), Forgot),
        (id(accounts::forgot_page), Forgot),
        (id(accounts::provider_return), ProviderReturn),
        (id(accounts::providers_page), Providers),
        (id(accounts::reset), Reset),
        (id(accounts::reset_page), Reset),
        (id(accounts::sessions_page), Sessions),
        (id(accounts::set_up), SetUp),
        (id(accounts::set_up_page), SetUp),
        (id(accounts::sign_in), SignIn),
        (id(accounts::sign_in_at_provider), SignInAtProvider),
        (id(accounts::sign_in_page), SignIn),
        (id(accounts::sign_out), SignOut),
        (id(accounts::sign_up), SignUp),
        (id(accounts::sign_up_page), SignUp),
        (id(api::create_service_token), ServiceTokens),
        (id(api::create_token), Tokens),
        (id(api::revoke_service_token), RevokeServiceToken),
        (id(api::revoke_token), RevokeToken),
        (id(api::service_tokens_page), ServiceTokens),
        (id(api::tokens_page), Tokens),
    ]
});

fn id<H: 'static>(_: H) -> TypeId {
    TypeId::of::<H>()
}
