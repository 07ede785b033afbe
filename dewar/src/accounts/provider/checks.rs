//! The checks of the providers, at start and for `check`.
use std::collections::BTreeSet;
use std::path::Path;

use url::Url;

use super::config::ProviderConfig;
use crate::accounts::{Config, Error};
use crate::audit::{Finding, Mode, Practice, Severity, owner_only};
use crate::secrets::Secret;

/// The settings with which those of the providers are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProviderSurroundings<'a> {
    pub(crate) mode: Mode,
    /// The origins that the application may ask inside its network.
    pub(crate) internal: &'a BTreeSet<String>,
    pub(crate) roles: &'a [&'a str],
    pub(crate) administrator: Option<&'a str>,
    /// Whether the button and the return are mounted.
    pub(crate) is_mounted: bool,
}

/// Everything that is wrong with the providers.
pub(crate) fn provider_findings(config: &Config, around: ProviderSurroundings<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut issuers = BTreeSet::new();
    for provider in &config.providers {
        findings.extend(transport(provider, around));
        findings.extend(secret_file(provider));
        findings.extend(unknown_roles(provider, around.roles));
        findings.extend(gives_administrator(provider, around.administrator));
        if !issuers.insert(&provider.issuer) {
            findings.push(twice(provider));
        }
    }
    if !config.providers.is_empty() && !around.is_mounted {
        findings.push(
            Finding::refuse(
                Practice::Accounts,
                "accounts-provider-unmounted",
                "the settings have providers, and the pages to sign in with one are not mounted",
            )
            .why("Nobody could sign in with a provider.")
            .fix("add `.with_providers()` to `AccountPages`, or remove `[accounts.providers]`"),
        );
    }
    findings
}

fn setting(provider: &ProviderConfig, key: &str) -> String {
    format!("accounts.providers.{}.{key}", provider.name)
}

/// A provider without TLS is one of this machine, in development, and one inside the network is listed.
fn transport(provider: &ProviderConfig, around: ProviderSurroundings<'_>) -> Option<Finding> {
    if !provider.issuer.starts_with("http:") {
        return None;
    }
    let name = setting(provider, "issuer");
    let refused = |title: String| {
        Finding::refuse(Practice::Accounts, "accounts-provider-plain", title)
            .why("Whoever is on the way to the provider could sign in as anybody.")
            .cwe(319)
            .asvs(&["12.2.1"])
    };
    if around.mode == Mode::Production {
        let title = format!("{name} is not an `https` address, and this is production");
        return Some(refused(title).fix("name the provider's `https` address"));
    }
    let origin = Url::parse(&provider.issuer).map(|url| url.origin().ascii_serialization());
    let origin = origin.unwrap_or_default();
    let title = format!("{name} is a server of this machine that is not listed");
    let fix = format!("add it to `https.outgoing.internal`: [\"{origin}\"]");
    (!around.internal.contains(&origin)).then(|| refused(title).fix(fix))
}

fn secret_file(provider: &ProviderConfig) -> Option<Finding> {
    let file = provider.client_secret_file.as_deref()?;
    let name = setting(provider, "client_secret_file");
    if let Err(error) = read_secret(file) {
        let title = format!("{name}: {}: {error}", file.display());
        return Some(
            Finding::refuse(Practice::Accounts, "accounts-provider-secret", title)
                .why("The provider would refuse every sign-in.")
                .fix("write the secret that the provider gave this application into the file"),
        );
    }
    owner_only::readable_password(
        (Practice::Accounts, "accounts-provider-secret-readable"),
        &name,
        file,
        "Whoever has the secret can act as this application at the provider.",
    )
}

fn unknown_roles(provider: &ProviderConfig, roles: &[&str]) -> Option<Finding> {
    let mut given = provider.roles.iter();
    let (_, unknown) = given.find(|(_, role)| !roles.contains(&role.as_str()))?;
    let name = setting(provider, "roles");
    let title = format!("{name} gives {unknown:?}, which is not a role of this application");
    Some(
        Finding::refuse(Practice::Roles, "accounts-provider-role", title)
            .why("A later version could define a role of this name, with other rights.")
            .fix(format!("use one of: {}", roles.join(", ")))
            .cwe(266),
    )
}

/// The provider decides who administers the application. That may be wanted, so it is told and not refused.
fn gives_administrator(provider: &ProviderConfig, administrator: Option<&str>) -> Option<Finding> {
    let mut given = provider.roles.iter();
    given.find(|(_, role)| Some(role.as_str()) == administrator)?;
    let name = setting(provider, "roles");
    let title = format!("{name} gives the administrator's role");
    Some(
        Finding::warn(Practice::Roles, "accounts-provider-administrator", title)
            .severity(Severity::Low)
            .why("Whoever can change the claim at the provider administers this application.")
            .fix("remove the line, and assign the role here; or keep it, if the provider's administrators are yours")
            .cwe(269),
    )
}

fn twice(provider: &ProviderConfig) -> Finding {
    let name = setting(provider, "issuer");
    Finding::refuse(
        Practice::Accounts,
        "accounts-provider-twice",
        format!("{name} is the issuer of another provider too"),
    )
    .why("An identity belongs to an issuer, so both would be the same provider.")
    .fix("keep one of the two")
}

/// The secret of a provider, without the end of its line.
pub(in crate::accounts) fn secret_of(
    provider: &ProviderConfig,
) -> Result<Option<Secret<String>>, Error> {
    let Some(file) = provider.client_secret_file.as_deref() else {
        return Ok(None);
    };
    let secret = read_secret(file);
    let wrong = |error| Error::ProviderSecret(format!("{}: {error}", file.display()));
    secret.map(Some).map_err(wrong)
}

fn read_secret(file: &Path) -> std::io::Result<Secret<String>> {
    let mut secret = std::fs::read_to_string(file)?;
    secret.truncate(secret.trim_end_matches(['\r', '\n']).len());
    if secret.is_empty() {
        return Err(std::io::Error::other("it is empty"));
    }
    Ok(Secret::new(secret))
}
