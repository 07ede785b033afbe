//! ACME: certificates that are issued and renewed automatically (RFC 8555).
//!
//! An authority verifies that the hosts are ours and issues a certificate. All nodes share one account and one
//! certificate, sealed in the database. One node orders, under a lease; the others use the new certificate within a
//! minute. The authority decides when to renew (RFC 9773), otherwise the certificate's lifetime does; never a fixed
//! number of days.
//!
//! ```toml
//! [https]
//! hosts = ["portal.example.org"]
//! [https.acme]
//! contact = ["admin@example.org"]
//! accept_terms = true
//! ```

mod answers;
mod config;
mod order;
mod plan;
mod store;

pub use config::Config;
pub use store::Challenge;

pub(crate) use answers::{ChallengeResponses, PlainHttp};
pub(crate) use store::MIGRATIONS;

use super::certificate::{CertificateFacts, renewal_id};
use super::certificate_status::iso;
use super::hosts::Hosts;
use super::tls::{Certificates, names, provider};
use crate::audit::{Clock, Finding, Practice, Severity, peer_text};
use crate::database::Db;
use crate::secrets::{KeyRing, random};
use instant_acme::CertificateIdentifier;
use plan::{AriSupport, Next, Validity};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{AcmeStore, RenewalState, StoredCertificate};
use time::OffsetDateTime;

/// How often a node checks whether an order is due or another node stored a certificate.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(30);

const DAY: i64 = 86_400;
/// The tolerated clock difference in seconds: a certificate may begin this far ahead of this machine's clock.
const CLOCKS_DIFFER: i64 = 300;

/// The ACME client of an application, with the certificate in use.
#[derive(Debug, Clone)]
pub(crate) struct Acme(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    hosts: Hosts,
    store: AcmeStore,
    clock: Clock,
    certificates: Arc<Certificates>,
    seen: Mutex<NodeState>,
}

/// The state of this node, without a query.
#[derive(Debug, Default)]
struct NodeState {
    /// When the certificate in use was stored; `None` for the temporary one of the first start.
    kept_at: Option<i64>,
    course: RenewalState,
    /// The last error in the stored certificate, so that it is logged once.
    wrong: String,
    asks: Option<bool>,
}

impl Acme {
    /// Loads the stored certificate; until one is stored, a temporary one that no browser trusts.
    pub(crate) async fn open(
        config: Config,
        hosts: Hosts,
        (db, ring, clock): (Db, KeyRing, Clock),
    ) -> Result<Self, super::Error> {
        let makeshift = makeshift(&hosts, clock.now())?;
        let acme = Self(Arc::new(Inner {
            store: AcmeStore::new(db, ring, clock.clone()),
            config,
            hosts,
            clock,
            certificates: Certificates::new(makeshift),
            seen: Mutex::default(),
        }));
        acme.take_what_is_kept().await;
        // If the state cannot be read, the first look logs it.
        let course = acme.0.store.course().await.unwrap_or_default();
        acme.seen().course = course;
        Ok(acme)
    }

    /// The certificate, for the listener.
    pub(crate) fn certificates(&self) -> &Arc<Certificates> {
        &self.0.certificates
    }

    /// The responses to the authority's challenges.
    pub(crate) fn answers(&self) -> ChallengeResponses {
        ChallengeResponses::new(self.0.store.clone())
    }

    /// One look: uses a certificate that another node stored, asks the authority about renewal, or orders, whichever is
    /// due. It does not fail: it stores errors and tries again later.
    pub(crate) async fn look(&self) {
        self.take_what_is_kept().await;
        if let Err(error) = self.0.store.reencrypt().await {
            tracing::warn!(%error, "cannot re-encrypt the stored certificate and account");
        }
        if let Err(error) = self.work().await {
            tracing::warn!(%error, "cannot read or write the state of the certificate");
        }
    }

    /// Releases the lease when the application stops in the middle of an order, so that another node can work.
    pub(crate) async fn give_up(&self) {
        if let Err(error) = self.0.store.give_lease_back().await {
            tracing::warn!(%error, "other nodes wait until the certificate's lease ends");
        }
    }

    async fn work(&self) -> Result<(), store::Error> {
        let Inner { store, clock, .. } = &*self.0;
        let course = store.course().await?;
        self.seen().course = course.clone();
        if let Next::Wait(_) = self.next(&course, clock.now()) {
            return Ok(());
        }
        if !store.take_lease().await? {
            return Ok(());
        }
        // Another node may have done the work meanwhile.
        self.take_what_is_kept().await;
        let mut course = store.course().await?;
        let done = match self.next(&course, clock.now()) {
            Next::Ask => {
                self.ask(&mut course).await;
                Ok(())
            }
            Next::Order => self.order(&mut course).await,
            Next::Wait(_) => Ok(()),
        };
        store.keep_course(&course).await?;
        store.give_lease_back().await?;
        self.seen().course = course;
        done
    }

