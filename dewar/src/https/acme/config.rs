use super::store::Challenge;
use crate::audit::{Section, Settings};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use std::path::PathBuf;

/// Let's Encrypt's directory for certificates that browsers trust.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The settings of section `https.acme`. ACME is on if `accept_terms` is `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The HTTPS address of the authority's directory (RFC 8555, 7.1.1).
    pub directory: String,
    /// The addresses that the authority may write to.
    pub contact: Vec<String>,
    /// A certificate profile that the authority offers, such as `shortlived`; without it the authority chooses.
    pub profile: Option<String>,
    /// The challenge by which the authority verifies that the hosts are ours.
    pub challenge: Challenge,
    /// The root certificate for the TLS connection to the directory, in PEM, if the system does not trust it.
    pub root: Option<PathBuf>,
}

impl Config {
    /// Reads section `https.acme`; `None` if ACME is off. Invalid values become findings of [`Settings::finish`].
    ///
    /// ```
    /// use dewar::audit::Settings;
    /// use dewar::https::acme::Config;
    /// let nothing = Settings::read(None, []);
    /// assert_eq!(Config::read(&nothing), None);
    /// let yes = Settings::read(None, [("DEWAR_HTTPS_ACME_ACCEPT_TERMS".to_owned(), "true".to_owned())]);
    /// assert!(Config::read(&yes).is_some_and(|config| config.directory.starts_with("https://")));
    /// ```
    #[must_use]
    pub fn read(settings: &Settings) -> Option<Self> {
        let section = settings.section("https.acme");
        let accepted = section.flag("accept_terms", false);
        let config = Self {
            directory: directory(&section),
            contact: contact(&section),
            profile: section.optional_text("profile"),
            challenge: section.choice("challenge", Challenge::TlsAlpn01, &CHALLENGES),
            root: section.optional_path("ca_file"),
        };
        let written = config != Self::default();
        if written && !accepted {
            let right = "true, once you have read the authority's terms of service: otherwise Dewar orders no certificate";
            section.refuse("accept_terms", right);
        }
        accepted.then_some(config)
    }

    /// Why the file of `root` cannot be used. The ACME client takes its first certificate, and notices only at the
    /// first order that the file holds none.
    pub(in crate::https) fn root_unusable(&self) -> Option<String> {
        let file = self.root.as_deref()?;
        if file.is_dir() {
            return Some(format!("{} is not a file", file.display()));
        }
        let what = match CertificateDer::from_pem_file(file) {
            Ok(first) => RootCertStore::empty()
                .add(first)
                .err()
                .map(|_| "its first CERTIFICATE is not an X.509 certificate".to_owned()),
            Err(pem::Error::Io(error)) => Some(error.to_string()),
            Err(_) => Some("it contains no CERTIFICATE".to_owned()),
        };
        what.map(|what| format!("{}: {what}", file.display()))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            directory: LETS_ENCRYPT.to_owned(),
            contact: Vec::new(),
            profile: None,
            challenge: Challenge::TlsAlpn01,
            root: None,
        }
    }
}

const CHALLENGES: [(&str, Challenge); 2] = [
    ("tls-alpn-01", Challenge::TlsAlpn01),
    ("http-01", Challenge::Http01),
];

fn directory(section: &Section<'_>) -> String {
    let text = section.text("directory", LETS_ENCRYPT);
    let good = url::Url::parse(&text)
        .is_ok_and(|url| url.scheme() == "https" && url.has_host() && url.username().is_empty());
    if good {
        return text;
    }
    section.refuse("directory", "the https address of an ACME directory");
    LETS_ENCRYPT.to_owned()
}

fn contact(section: &Section<'_>) -> Vec<String> {
    let list = section.list("contact", &[]);
    let good = |address: &String| {
        address
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
            && address
                .chars()
                .all(|c| c.is_ascii_graphic() && !",?<>\"".contains(c))
    };
    if list.iter().all(good) {
        return list;
    }
    section.refuse(
        "contact",
        "a list of e-mail addresses, such as [\"admin@example.org\"]",
    );
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(env: &[(&str, &str)]) -> (Option<Config>, Vec<String>) {
        let env = env
            .iter()
            .map(|(name, value)| (format!("DEWAR_HTTPS_ACME_{name}"), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings);
        let findings = settings.finish();
        (
            config,
            findings.into_iter().map(|finding| finding.title).collect(),
        )
    }

    #[test]
    fn nothing_is_ordered_before_the_terms_are_accepted() {
        assert_eq!(read(&[]), (None, Vec::new()));
        let (config, findings) = read(&[("CONTACT", "admin@example.org")]);
        assert!(config.is_none() && findings.len() == 1, "{findings:?}");
        let (config, findings) =
            read(&[("CONTACT", "admin@example.org"), ("ACCEPT_TERMS", "true")]);
        assert!(config.is_some() && findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn a_directory_in_clear_and_a_contact_that_is_none_are_refused() {
        for (name, value) in [
            ("DIRECTORY", "http://127.0.0.1:14000/dir"),
            ("DIRECTORY", "https://user@ca.example/dir"),
            ("CONTACT", "admin"),
            ("CONTACT", "admin@example.org?subject=x"),
            ("CHALLENGE", "dns-01"),
        ] {
            let (_, findings) = read(&[(name, value), ("ACCEPT_TERMS", "true")]);
            assert_eq!(findings.len(), 1, "{name} {value} {findings:?}");
        }
    }
}
