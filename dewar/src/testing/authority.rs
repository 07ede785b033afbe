//! A certificate authority for tests of an application that is served as in production: with files.

use super::Error;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::fs::{self, OpenOptions};
use std::io::{Error as IoError, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// A certificate authority that the clients of one test trust.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// use dewar::testing::TestAuthority;
/// let authority = TestAuthority::new();
/// let files = authority.certify(directory.path(), &["portal.test"], 1_795_000_000, 90).unwrap();
/// assert!(files.certificate.exists() && authority.pem().starts_with(b"-----BEGIN CERTIFICATE"));
/// ```
pub struct TestAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as files that an operator would name in the settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Certified {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, with a mode that only its owner can read.
    pub key: PathBuf,
}

impl TestAuthority {
    /// Makes an authority with a new key.
    ///
    /// # Panics
    /// The key cannot be made.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "each is another, and a default would hide that"
    )]
    pub fn new() -> Self {
        Self::made().unwrap_or_else(|problem| panic!("no authority for the test: {problem}"))
    }

    pub(super) fn made() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "authority of a test");
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// Its certificate, for clients that trust it.
    #[must_use]
    pub fn pem(&self) -> &[u8] {
        self.pem.as_bytes()
    }

    /// Certifies these names from 100 days before `now` (Unix seconds) until `days` after it; negative `days` end before
    /// it. Writes the files into a directory, over those of an earlier certificate.
    ///
    /// # Errors
    /// A name is not allowed in a certificate, or the files cannot be written.
    pub fn certify(
        &self,
        directory: &Path,
        names: &[&str],
        now: i64,
        days: i64,
    ) -> Result<Certified, Error> {
        let (certificate, key) = self.signed(names, now, days)?;
        let files = Certified {
            certificate: directory.join("certificate.pem"),
            key: directory.join("certificate-key.pem"),
        };
        write_private(&files.key, &key)?;
        fs::write(&files.certificate, certificate)?;
        Ok(files)
    }

    /// The TLS configuration with a certificate for these names.
    pub(super) fn serving(
        &self,
        names: &[&str],
    ) -> Result<Arc<ServerConfig>, Box<dyn std::error::Error>> {
        let key = KeyPair::generate()?;
        let certificate = self.vouches(&named(names)?, &key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Arc::new(config))
    }

    fn vouches(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Certificate, rcgen::Error> {
        params.signed_by(key, &self.issuer)
    }

    fn signed(&self, names: &[&str], now: i64, days: i64) -> Result<(String, String), Error> {
        let now = OffsetDateTime::from_unix_timestamp(now).map_err(IoError::other)?;
        let make = || {
            let mut params = named(names)?;
            params.not_before = now - Duration::days(100);
            params.not_after = now + Duration::days(days);
            let key = KeyPair::generate()?;
            let certificate = self.vouches(&params, &key)?;
            Ok::<_, rcgen::Error>((certificate.pem(), key.serialize_pem()))
        };
        Ok(make().map_err(IoError::other)?)
    }
}

fn named(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names = names.iter().map(|name| (*name).to_owned());
    CertificateParams::new(names.collect::<Vec<String>>())
}

impl std::fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

fn write_private(path: &Path, text: &str) -> Result<(), IoError> {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)?;
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    file.write_all(text.as_bytes())
}
