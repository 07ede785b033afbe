//! The settings of the providers.
use std::path::PathBuf;

use url::{Host, Url};

use crate::audit::{Finding, Practice, Section, Settings};

/// The section above the providers'.
const PARENT: &str = "accounts.providers";
/// The most providers: the page to sign in has a button for each.
const MOST: usize = 12;
const LONGEST_NAME: usize = 20;

/// A provider as the operator describes it. The name is the last part of its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProviderConfig {
    pub(crate) name: String,
    /// As written: a token has the same text.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The text on the button.
    pub(crate) label: String,
    /// The scopes besides `openid`.
    pub(crate) scopes: Vec<String>,
    /// The claim that says whether the address is verified.
    pub(crate) verified_claim: String,
    /// The claim whose values give roles.
    pub(crate) roles_claim: Option<String>,
    /// Which value of the claim gives which role.
    pub(crate) roles: Vec<(String, String)>,
}

/// Reads the providers. Everything that is missing or wrong becomes a finding of [`Settings::finish`].
pub(crate) fn read(settings: &Settings) -> Vec<ProviderConfig> {
    let names = settings.sections_below(PARENT);
    if names.len() > MOST {
        settings.push(too_many(names.len()));
    }
    let names = names.into_iter().take(MOST);
    let read = names.filter_map(|name| {
        if !is_name(&name) {
            settings.push(no_name(&name));
        }
        let section = format!("{PARENT}.{name}");
        provider(&settings.section_of(&section), name)
    });
    read.collect()
}

fn provider(section: &Section<'_>, name: String) -> Option<ProviderConfig> {
    let (issuer, client_id) = (
        section.optional_text("issuer"),
        section.optional_text("client_id"),
    );
    let issuer_is = issuer.as_deref().map(is_issuer);
    if issuer_is != Some(true) && !section.is_refused("issuer") {
        section.refuse(
            "issuer",
            "the provider's issuer, exactly as its documents spell it, such as \"https://accounts.example.com\": `https`, \
             without a query",
        );
    }
    if client_id.is_none() && !section.is_refused("client_id") {
        section.refuse(
            "client_id",
            "the id that the provider gave this application when it was registered there",
        );
    }
    let config = ProviderConfig {
        issuer: issuer.clone().unwrap_or_default(),
        client_id: client_id.clone().unwrap_or_default(),
        client_secret_file: section.optional_path("client_secret_file"),
        label: section
            .optional_text("label")
            .unwrap_or_else(|| capitalized(&name)),
        scopes: scopes(section),
        verified_claim: section.text("verified_claim", "email_verified"),
        roles_claim: section.optional_text("roles_claim"),
        roles: roles(section),
        name,
    };
    if config.roles_claim.is_none() && !config.roles.is_empty() {
        section.refuse(
            "roles_claim",
            "the name of the claim that has the values of `roles`, such as \"groups\"",
        );
    }
    (issuer_is == Some(true) && client_id.is_some()).then_some(config)
}

