//! All pages of accounts in one call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{App, Dewar, Route, get, post};
use crate::accounts::AccountFields;
use crate::audit::{Finding, Practice};
use crate::pages::AccountPage;
use crate::{accounts, api};

/// The framework's pages of accounts, for [`App::account_pages`].
///
/// ```
/// use dewar::App;
/// use dewar::app::AccountPages;
/// use dewar::pages::AccountPage;
/// fn app(app: App) -> App {
///     let pages = AccountPages::new()
///         .under("/konto")
///         .at(AccountPage::SignIn, "/anmelden")
///         .without(AccountPage::SignUp);
///     app.account_pages(pages) // /anmelden, /konto/forgot, /konto/account/password, …
/// }
/// # let table = app(App::in_directory(std::env::temp_dir())?).route_table();
/// # assert!(table.entries().iter().any(|entry| entry.path == "/konto/account/password"));
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use = "it does nothing until `App::account_pages` mounts it"]
pub struct AccountPages<S = Dewar> {
    prefix: &'static str,
    paths: BTreeMap<AccountPage, &'static str>,
    without: BTreeSet<AccountPage>,
    with_tokens: bool,
    with_providers: bool,
    sign_up: PageAndForm<S>,
    account: Option<PageAndForm<S>>,
}

/// Mounts a page and its form.
type PageAndForm<S> = fn(&'static str) -> [Route<S>; 2];

impl<S: Clone + Send + Sync + 'static> AccountPages<S> {
    /// All pages but those of API tokens, at their usual paths.
    #[expect(
        clippy::new_without_default,
        reason = "the constructor states what is in it"
    )]
    pub fn new() -> Self {
        Self {
            prefix: "",
            paths: BTreeMap::new(),
            without: BTreeSet::new(),
            with_tokens: false,
            with_providers: false,
            sign_up: |path| {
                [
                    get(path, accounts::sign_up_page),
                    post(path, accounts::sign_up),
                ]
            },
            account: None,
        }
    }

    /// Puts this prefix before every path that [`at`](Self::at) does not set.
    pub fn under(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// The path of a page. The page of a link has a parameter in it: `/neues-passwort/{token}`.
    pub fn at(mut self, page: AccountPage, path: &'static str) -> Self {
        self.paths.insert(page, path);
        self
    }

    /// Leaves a page or a button out: the application has none, or mounts its own. Without the page of sessions or of tokens, its
    /// buttons are left out too.
    pub fn without(mut self, page: AccountPage) -> Self {
        self.without.insert(page);
        self
    }

    /// The page of the user's own API tokens too.
    pub fn with_tokens(mut self) -> Self {
        self.with_tokens = true;
        self
    }

    /// The pages to sign in with a provider (OpenID Connect) too. The settings have the providers.
    pub fn with_providers(mut self) -> Self {
        self.with_providers = true;
        self
    }

    /// Adds fields of the application's own to the page to sign up.
    pub fn sign_up_fields<E: AccountFields>(mut self) -> Self {
        self.sign_up = |path| {
            [
                get(path, accounts::sign_up_page_with::<E>),
                post(path, accounts::sign_up_with::<E>),
            ]
        };
        self
    }

    /// Adds the account's own page, with these fields.
    pub fn account_fields<E: AccountFields>(mut self) -> Self {
        self.account = Some(|path| {
            [
                get(path, accounts::account_page_with::<E>),
                post(path, accounts::change_account_with::<E>),
            ]
        });
        self
    }

    /// Whether this kind of page is among those that this value mounts, unless somebody leaves it out.
    const fn offers(&self, page: AccountPage) -> bool {
        use AccountPage::{
            Account, ChangePassword, Confirm, ConfirmAtProvider, ConnectProvider,
            DisconnectProvider, EndOtherSessions, EndSession, Factors, Forgot, ProviderReturn,
            Providers, RemoveFactor, RenewRecoveryCodes, Reset, RevokeServiceToken, RevokeToken,
            SecondFactor, ServiceTokens, Sessions, SetUp, SignIn, SignInAtProvider, SignOut,
            SignUp, Tokens,
        };
        match page {
            Account => self.account.is_some(),
            RevokeToken | Tokens => self.with_tokens,
            ConfirmAtProvider | ConnectProvider | DisconnectProvider | ProviderReturn
            | Providers | SignInAtProvider => self.with_providers,
            RevokeServiceToken | ServiceTokens => false,
            ChangePassword | Confirm | EndOtherSessions | EndSession | Factors | Forgot
            | RemoveFactor | RenewRecoveryCodes | Reset | SecondFactor | Sessions | SetUp
            | SignIn | SignOut | SignUp => true,
        }
    }

    fn has(&self, page: AccountPage) -> bool {
        use AccountPage::{
            Confirm, ConfirmAtProvider, ConnectProvider, DisconnectProvider, EndOtherSessions,
            EndSession, Factors, ProviderReturn, Providers, RemoveFactor, RenewRecoveryCodes,
            RevokeToken, Sessions, SignIn, SignInAtProvider, Tokens,
        };
        let is_out = |page| self.without.contains(&page);
        // The page that has the button.
        let page_of = [
            (EndOtherSessions, Sessions),
            (EndSession, Sessions),
            (RemoveFactor, Factors),
            (RenewRecoveryCodes, Factors),
            (RevokeToken, Tokens),
            (ConnectProvider, Providers),
            (DisconnectProvider, Providers),
            (ConfirmAtProvider, Confirm),
            (ProviderReturn, SignIn),
            (SignInAtProvider, SignIn),
        ];
        let mut page_of = page_of.into_iter();
        let goes_with_its_page = page_of.any(|(button, shown)| button == page && is_out(shown));
        self.offers(page) && !is_out(page) && !goes_with_its_page
    }

    /// Paths and exclusions that change nothing: the programmer expects something else.
    fn findings(&self) -> Vec<Finding> {
        let mounts_nothing = self.paths.iter().filter(|(page, _)| !self.has(**page));
        let mounts_nothing = mounts_nothing.map(|(page, path)| {
            let title = format!(
                "`AccountPages` has the path {path} for the page of accounts `{}`, and does not mount it",
                page.name()
            );
            Finding::refuse(Practice::Accounts, "accounts-page-unmounted", title)
                .why("nothing would be at that path")
                .fix(way_to_mount(*page))
        });
        let leaves_nothing_out = self.without.iter().filter(|page| !self.offers(**page));
        let leaves_nothing_out = leaves_nothing_out.map(|page| {
            let title = format!(
                "`AccountPages::without` names the page of accounts `{}`, which it would not mount",
                page.name()
            );
            Finding::warn(Practice::Accounts, "accounts-page-without", title)
                .why("the call changes nothing")
                .fix("remove the call; a route of your own for this page stays as it is")
        });
        mounts_nothing.chain(leaves_nothing_out).collect()
    }

    /// The path of a page. A route table has few routes and lives as long as the program, so a path is never freed.
    #[expect(
        clippy::disallowed_methods,
        reason = "it is made of the program's own literals, like a path that is one"
    )]
    fn path(&self, page: AccountPage) -> &'static str {
        let below = |parent, rest: &str| format!("{}{rest}", self.path(parent));
        let path = match (self.paths.get(&page), page) {
            (Some(path), _) => return path,
            (None, AccountPage::EndSession) => below(AccountPage::Sessions, "/{id}/end"),
            (None, AccountPage::EndOtherSessions) => below(AccountPage::Sessions, "/end-others"),
            (None, AccountPage::ConnectProvider) => below(AccountPage::Providers, "/{id}/connect"),
            (None, AccountPage::DisconnectProvider) => {
                below(AccountPage::Providers, "/{id}/disconnect")
            }
            (None, AccountPage::ConfirmAtProvider) => {
                below(AccountPage::Confirm, "/with/{provider}")
            }
            (None, AccountPage::SignInAtProvider) => below(AccountPage::SignIn, "/with/{provider}"),
            (None, AccountPage::ProviderReturn) => below(AccountPage::SignIn, "/return/{provider}"),
            (None, AccountPage::RemoveFactor) => below(AccountPage::Factors, "/remove"),
            (None, AccountPage::RenewRecoveryCodes) => below(AccountPage::Factors, "/codes"),
            (None, AccountPage::RevokeToken) => below(AccountPage::Tokens, "/{id}/revoke"),
            (None, _) => format!("{}{}", self.prefix, page.usual_path()),
        };
        path.leak()
    }

    /// The routes for everyone, then those for people who are signed in.
    fn routes(&self) -> [Vec<Route<S>>; 2] {
        use AccountPage::{
            Account, ChangePassword, Confirm, EndOtherSessions, EndSession, Factors, Forgot,
            Providers, RemoveFactor, RenewRecoveryCodes, Reset, RevokeToken, SecondFactor,
            Sessions, SetUp, SignIn, SignOut, SignUp, Tokens,
        };
        let (mut public, mut signed_in) = (Vec::new(), Vec::new());
        macro_rules! mount {
            ($to:ident: $page:ident, $show:path, $take:path) => {
                if self.has($page) {
                    let path = self.path($page);
                    $to.extend([get(path, $show), post(path, $take)]);
                }
            };
        }
        if self.has(SignUp) {
            public.extend((self.sign_up)(self.path(SignUp)));
        }
        mount!(public: SignIn, accounts::sign_in_page, accounts::sign_in);
        mount!(public: SecondFactor, accounts::second_factor_page, accounts::second_factor);
        mount!(public: Forgot, accounts::forgot_page, accounts::forgot);
        mount!(public: Reset, accounts::reset_page, accounts::reset);
        mount!(public: SetUp, accounts::set_up_page, accounts::set_up);
        if self.has(SignOut) {
            signed_in.push(post(self.path(SignOut), accounts::sign_out));
        }
        if let Some(account) = self.account.filter(|_| self.has(Account)) {
            signed_in.extend(account(self.path(Account)));
        }
        mount!(signed_in: ChangePassword, accounts::change_password_page, accounts::change_password);
        mount!(signed_in: Confirm, accounts::confirm_page, accounts::confirm);
        mount!(signed_in: Factors, accounts::factors_page, accounts::add_factor);
        if self.has(RenewRecoveryCodes) {
            let path = self.path(RenewRecoveryCodes);
            signed_in.push(post(path, accounts::renew_recovery_codes));
        }
        if self.has(RemoveFactor) {
            signed_in.push(post(self.path(RemoveFactor), accounts::remove_factor));
        }
        if self.has(Sessions) {
            signed_in.push(get(self.path(Sessions), accounts::sessions_page));
        }
        if self.has(EndSession) {
            signed_in.push(post(self.path(EndSession), accounts::end_session));
        }
        if self.has(EndOtherSessions) {
            let path = self.path(EndOtherSessions);
            signed_in.push(post(path, accounts::end_other_sessions));
        }
        mount!(signed_in: Tokens, api::tokens_page, api::create_token);
        if self.has(RevokeToken) {
            signed_in.push(post(self.path(RevokeToken), api::revoke_token));
        }
        mount!(signed_in: Providers, accounts::providers_page, accounts::connect_proven_provider);
        self.add_providers(&mut public, &mut signed_in);
        [public, signed_in]
    }

    /// The buttons that lead to a provider, and the return.
    fn add_providers(&self, public: &mut Vec<Route<S>>, signed_in: &mut Vec<Route<S>>) {
        use AccountPage::{
            ConfirmAtProvider, ConnectProvider, DisconnectProvider, ProviderReturn,
            SignInAtProvider,
        };
        if self.has(SignInAtProvider) {
            let path = self.path(SignInAtProvider);
            public.push(post(path, accounts::sign_in_at_provider));
        }
        if self.has(ProviderReturn) {
            public.push(get(self.path(ProviderReturn), accounts::provider_return));
        }
        if self.has(ConfirmAtProvider) {
            let path = self.path(ConfirmAtProvider);
            signed_in.push(post(path, accounts::confirm_at_provider));
        }
        if self.has(ConnectProvider) {
            let path = self.path(ConnectProvider);
            signed_in.push(post(path, accounts::connect_provider));
        }
        if self.has(DisconnectProvider) {
            let path = self.path(DisconnectProvider);
            signed_in.push(post(path, accounts::disconnect_provider));
        }
    }
}

