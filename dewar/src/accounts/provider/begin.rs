//! The way to a provider.
use std::net::IpAddr;

use url::Url;

use super::attempt::{Attempt, AttemptPurpose};
use super::client::{Metadata, Provider, ProviderFault};
use crate::accounts::{Accounts, Error};
use crate::audit::{Entry, Event};
use crate::pages::{AccountPage, LocalPath};
use crate::secrets::sha256;
use crate::sessions::Session;

/// Where a browser goes after the button of a provider was pressed.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The provider does not answer.
    Away,
    /// To this address of the provider.
    Leave(Url),
    /// The purpose needs a signed-in user, and there is none.
    NobodyIsSignedIn,
}

impl Accounts {
    /// Begins a sign-in at a provider, and gives the browser the cookie that its return needs.
    pub(crate) async fn begin_at_provider(
        &self,
        provider: &Provider,
        purpose: AttemptPurpose,
        (session, next): (&Session, Option<&LocalPath>),
        from: IpAddr,
    ) -> Result<Begun, Error> {
        let inner = &self.0;
        match session
            .binding()
            .filter(|_| purpose != AttemptPurpose::SignIn)
        {
            Some(binding) => inner.knock_as(sha256(binding), from)?,
            None => inner.check_rate_limit(from)?,
        }
        let name = &*provider.config.name;
        let attempt = Attempt::new(name, purpose, session, next, inner.clock.now());
        let Some(attempt) = attempt else {
            return Ok(Begun::NobodyIsSignedIn);
        };
        let metadata = match provider.metadata().await {
            Ok(metadata) => metadata,
            Err(fault) => {
                self.record_fault(provider, &fault, from);
                return Ok(Begun::Away);
            }
        };
        let Some(cookie) = attempt.seal(&inner.ring) else {
            return Ok(Begun::Away);
        };
        session.keep_at_provider(cookie);
        Ok(Begun::Leave(
            self.authorization(provider, &metadata, &attempt, purpose),
        ))
    }

    /// The address at which the provider asks its user (OpenID Connect Core 1.0, 3.1.2.1).
    fn authorization(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        attempt: &Attempt,
        purpose: AttemptPurpose,
    ) -> Url {
        let config = &provider.config;
        let scopes = config.scopes.iter().map(String::as_str);
        let scopes: Vec<&str> = ["openid"].into_iter().chain(scopes).collect();
        let mut url = metadata.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &config.client_id)
            .append_pair("redirect_uri", &self.redirect_uri(provider))
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", attempt.state())
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256")
            .append_pair("ui_locales", self.1.language.tag());
        if purpose == AttemptPurpose::Confirm {
            // The provider asks its user again, and says when.
            url.query_pairs_mut()
                .append_pair("prompt", "login")
                .append_pair("max_age", "0");
        }
        url
    }

    /// The address to which the provider sends the browser back: of the configured origin, whatever a request says its host is.
    pub(super) fn redirect_uri(&self, provider: &Provider) -> String {
        let path = self
            .0
            .paths
            .with(AccountPage::ProviderReturn, &provider.config.name);
        format!("{}{path}", self.0.mailer.origin())
    }

    /// Records why a provider signed nobody in.
    pub(super) fn record_fault(&self, provider: &Provider, fault: &ProviderFault, from: IpAddr) {
        let name = &provider.config.name;
        let entry = Entry::new(Event::AuthnLoginFail).address(from);
        self.record(entry.detail(format_args!("provider {name}: {fault}")));
    }
}
