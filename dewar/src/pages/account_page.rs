use std::collections::BTreeMap;

use super::LocalPath;

/// A page or a button of accounts that the framework leads to: by a link, a redirect, a letter or the action of a form.
///
/// Dewar finds the path of each in the route table, by the framework's handler that is mounted there. A handler of the
/// application's own takes over such a page at its usual path, or at any path with
/// [`Route::account_page`](crate::app::Route::account_page).
///
/// ```
/// use dewar::pages::AccountPage;
/// assert_eq!(AccountPage::SignIn.usual_path(), "/sign-in");
/// assert_eq!(AccountPage::SignIn.name(), "sign-in");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AccountPage {
    /// The user's own page.
    Account,
    /// The page to change the password.
    ChangePassword,
    /// The page that asks for the password again before an important action (re-authentication).
    Confirm,
    /// The button that re-authenticates with a provider instead.
    ConfirmAtProvider,
    /// The button that connects a provider with the account.
    ConnectProvider,
    /// The button that disconnects a provider.
    DisconnectProvider,
    /// The button that ends all other sessions.
    EndOtherSessions,
    /// The button that ends one session.
    EndSession,
    /// The page of the user's own second factor and recovery codes.
    Factors,
    /// The page to request a link for a forgotten password.
    Forgot,
    /// The place to which a provider sends the browser back: the redirect URI.
    ProviderReturn,
    /// The page of the providers that are connected with the account.
    Providers,
    /// The button that removes the second factor.
    RemoveFactor,
    /// The button that makes new recovery codes.
    RenewRecoveryCodes,
    /// The page of a link for a new password.
    Reset,
    /// The button that revokes a service's token.
    RevokeServiceToken,
    /// The button that revokes a person's token.
    RevokeToken,
    /// The page that asks for the second factor, at sign-in and before an important action.
    SecondFactor,
    /// The page of the tokens of services.
    ServiceTokens,
    /// The page of the user's own sessions.
    Sessions,
    /// The page of the link for the first administrator.
    SetUp,
    /// The page to sign in.
    SignIn,
    /// The button that signs in with a provider.
    SignInAtProvider,
    /// The button to sign out.
    SignOut,
    /// The page to make an account.
    SignUp,
    /// The page of the user's own API tokens.
    Tokens,
}

impl AccountPage {
    /// All of them.
    pub(crate) const ALL: [Self; 26] = [
        Self::Account,
        Self::ChangePassword,
        Self::Confirm,
        Self::ConfirmAtProvider,
        Self::ConnectProvider,
        Self::DisconnectProvider,
        Self::EndOtherSessions,
        Self::EndSession,
        Self::Factors,
        Self::Forgot,
        Self::ProviderReturn,
        Self::Providers,
        Self::RemoveFactor,
        Self::RenewRecoveryCodes,
        Self::Reset,
        Self::RevokeServiceToken,
        Self::RevokeToken,
        Self::SecondFactor,
        Self::ServiceTokens,
        Self::Sessions,
        Self::SetUp,
        Self::SignIn,
        Self::SignInAtProvider,
        Self::SignOut,
        Self::SignUp,
        Self::Tokens,
    ];

    /// The name in templates, `{{ account_page("sign-in") }}`, and in the route table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The path that the tutorial and `dewar new` give it. A page with a parameter has it in braces.
    #[must_use]
    pub const fn usual_path(self) -> &'static str {
        self.facts().1
    }

    /// Whether its path has a parameter: one, the token of a link or the id of a row.
    pub(crate) fn has_parameter(self) -> bool {
        self.usual_path().contains('{')
    }

    /// Whether it is a button: it has no page that a link could lead to.
    pub(crate) const fn is_button(self) -> bool {
        matches!(
            self,
            Self::ConfirmAtProvider
                | Self::ConnectProvider
                | Self::DisconnectProvider
                | Self::EndOtherSessions
                | Self::EndSession
                | Self::RemoveFactor
                | Self::RenewRecoveryCodes
                | Self::RevokeServiceToken
                | Self::RevokeToken
                | Self::SignInAtProvider
                | Self::SignOut
        )
    }

    /// The method of the route that shows it, or of the button's.
    pub(crate) const fn method(self) -> &'static str {
        if self.is_button() { "POST" } else { "GET" }
    }

    const fn facts(self) -> (&'static str, &'static str) {
        match self {
            Self::Account => ("account", "/account"),
            Self::ChangePassword => ("change-password", "/account/password"),
            Self::Confirm => ("confirm", "/confirm"),
            Self::ConfirmAtProvider => ("confirm-at-provider", "/confirm/with/{provider}"),
            Self::ConnectProvider => ("connect-provider", "/account/providers/{id}/connect"),
            Self::DisconnectProvider => {
                ("disconnect-provider", "/account/providers/{id}/disconnect")
            }
            Self::EndOtherSessions => ("end-other-sessions", "/account/sessions/end-others"),
            Self::EndSession => ("end-session", "/account/sessions/{id}/end"),
            Self::Factors => ("factors", "/account/second-factor"),
            Self::Forgot => ("forgot", "/forgot"),
            Self::ProviderReturn => ("provider-return", "/sign-in/return/{provider}"),
            Self::Providers => ("providers", "/account/providers"),
            Self::RemoveFactor => ("remove-factor", "/account/second-factor/remove"),
            Self::RenewRecoveryCodes => ("renew-recovery-codes", "/account/second-factor/codes"),
            Self::Reset => ("reset", "/reset/{token}"),
            Self::RevokeServiceToken => ("revoke-service-token", "/admin/tokens/{id}/revoke"),
            Self::RevokeToken => ("revoke-token", "/account/tokens/{id}/revoke"),
            Self::SecondFactor => ("second-factor", "/second-factor"),
            Self::ServiceTokens => ("service-tokens", "/admin/tokens"),
            Self::Sessions => ("sessions", "/account/sessions"),
            Self::SetUp => ("set-up", "/setup/{token}"),
            Self::SignIn => ("sign-in", "/sign-in"),
            Self::SignInAtProvider => ("sign-in-at-provider", "/sign-in/with/{provider}"),
            Self::SignOut => ("sign-out", "/sign-out"),
            Self::SignUp => ("sign-up", "/sign-up"),
            Self::Tokens => ("tokens", "/account/tokens"),
        }
    }
}

