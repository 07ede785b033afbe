//! Sign-in by a provider: OpenID Connect, the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700).
//!
//! No crate does this here. `openidconnect` verifies with crates of its own: `rsa` (RUSTSEC-2023-0071), `p256`, `p384`,
//! `ed25519-dalek`, `hmac` and two versions of `sha2`, in all fifty crates that the program has not, and a second library of
//! cryptography. Verifying a signature with aws-lc, and judging ten claims, is less than what had to be watched there.

mod attempt;
mod begin;
mod checks;
mod client;
mod config;
mod id_token;
mod identities;
mod keys;
mod returned;
mod roles;
#[cfg(test)]
mod tests;

pub(crate) use attempt::AttemptPurpose;
pub(crate) use begin::Begun;
pub(super) use checks::secret_of;
pub(crate) use checks::{ProviderSurroundings, provider_findings};
pub(crate) use client::Provider;
pub(crate) use config::{ProviderConfig, read};
pub(crate) use identities::sweep;
pub(crate) use returned::{AfterReturn, Return};

use serde::Serialize;

use attempt::ProvenIdentity;

use crate::pages::Page;

/// A provider as a page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderButton {
    pub(crate) name: String,
    pub(crate) label: String,
}

/// An identity that waits to be connected, as a page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct ShownIdentity {
    pub(crate) label: String,
    pub(crate) email: String,
}

impl super::Accounts {
    /// The provider with this name.
    pub(super) fn provider(&self, name: &str) -> Option<&Provider> {
        let mut all = self.0.providers.iter();
        all.find(|provider| provider.config.name == name)
    }

    /// A page with the buttons of the providers.
    pub(crate) fn with_providers(&self, page: Page) -> Page {
        page.with("providers", self.provider_buttons())
    }

    /// A proved identity, as the page shows it.
    pub(super) fn shown(&self, proven: &ProvenIdentity) -> ShownIdentity {
        ShownIdentity {
            label: self.label_of(&proven.provider),
            email: proven.email.clone(),
        }
    }

    /// The providers of the settings, for a page.
    pub(super) fn provider_buttons(&self) -> Vec<ProviderButton> {
        let all = self.0.providers.iter().map(|provider| ProviderButton {
            name: provider.config.name.clone(),
            label: provider.config.label.clone(),
        });
        all.collect()
    }
}