fn scopes(section: &Section<'_>) -> Vec<String> {
    let mut scopes = section.list("scopes", &["email", "profile"]);
    // RFC 6749, 3.3.
    let is_scope = |scope: &String| {
        !scope.is_empty()
            && scope
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if !scopes.iter().all(is_scope) {
        section.refuse(
            "scopes",
            "a list of scopes without blanks, such as [\"email\", \"profile\"]",
        );
        return Vec::new();
    }
    scopes.retain(|scope| scope != "openid");
    scopes
}

fn roles(section: &Section<'_>) -> Vec<(String, String)> {
    let written = section.list("roles", &[]);
    let read: Option<Vec<_>> = written
        .iter()
        .map(|line| {
            let (value, role) = line.rsplit_once(' ')?;
            let value = value.trim();
            (!value.is_empty() && !role.is_empty()).then(|| (value.to_owned(), role.to_owned()))
        })
        .collect();
    read.unwrap_or_else(|| {
        section.refuse(
            "roles",
            "a list of a value of the claim and a role, such as [\"editors editor\", \"staff member\"]",
        );
        Vec::new()
    })
}

/// Whether a text can be an issuer (OpenID Connect Discovery, 3). Without TLS only a program of this machine can be asked, and
/// [`checks`](super::checks) refuses that in production.
fn is_issuer(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    is_endpoint(&url, true) && url.query().is_none() && text.len() <= 500
}

/// Whether Dewar asks a server at this address, or sends a browser there.
pub(super) fn is_endpoint(url: &Url, plain_loopback: bool) -> bool {
    let is_right = match url.scheme() {
        "https" => url.has_host(),
        "http" => plain_loopback && is_loopback(url),
        _ => false,
    };
    is_right && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// Whether the address is one of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A name stands in a path, and in the name of a variable.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= LONGEST_NAME
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn no_name(name: &str) -> Finding {
    let shown: String = name
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(40)
        .collect();
    Finding::refuse(
        Practice::Accounts,
        "accounts-provider-name",
        format!("[{PARENT}.{shown}] is not the name of a provider"),
    )
    .why("The name stands in the redirect URI and in the names of the variables.")
    .fix("name it with at most 20 small letters and digits, a letter first: `[accounts.providers.google]`")
}

fn too_many(number: usize) -> Finding {
    Finding::refuse(
        Practice::Accounts,
        "accounts-provider-many",
        format!("[{PARENT}] has {number} providers"),
    )
    .why("The page to sign in has a button for each.")
    .fix(format!("keep at most {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(settings: &[(&str, &str)]) -> (Vec<ProviderConfig>, Vec<Finding>) {
        let settings = settings.iter();
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, settings);
        let providers = read(&settings);
        (providers, settings.finish())
    }

    const ISSUER: &str = "DEWAR_ACCOUNTS_PROVIDERS_WORK_ISSUER";
    const CLIENT: (&str, &str) = ("DEWAR_ACCOUNTS_PROVIDERS_WORK_CLIENT_ID", "portal");

    #[test]
    fn a_provider_is_a_section_with_an_issuer_and_a_client() {
        let (providers, findings) =
            read_all(&[(ISSUER, "https://id.example.com/realms/a"), CLIENT]);
        assert!(findings.is_empty(), "{findings:?}");
        let [provider] = &*providers else {
            panic!("{providers:?}")
        };
        assert_eq!((&*provider.name, &*provider.label), ("work", "Work"));
        assert_eq!(provider.scopes, ["email", "profile"]);
        assert_eq!(read_all(&[]).0, []);
    }

    /// All at once, each with its fix.
    ///
    /// ASVS: V13.3.1
    #[test]
    fn everything_that_is_wrong_with_the_providers_is_told_at_once() {
        let (providers, findings) = read_all(&[
            (ISSUER, "http://id.example.com"),
            ("DEWAR_ACCOUNTS_PROVIDERS_WORK_CLIENT_SECRET", "very-secret"),
            ("DEWAR_ACCOUNTS_PROVIDERS_WORK_ROLES", "editors"),
            (
                "DEWAR_ACCOUNTS_PROVIDERS_GIT_ISSUER",
                "https://git.example.com?x=1",
            ),
            ("DEWAR_ACCOUNTS_PROVIDERS_GIT_CLIENT_ID", "x"),
        ]);
        assert!(providers.is_empty());
        let told: Vec<_> = findings
            .iter()
            .map(|found| (found.id, found.title.as_str()))
            .collect();
        for part in [
            "accounts.providers.work.issuer cannot be",
            "accounts.providers.work.client_id is missing",
            "accounts.providers.work.roles cannot be",
            "accounts.providers.git.issuer cannot be",
            "WORK_CLIENT_SECRET is a secret",
        ] {
            assert!(
                told.iter().any(|(_, title)| title.contains(part)),
                "{part}: {told:?}"
            );
        }
        assert!(findings.iter().all(|found| !found.fix.is_empty()));
        assert!(!format!("{findings:?}").contains("very-secret"));
    }

    #[test]
    fn an_address_without_tls_is_one_of_this_machine() {
        for (text, right) in [
            ("https://id.example.com", true),
            ("http://127.0.0.1:8080/a", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("https://user@id.example.com", false),
            ("https://id.example.com/#a", false),
            ("https://id.example.com/?a", false),
            ("javascript:alert(1)", false),
            ("id.example.com", false),
        ] {
            assert_eq!(is_issuer(text), right, "{text}");
        }
    }

    #[test]
    fn a_role_is_the_last_word_of_its_line() {
        let (providers, findings) = read_all(&[
            (ISSUER, "https://id.example.com"),
            CLIENT,
            ("DEWAR_ACCOUNTS_PROVIDERS_WORK_ROLES_CLAIM", "groups"),
            (
                "DEWAR_ACCOUNTS_PROVIDERS_WORK_ROLES",
                "The Editors editor, staff member",
            ),
        ]);
        assert!(findings.is_empty(), "{findings:?}");
        let roles = [("The Editors", "editor"), ("staff", "member")];
        let roles = roles.map(|(value, role)| (value.to_owned(), role.to_owned()));
        assert_eq!(providers[0].roles, roles);
    }
}