/// The paths of the pages that an application mounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountPaths(BTreeMap<AccountPage, Box<str>>);

impl AccountPaths {
    pub(crate) fn set(&mut self, page: AccountPage, path: &str) {
        self.0.insert(page, path.into());
    }

    pub(crate) fn remove(&mut self, page: AccountPage) {
        self.0.remove(&page);
    }

    /// The path as in the route table. None if the page is not mounted.
    pub(crate) fn pattern(&self, page: AccountPage) -> Option<&str> {
        self.0.get(&page).map(|path| &**path)
    }

    /// The path, or the usual one where the page is not mounted: the start warns about everything that leads there.
    pub(crate) fn path(&self, page: AccountPage) -> &str {
        self.pattern(page).unwrap_or_else(|| page.usual_path())
    }

    /// The path with a value in the place of its parameter.
    pub(crate) fn with(&self, page: AccountPage, value: &str) -> String {
        let path = self.path(page);
        match (path.split_once('{'), path.split_once('}')) {
            (Some((before, _)), Some((_, after))) => format!("{before}{value}{after}"),
            _ => path.to_owned(),
        }
    }

    /// The place of a page without a parameter, for a redirect.
    pub(crate) fn place(&self, page: AccountPage) -> LocalPath {
        // The start refuses any other path.
        LocalPath::parse(self.path(page).to_owned()).unwrap_or_else(|_| LocalPath::front())
    }

    /// The value of the parameter, if this is a path of the page.
    pub(crate) fn parameter<'a>(&self, page: AccountPage, path: &'a str) -> Option<&'a str> {
        let pattern = self.path(page);
        let (before, rest) = pattern.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let value = path.strip_prefix(before)?.strip_suffix(after)?;
        (!value.is_empty() && !value.contains('/')).then_some(value)
    }

    /// Whether this path, without its query, is the page's.
    pub(crate) fn is(&self, page: AccountPage, path: &str) -> bool {
        if page.has_parameter() {
            self.parameter(page, path).is_some()
        } else {
            self.path(page) == path
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_and_read_by_its_pattern() {
        let mut paths = AccountPaths::default();
        paths.set(AccountPage::EndSession, "/konto/sitzung/{id}/beenden");
        paths.set(AccountPage::SignIn, "/anmelden");
        let path = paths.with(AccountPage::EndSession, "abc");
        assert_eq!(path, "/konto/sitzung/abc/beenden");
        assert_eq!(paths.parameter(AccountPage::EndSession, &path), Some("abc"));
        for other in [
            "/konto/sitzung//beenden",
            "/konto/sitzung/a/b/beenden",
            "/konto/sitzung/abc",
            "/anmelden",
        ] {
            assert!(!paths.is(AccountPage::EndSession, other), "{other}");
        }
        assert!(paths.is(AccountPage::SignIn, "/anmelden"));
        assert!(!paths.is(AccountPage::SignIn, "/sign-in"));
        assert_eq!(paths.path(AccountPage::SignUp), "/sign-up");
        assert_eq!(paths.pattern(AccountPage::SignUp), None);
    }

    #[test]
    fn every_page_has_a_name_and_a_path_of_its_own() {
        let all = AccountPage::ALL.into_iter();
        let names: std::collections::BTreeSet<_> = all.clone().map(AccountPage::name).collect();
        let paths: std::collections::BTreeSet<_> =
            all.clone().map(AccountPage::usual_path).collect();
        assert_eq!((names.len(), paths.len()), (26, 26));
        for page in all.filter(|page| page.has_parameter()) {
            assert_eq!(page.usual_path().matches('{').count(), 1);
        }
    }
}
