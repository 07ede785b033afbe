//! One order, from account to certificate (RFC 8555, 7.4).

use super::config::Config;
use super::plan::RenewalWindow;
use super::store::{self, AcmeStore, Challenge, StoredCertificate};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, CertificateIdentifier, ChallengeType,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use std::net::IpAddr;
use std::time::Duration;
use zeroize::Zeroizing;

/// The time limit of one conversation with the authority.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why an order failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the authority responded: {0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not offer {0} for {1}")]
    NoChallenge(&'static str, String),
    #[error("the authority has no profile `{0}`, but {1}")]
    NoProfile(String, String),
    #[error("the order's status at the authority is {0:?}")]
    NotReady(OrderStatus),
    #[error("the authorization of {0} is {1:?}")]
    NotAuthorized(String, AuthorizationStatus),
    #[error("cannot create a key or a certificate request: {0}")]
    Request(#[from] rcgen::Error),
    #[error("no certificate can be ordered for {0}")]
    Name(String),
    #[error("cannot serialize the account: {0}")]
    Credentials(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the conversation with the authority took longer than five minutes")]
    TooLong,
}

impl Error {
    /// Whether the authority does not know the account any more, so that Dewar needs a new one.
    fn is_about_the_account(&self) -> bool {
        let Self::Authority(instant_acme::Error::Api(problem)) = self else {
            return false;
        };
        problem
            .r#type
            .as_deref()
            .is_some_and(|kind| kind.ends_with(":accountDoesNotExist"))
    }
}

/// Orders a certificate for these names. It names the certificate that it replaces, which exempts the order from the
/// authority's rate limits (RFC 9773, 5).
pub(super) async fn order(
    config: &Config,
    store: &AcmeStore,
    names: &[String],
    replaces: Option<CertificateIdentifier<'static>>,
) -> Result<StoredCertificate, Error> {
    let ordered =
        tokio::time::timeout(PATIENCE, conversation(config, store, names, replaces)).await;
    let ordered = ordered.unwrap_or(Err(Error::TooLong));
    store.take_answers_in().await?;
    if let Err(error) = &ordered
        && error.is_about_the_account()
    {
        store.forget_account().await?;
    }
    ordered
}

async fn conversation(
    config: &Config,
    store: &AcmeStore,
    names: &[String],
    replaces: Option<CertificateIdentifier<'static>>,
) -> Result<StoredCertificate, Error> {
    let account = account(config, store).await?;
    judge_profile(config, &account)?;
    let identifiers = identifiers(names)?;
    let wanted = || {
        let new = NewOrder::new(&identifiers);
        match &config.profile {
            Some(profile) => new.profile(profile),
            None => new,
        }
    };
    let mut order = match replaces.map(|id| wanted().replaces(id)) {
        None => account.new_order(&wanted()).await?,
        Some(replacing) => match account.new_order(&replacing).await {
            // If the authority refuses the field `replaces`, Dewar orders without it.
            Err(instant_acme::Error::Api(_) | instant_acme::Error::Unsupported(_)) => {
                account.new_order(&wanted()).await?
            }
            other => other?,
        },
    };
    prove(&mut order, config.challenge, store).await?;
    let retries = RetryPolicy::new().timeout(Duration::from_secs(120));
    let status = order.poll_ready(&retries).await?;
    if status != OrderStatus::Ready {
        return Err(Error::NotReady(status));
    }
    let key = KeyPair::generate()?;
    let subjects: Vec<String> = names.iter().map(|name| bare(name).to_owned()).collect();
    let mut params = CertificateParams::new(subjects)?;
    params.distinguished_name = DistinguishedName::new();
    order
        .finalize_csr(params.serialize_request(&key)?.der())
        .await?;
    let chain = order.poll_certificate(&retries).await?;
    Ok(StoredCertificate {
        chain,
        key: key.serialize_pem(),
    })
}

/// The authority's renewal information for a certificate, and the seconds until it wants the next request.
pub(super) async fn ask(
    config: &Config,
    store: &AcmeStore,
    id: &CertificateIdentifier<'_>,
) -> Result<(RenewalWindow, i64, Option<String>), Error> {
    let asked = tokio::time::timeout(Duration::from_secs(60), async {
        let account = account(config, store).await?;
        Ok::<_, Error>(account.renewal_info(id).await?)
    });
    let (info, again) = asked.await.unwrap_or(Err(Error::TooLong))?;
    let window = RenewalWindow {
        start: info.suggested_window.start.unix_timestamp(),
        end: info.suggested_window.end.unix_timestamp(),
    };
    let again = i64::try_from(again.as_secs()).unwrap_or(i64::MAX);
    Ok((window, again, info.explanation_url))
}

/// The stored account, or a new one.
async fn account(config: &Config, store: &AcmeStore) -> Result<Account, Error> {
    let builder = || match &config.root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    if let Some(text) = kept_account(config, store).await? {
        let credentials: AccountCredentials = serde_json::from_str(&text)?;
        return Ok(builder()?.from_credentials(credentials).await?);
    }
    let contact: Vec<String> = config
        .contact
        .iter()
        .map(|address| format!("mailto:{address}"))
        .collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder()?
        .create(&new, config.directory.clone(), None)
        .await?;
    let text = Zeroizing::new(serde_json::to_string(&credentials)?);
    store.keep_account(&config.directory, &text).await?;
    tracing::info!(directory = %config.directory, "Dewar created an account with the authority");
    Ok(account)
}

/// A stored account that cannot be opened counts as none: damage to it must not stop every renewal.
async fn kept_account(
    config: &Config,
    store: &AcmeStore,
) -> Result<Option<Zeroizing<String>>, Error> {
    match store.account(&config.directory).await {
        Err(error @ store::Error::Foreign(..)) => {
            tracing::warn!(%error, "Dewar creates another account with the authority");
            Ok(None)
        }
        kept => Ok(kept?),
    }
}

/// Checks the configured profile: the authority lists its profiles in the directory, and another name is a typo.
fn judge_profile(config: &Config, account: &Account) -> Result<(), Error> {
    let Some(wanted) = &config.profile else {
        return Ok(());
    };
    let known: Vec<&str> = account.profiles().map(|profile| profile.name).collect();
    if known.contains(&wanted.as_str()) {
        return Ok(());
    }
    Err(Error::NoProfile(wanted.clone(), known.join(", ")))
}

fn identifiers(names: &[String]) -> Result<Vec<Identifier>, Error> {
    let identifier = |name: &String| {
        let bare = bare(name);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Identifier::Ip(address));
        }
        if bare.is_empty() || bare.contains('*') {
            return Err(Error::Name(name.clone()));
        }
        Ok(Identifier::Dns(bare.to_owned()))
    };
    names.iter().map(identifier).collect()
}

/// An IPv6 address without its brackets.
fn bare(name: &str) -> &str {
    name.trim_start_matches('[').trim_end_matches(']')
}

/// Stores the response to each challenge, then asks the authority to verify it.
async fn prove(order: &mut Order, challenge: Challenge, store: &AcmeStore) -> Result<(), Error> {
    let kind = match challenge {
        Challenge::Http01 => ChallengeType::Http01,
        Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
    };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = authorization.identifier().to_string();
        // The authority still accepts an earlier validation.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        if authorization.status != AuthorizationStatus::Pending {
            return Err(Error::NotAuthorized(name, authorization.status));
        }
        let mut one = authorization
            .challenge(kind.clone())
            .ok_or_else(|| Error::NoChallenge(challenge.as_str(), name.clone()))?;
        let subject = match challenge {
            Challenge::Http01 => one.token.clone(),
            Challenge::TlsAlpn01 => name,
        };
        let answer = one.key_authorization();
        store.lay_out(challenge, &subject, answer.as_str()).await?;
        one.set_ready().await?;
    }
    Ok(())
}