    fn next(&self, course: &RenewalState, now: i64) -> Next {
        let asks = match self.seen().asks {
            Some(false) => AriSupport::Never,
            Some(true) | None => AriSupport::Sometimes,
        };
        let validity = self.in_use().map(|facts| Validity {
            from: facts.not_before,
            until: facts.not_after,
        });
        plan::next(validity, course.word, asks, course.failures, now)
    }

    /// The facts of the certificate in use, unless it is the temporary one.
    fn in_use(&self) -> Option<CertificateFacts> {
        self.seen().kept_at?;
        self.0.certificates.facts()
    }

    async fn ask(&self, course: &mut RenewalState) {
        let Inner {
            config,
            store,
            clock,
            ..
        } = &*self.0;
        let Some(id) = self.identifier() else {
            // A certificate without its issuer's key identifier has no renewal information (ARI).
            self.seen().asks = Some(false);
            return;
        };
        let now = clock.now();
        match order::ask(config, store, &id).await {
            Ok((window, again, why)) => {
                let dice = u64::from_le_bytes(random());
                let before = course.word.renew_at;
                course.word = course.word.on_ari_window(window, again, now, dice);
                if course.word.renew_at != before {
                    let at = course.word.renew_at.map_or_else(String::new, iso);
                    tracing::info!(%at, why = peer_text(&why.unwrap_or_default()), "the authority set the time of the renewal");
                }
            }
            Err(error) => {
                if matches!(
                    &error,
                    order::Error::Authority(instant_acme::Error::Unsupported(_))
                ) {
                    self.seen().asks = Some(false);
                } else {
                    let error = peer_text(&error);
                    tracing::warn!(%error, "the authority did not set a time for the renewal");
                }
                course.word = course.word.silence(now);
            }
        }
    }

    async fn order(&self, course: &mut RenewalState) -> Result<(), store::Error> {
        let Inner {
            config,
            hosts,
            store,
            clock,
            ..
        } = &*self.0;
        let names: Vec<String> = hosts.iter().map(str::to_owned).collect();
        let ordered = order::order(config, store, &names, self.identifier()).await;
        let now = clock.now();
        let failure = match ordered {
            Ok(kept) => match judged(&kept, hosts, now) {
                Ok(_) if !store.holds_lease().await? => {
                    "another node took the lease before the certificate arrived".to_owned()
                }
                Ok(_) => {
                    store.keep_certificate(&kept).await?;
                    *course = RenewalState::default();
                    self.take_what_is_kept().await;
                    return Ok(());
                }
                Err(wrong) => format!("the new certificate is unusable: {wrong}"),
            },
            Err(error) => error.to_string(),
        };
        // The finding repeats this text, so it is cleaned here too.
        let failure = peer_text(&failure);
        course.failures = course.failures.and_another(now);
        let again = iso(course.failures.wait_until);
        tracing::warn!(%failure, %again, "the order failed; Dewar keeps the current certificate");
        course.failure = failure;
        Ok(())
    }

    /// The authority's identifier of the certificate in use (RFC 9773, 4.1).
    fn identifier(&self) -> Option<CertificateIdentifier<'static>> {
        self.seen().kept_at?;
        let (authority, serial) = renewal_id(&self.0.certificates.leaf()?)?;
        Some(CertificateIdentifier {
            authority_key_identifier: authority.into(),
            serial: serial.into(),
        })
    }

    /// Uses the stored certificate if it is another than the one in use and valid.
    async fn take_what_is_kept(&self) {
        if let Err(wrong) = self.take_kept().await {
            let mut seen = self.seen();
            if seen.wrong != wrong {
                tracing::warn!("Dewar does not use the certificate in the database: {wrong}");
            }
            seen.wrong = wrong;
        }
    }

    async fn take_kept(&self) -> Result<(), String> {
        let Inner {
            hosts,
            store,
            clock,
            certificates,
            ..
        } = &*self.0;
        let told = |error: store::Error| error.to_string();
        let kept_at = store.certificate_kept_at().await.map_err(told)?;
        if kept_at.is_none() || kept_at == self.seen().kept_at {
            return Ok(());
        }
        let Some(kept) = store.certificate().await.map_err(told)? else {
            return Ok(());
        };
        let key = judged(&kept, hosts, clock.now())?;
        certificates.replace(key);
        let until = certificates.not_after().map_or_else(String::new, iso);
        let mut seen = self.seen();
        seen.kept_at = kept_at;
        seen.wrong = String::new();
        tracing::info!(%until, "Dewar uses another certificate now");
        Ok(())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, NodeState> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status of the certificate.
    pub(crate) fn status(&self) -> AcmeStatus {
        let now = self.0.clock.now();
        let seen = self.seen();
        let facts = seen.kept_at.and_then(|_| self.0.certificates.facts());
        let renewal = facts.as_ref().map(|facts| {
            let validity = Validity {
                from: facts.not_before,
                until: facts.not_after,
            };
            plan::renewal(validity, seen.course.word, now)
        });
        AcmeStatus {
            directory: self.0.config.directory.clone(),
            not_after: facts.map(|facts| facts.not_after),
            renews_at: renewal,
            failures: seen.course.failures.in_a_row,
            failure: seen.course.failure.clone(),
            tries_again_at: seen.course.failures.wait_until,
        }
    }

    /// The current findings about the certificate.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.status().findings(self.0.clock.now())
    }
}

