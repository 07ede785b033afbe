//! The rate limit key of a visitor's request that shows more than its network.
use super::Accounts;
use super::known_browser::{self, KnownBrowser};
use super::link::{self, LinkPurpose};
use super::throttle::FailureLimit;
use crate::pages::{AccountPage, AccountPaths, RequestContext};
use crate::secrets::Token;
use crate::sessions::read_cookie;

/// Counts a known browser by its account, or a link that works by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RateKey([u8; 32]);

impl RateKey {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Accounts {
    /// The key of a request by a known browser, or with a valid link: strangers who share its network cannot use up its rate
    /// limit.
    ///
    /// All known browsers of an account have one key, because each sign-in makes a cookie, and anybody can copy their own. A link
    /// is looked up in the same way as by its page. If the database fails, there is no key.
    pub(crate) async fn rate_key(&self, context: &RequestContext) -> Option<RateKey> {
        let inner = &self.0;
        let now = inner.clock.now();
        let cookie = read_cookie(context.facts().cookies.headers(), known_browser::COOKIE);
        let account = cookie.and_then(|cookie| KnownBrowser::account(cookie, &inner.ring, now));
        if let Some(user) = account {
            return Some(RateKey(FailureLimit::of_browser(user, &[]).bucket()));
        }
        let (purpose, token) = link_in(&inner.paths, context.facts().path_without_query())?;
        let found = link::look(&inner.db, purpose, &token, now).await;
        found.ok()?.map(|_| RateKey(token.hash()))
    }
}

/// The link in a path.
fn link_in(paths: &AccountPaths, path: &str) -> Option<(LinkPurpose, Token)> {
    let of = |page, purpose| Some((purpose, Token::parse(paths.parameter(page, path)?)?));
    of(AccountPage::Reset, LinkPurpose::Reset)
        .or_else(|| of(AccountPage::SetUp, LinkPurpose::Setup))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_the_path_of_its_page_alone() {
        let token = Token::new();
        let mut paths = AccountPaths::default();
        let found =
            |path: String| link_in(&AccountPaths::default(), &path).map(|(purpose, _)| purpose);
        let token = token.reveal();
        assert_eq!(found(format!("/reset/{token}")), Some(LinkPurpose::Reset));
        assert_eq!(found(format!("/setup/{token}")), Some(LinkPurpose::Setup));
        for path in ["/reset", "/reset/", "/reset/short", "/sign-in", "/"] {
            assert_eq!(found(path.to_owned()), None, "{path}");
        }
        assert_eq!(found(format!("/reset{token}")), None);
        assert_eq!(found(format!("/documents/{token}")), None);
        paths.set(AccountPage::Reset, "/neu/{key}");
        let moved = |path: &str| link_in(&paths, path).map(|(purpose, _)| purpose);
        assert_eq!(moved(&format!("/neu/{token}")), Some(LinkPurpose::Reset));
        assert_eq!(moved(&format!("/reset/{token}")), None);
    }
}
