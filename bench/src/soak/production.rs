//! A production installation, with a certificate of an authority that is made for this one run.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::Result;
use crate::server::production_command;
use crate::world::PASSWORD;

/// A data directory, a certificate and an authority; dropping this value removes them.
#[derive(Debug)]
pub(crate) struct Production {
    folder: TempDir,
    data: PathBuf,
    authority: Issuer<'static, KeyPair>,
    /// How often the sessions of each user were ended.
    ended: Vec<Arc<AtomicU64>>,
}

impl Production {
    /// Makes all of it, with the keys and the accounts, by the portal's own commands.
    pub(crate) fn make(people: u8) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("soak-").tempdir()?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        fs::write(
            folder.path().join("authority.pem"),
            params.self_signed(&key)?.pem(),
        )?;
        let made = Self {
            data: folder.path().join("data"),
            folder,
            authority: Issuer::new(params, key),
            ended: (0..people).map(|_| Arc::default()).collect(),
        };
        made.new_certificate()?;
        production_command(&made, &["keys", "new"], "")?;
        for number in 0..people {
            let email = email(number);
            let add = ["users", "add", "--email", &email, "--role", "member"];
            production_command(&made, &[&add[..], &["--password-stdin"]].concat(), PASSWORD)?;
        }
        Ok(made)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The counter of a user's ended sessions.
    pub(crate) fn ended(&self, number: u8) -> Arc<AtomicU64> {
        self.ended
            .get(usize::from(number))
            .map(Arc::clone)
            .unwrap_or_default()
    }

    pub(crate) fn people(&self) -> usize {
        self.ended.len()
    }

    /// The settings, as environment variables.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let free = || "127.0.0.1:0".to_owned();
        vec![
            ("DEWAR_MODE", "production".to_owned()),
            ("DEWAR_DATA", file("data")),
            ("DEWAR_HTTPS_ADDRESS", free()),
            ("DEWAR_HTTPS_HTTP_ADDRESS", free()),
            ("DEWAR_HTTPS_HOSTS", "localhost".to_owned()),
            ("DEWAR_HTTPS_CERTIFICATE", file("chain.pem")),
            ("DEWAR_HTTPS_KEY", file("key.pem")),
            ("DEWAR_MAIL_TRANSPORT", "none".to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ]
    }

    /// Overwrites the certificate and its key with new ones, like a renewal.
    pub(crate) fn new_certificate(&self) -> Result {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = OffsetDateTime::now_utc() - Duration::HOUR;
        params.not_after = OffsetDateTime::now_utc() + Duration::days(90);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.authority)?;
        self.replace("key.pem", &key.serialize_pem())?;
        self.replace("chain.pem", &certificate.pem())
    }

    fn replace(&self, name: &str, text: &str) -> Result {
        let draft = self.folder.path().join(format!("{name}.new"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&draft)?.write_all(text.as_bytes())?;
        fs::rename(draft, self.folder.path().join(name))?;
        Ok(())
    }

    /// Ends all sessions of a user, and counts it afterwards: a refusal before that has the same reason.
    pub(crate) fn end_sessions(&self, number: u8) -> Result {
        let counter = self.ended(number);
        // Odd while it is in progress, so that a refused request in that moment does not count as lost.
        counter.fetch_add(1, Ordering::SeqCst);
        let done = production_command(self, &["users", "sign-out", "--email", &email(number)], "");
        counter.fetch_add(1, Ordering::SeqCst);
        done
    }
}

/// The address that a user signs in with.
pub(crate) fn email(number: u8) -> String {
    format!("person-{number}@example.org")
}