/// The status of a certificate that comes by ACME. Times are in Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct AcmeStatus {
    /// The address of the authority's directory.
    pub directory: String,
    /// When the certificate in use ends; `None` until there is one.
    pub not_after: Option<i64>,
    /// When Dewar plans to renew it.
    pub renews_at: Option<i64>,
    /// The number of failed orders since the last success.
    pub failures: u32,
    /// The last failure.
    pub failure: String,
    /// Dewar orders nothing before this time.
    pub tries_again_at: i64,
}

impl AcmeStatus {
    fn findings(&self, now: i64) -> Vec<Finding> {
        let mut findings = Vec::new();
        let tries = format!(
            "{} in a row; the next attempt is at {}",
            self.failure,
            iso(self.tries_again_at)
        );
        match self.not_after {
            None => findings.push(
                Finding::warn(Practice::Https, "https-acme-none-yet", "No certificate exists yet: browsers show a warning")
                    .why(if self.failures == 0 {
                        "The application orders it when it serves.".to_owned()
                    } else {
                        format!("{} orders failed. The last error: {tries}", self.failures)
                    })
                    .fix("Check that the hosts' names lead here, on port 443 for tls-alpn-01 and on port 80 for http-01.")
                    .severity(Severity::High)
                    .asvs(&["12.2.2"]),
            ),
            Some(_) if self.failures > 0 => findings.push(
                Finding::warn(
                    Practice::Https,
                    "https-acme-failing",
                    format!("Dewar could not renew the certificate: {} orders failed", self.failures),
                )
                .why(format!("The last error: {tries}"))
                .fix("Fix its cause. Dewar serves the current certificate until it expires.")
                .cwe(298)
                .asvs(&["12.2.2"]),
            ),
            Some(_) => {}
        }
        if let Some(end) = self.not_after
            && let Some(renewal) = self.renews_at
            && now > renewal + (end - renewal) / 2
        {
            let days = (end - now).div_euclid(DAY);
            findings.push(
                Finding::warn(
                    Practice::Https,
                    "https-acme-late",
                    format!("The certificate expires in {days} days, and its renewal is late"),
                )
                .why("Browsers refuse an expired certificate, and HSTS lets no user continue.")
                .fix("Find out why the orders fail: `https status`, and the log.")
                .severity(Severity::High)
                .cwe(298)
                .asvs(&["12.2.2"]),
            );
        }
        findings
    }
}

/// Checks a certificate before its use, as a browser would: its own key, valid dates and every host. Dewar does not use
/// another certificate, whatever the authority sends.
fn judged(kept: &StoredCertificate, hosts: &Hosts, now: i64) -> Result<CertifiedKey, String> {
    let chain = CertificateDer::pem_slice_iter(kept.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the chain is not PEM: {error}"))?;
    let leaf = chain.first().ok_or("the chain is empty")?;
    let facts = CertificateFacts::read(leaf).ok_or("it is not an X.509 certificate")?;
    if now + CLOCKS_DIFFER < facts.not_before || now >= facts.not_after {
        return Err("it has expired or is not yet valid".to_owned());
    }
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| error.to_string())?;
    if let Some(host) = hosts.iter().find(|host| !names(&parsed, host)) {
        return Err(format!("it does not name {host}"));
    }
    let key = PrivateKeyDer::from_pem_slice(kept.key.as_bytes())
        .map_err(|_| "its key is not PEM".to_owned())?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| error.to_string())
}

/// A temporary certificate for handshakes until the first real one is there. No browser trusts it, and none stores HSTS
/// that came with it (RFC 6797, 8.1).
fn makeshift(hosts: &Hosts, now: i64) -> Result<CertifiedKey, super::Error> {
    let subjects: Vec<String> = hosts
        .iter()
        .map(|host| {
            host.trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned()
        })
        .collect();
    let moment = |seconds| {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let mut params = CertificateParams::new(subjects)?;
    params.not_before = moment(now - DAY);
    params.not_after = moment(now + 30 * DAY);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(CertifiedKey::from_der(
        vec![certificate.der().clone()],
        key,
        &provider(),
    )?)
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test starts Pebble")]
mod tests;