/// How to mount a page that has a path already.
const fn way_to_mount(page: AccountPage) -> &'static str {
    use AccountPage::{
        Account, ConfirmAtProvider, ConnectProvider, DisconnectProvider, ProviderReturn, Providers,
        RevokeServiceToken, RevokeToken, ServiceTokens, SignInAtProvider, Tokens,
    };
    if matches!(
        page,
        ConfirmAtProvider
            | ConnectProvider
            | DisconnectProvider
            | ProviderReturn
            | Providers
            | SignInAtProvider
    ) {
        "add `.with_providers()` and remove a `.without(…)` of it, or remove the path"
    } else if matches!(page, Account) {
        "add `.account_fields::<…>()`, or remove the path"
    } else if matches!(page, RevokeToken | Tokens) {
        "add `.with_tokens()` and remove a `.without(…)` of it, or remove the path"
    } else if matches!(page, RevokeServiceToken | ServiceTokens) {
        "mount it with `get(path, api::service_tokens_page)` and its form and button with `post`, under a role"
    } else {
        "remove the `.without(…)` of it or of the page that has the button, or remove the path"
    }
}

impl<S> fmt::Debug for AccountPages<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountPages")
            .field("prefix", &self.prefix)
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

impl<S: Clone + Send + Sync + 'static> App<S> {
    /// Mounts the framework's pages of accounts: to sign in, sign up, reset a forgotten password and set up the first administrator
    /// under `public`; everything else under `signed_in`. The route table shows each of them. Links, redirects, letters and
    /// the password managers' `/.well-known/change-password` lead to their paths.
    ///
    /// ```
    /// use dewar::App;
    /// use dewar::app::AccountPages;
    /// fn app(app: App) -> App { app.account_pages(AccountPages::new().under("/auth")) }
    /// # let table = app(App::in_directory(std::env::temp_dir())?).route_table();
    /// # assert!(table.entries().iter().any(|entry| entry.path == "/auth/sign-in"));
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is used up, as routes are"
    )]
    pub fn account_pages(mut self, pages: AccountPages<S>) -> Self {
        self.parts.findings.extend(pages.findings());
        let [public, signed_in] = pages.routes();
        self.public(public).signed_in(signed_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pages: &AccountPages) -> Vec<(&'static str, bool)> {
        let found = pages.findings();
        let found = found.iter();
        found
            .map(|found| (found.id, found.refuses_launch))
            .collect()
    }

    /// A path or an exclusion that changes nothing was silent: the page would not have been where its programmer put it.
    #[test]
    fn a_path_and_an_exclusion_for_nothing_are_found() {
        use AccountPage::{Account, EndSession, RevokeToken, ServiceTokens, Sessions, Tokens};
        let new = AccountPages::<Dewar>::new;
        let refused = [("accounts-page-unmounted", true)];
        let warned = [("accounts-page-without", false)];
        for page in [Account, RevokeToken, ServiceTokens, Tokens] {
            assert_eq!(found(&new().at(page, "/x")), refused, "{page:?}");
            assert_eq!(found(&new().without(page)), warned, "{page:?}");
        }
        assert_eq!(found(&new().at(Sessions, "/x").without(Sessions)), refused);
        assert_eq!(
            found(&new().at(EndSession, "/x").without(Sessions)),
            refused
        );
        for right in [
            new().without(Sessions).without(EndSession),
            new().with_tokens().at(Tokens, "/x"),
            new().with_tokens().without(RevokeToken),
        ] {
            assert!(found(&right).is_empty(), "{right:?}");
        }
    }
}
