use super::certificate::CertificateFacts;
use super::error::Error;
use super::hosts::Hosts;
use super::tls::{Certificates, provider};
use crate::audit::owner_only::{self, TooOpen};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::OffsetDateTime;
use zeroize::Zeroizing;

const DAY: i64 = 86_400;
/// A person has to trust a new authority; 825 days is also the longest validity that Apple accepts below an authority.
const AUTHORITY_DAYS: i64 = 825;
const LEAF_DAYS: i64 = 90;
const RENEW_DAYS: i64 = 30;
/// Clocks of virtual machines lag behind.
const EARLY_SECONDS: i64 = 3600;

/// The certificate authority of one developer's machine, so that `https://localhost` is real HTTPS.
///
/// Dewar makes it once, in the data directory, and constrains it to local names (RFC 5280, 4.2.1.10): with a stolen key
/// an attacker can pretend to be `localhost` and no other host. Production never uses it, and Dewar never sends
/// Strict-Transport-Security with it.
#[derive(Debug)]
pub struct LocalAuthority {
    directory: PathBuf,
    certificate: CertificateDer<'static>,
    name: String,
}

impl LocalAuthority {
    /// Opens or makes the authority below the data directory: `<data>/local-authority/`, mode 0700.
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read or written, or has the wrong content.
    pub fn open_or_create(data: &Path, now: i64) -> Result<Self, Error> {
        let directory = data.join("local-authority");
        owner_only::create_directory(&directory).map_err(Error::file(&directory))?;
        let path = directory.join("authority.pem");
        if path.exists() {
            let found = Self::open(&directory, &path)?;
            // A leaf certificate must not outlive its authority.
            if CertificateFacts::read(&found.certificate)
                .is_some_and(|facts| facts.not_after > now + LEAF_DAYS * DAY)
            {
                return Ok(found);
            }
        }
        Self::create(&directory, &path, now)
    }

    /// Why the authority below the data directory could not issue a certificate for these hosts. It creates nothing.
    pub(crate) fn unusable(data: &Path, hosts: &Hosts) -> Option<Error> {
        let directory = data.join("local-authority");
        if let Some(error) = owner_only::unusable_directory(&directory) {
            return Some(Error::file(&directory)(error));
        }
        let path = directory.join("authority.pem");
        let found = path.exists().then(|| Self::open(&directory, &path));
        let wrong = found.and_then(Result::err);
        wrong.or_else(|| names(hosts).err())
    }

    /// The keys below the data directory that other users can read or replace.
    pub(crate) fn exposed_keys(data: &Path) -> impl Iterator<Item = TooOpen> {
        let directory = data.join("local-authority");
        let keys = ["authority.key", "localhost.key"];
        keys.into_iter()
            .filter_map(move |key| TooOpen::at(&directory.join(key), 0o077))
    }

    /// When the local certificate ends, in Unix seconds; `None` if there is none yet.
    pub(crate) fn certificate_ends(data: &Path) -> Option<i64> {
        let leaf = data.join("local-authority").join("localhost.pem");
        let leaf = CertificateDer::from_pem_file(leaf).ok()?;
        Some(CertificateFacts::read(&leaf)?.not_after)
    }

    fn open(directory: &Path, path: &Path) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Contents {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let pem = fs::read(path).map_err(Error::file(path))?;
        let certificate = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| wrong("it contains no certificate"))?;
        let name = CertificateFacts::read(&certificate)
            .and_then(|facts| facts.common_name)
            .ok_or_else(|| wrong("it is not the certificate of a local authority"))?;
        Ok(Self {
            directory: directory.to_owned(),
            certificate,
            name,
        })
    }

    fn create(directory: &Path, path: &Path, now: i64) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let name = format!("Dewar local authority for {}", machine());
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(&name);
        params.not_before = moment(now - EARLY_SECONDS);
        params.not_after = moment(now + AUTHORITY_DAYS * DAY);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName("localhost".to_owned()),
                GeneralSubtree::DnsName("test".to_owned()),
                GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
                GeneralSubtree::IpAddress(CidrSubnet::V6(
                    Ipv6Addr::LOCALHOST.octets(),
                    Ipv6Addr::from(u128::MAX).octets(),
                )),
            ],
            excluded_subtrees: Vec::new(),
        });
        let made = params.self_signed(&key)?;
        let pem = Zeroizing::new(key.serialize_pem());
        write(&directory.join("authority.key"), pem.as_bytes())?;
        write(path, made.pem().as_bytes())?;
        tracing::info!(
            authority = name,
            "Dewar created a local certificate authority"
        );
        Ok(Self {
            directory: directory.to_owned(),
            certificate: made.der().clone(),
            name,
        })
    }

    /// The name of the authority in a browser's list.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file with the authority's certificate, which a browser must trust.
    #[must_use]
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// The authority's certificate, for a client such as a test that trusts it in the program itself.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for these hosts and the loopback names: the one on disk if it is valid for 30 more days, otherwise a
    /// new one for 90.
    ///
    /// # Errors
    /// [`Error::NotLocal`] for a host that the authority may not certify; others if files fail.
    pub fn certificates(&self, hosts: &Hosts, now: i64) -> Result<Arc<Certificates>, Error> {
        Ok(Certificates::new(self.leaf(hosts, now)?))
    }

    /// Replaces a certificate that ends soon, in a server that runs for months.
    ///
    /// # Errors
    /// As [`certificates`](Self::certificates).
    pub fn renew(&self, certificates: &Certificates, hosts: &Hosts, now: i64) -> Result<(), Error> {
        certificates.replace(self.leaf(hosts, now)?);
        Ok(())
    }

    fn leaf(&self, hosts: &Hosts, now: i64) -> Result<CertifiedKey, Error> {
        let names = names(hosts)?;
        match self.saved_leaf(&names, now) {
            Some(saved) => Ok(saved),
            None => self.make_leaf(names, now),
        }
    }

    /// The leaf certificate on disk, if it is valid; any fault in it causes a new one.
    fn saved_leaf(&self, names: &[String], now: i64) -> Option<CertifiedKey> {
        let leaf = CertificateDer::from_pem_file(self.directory.join("localhost.pem")).ok()?;
        let facts = CertificateFacts::read(&leaf)?;
        let issued_here = fs::read(self.directory.join("localhost.issuer")).ok()?
            == crate::secrets::sha256(&self.certificate);
        let parsed = rustls::server::ParsedCertificate::try_from(&leaf).ok()?;
        let named = names.iter().all(|name| {
            ServerName::try_from(name.as_str())
                .is_ok_and(|name| rustls::client::verify_server_name(&parsed, &name).is_ok())
        });
        if !issued_here
            || !named
            || facts.not_after < now + RENEW_DAYS * DAY
            || facts.not_before > now
        {
            return None;
        }
        let key = PrivateKeyDer::from_pem_file(self.directory.join("localhost.key")).ok()?;
        CertifiedKey::from_der(vec![leaf], key, &provider()).ok()
    }

    fn make_leaf(&self, names: Vec<String>, now: i64) -> Result<CertifiedKey, Error> {
        let path = self.directory.join("authority.key");
        let pem = Zeroizing::new(fs::read_to_string(&path).map_err(Error::file(&path))?);
        let mut authority = CertificateParams::default();
        authority.distinguished_name = distinguished(&self.name);
        let issuer = Issuer::new(authority, KeyPair::from_pem(&pem)?);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = distinguished("Dewar on this machine");
        params.not_before = moment(now - EARLY_SECONDS);
        params.not_after = moment(now + LEAF_DAYS * DAY);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &issuer)?;
        let pem = Zeroizing::new(key.serialize_pem());
        write(&self.directory.join("localhost.key"), pem.as_bytes())?;
        write(&self.directory.join("localhost.pem"), leaf.pem().as_bytes())?;
        let issuer = crate::secrets::sha256(&self.certificate);
        write(&self.directory.join("localhost.issuer"), &issuer)?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(
            vec![leaf.der().clone()],
            der,
            &provider(),
        )?)
    }
}

/// The names of a leaf certificate: the hosts of the list, which must be local, and always the loopback names.
fn names(hosts: &Hosts) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for host in hosts.iter() {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let local = match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => [".localhost", ".test"]
                .iter()
                .any(|end| bare.ends_with(end)),
        };
        if names.iter().any(|known| known == bare) {
            continue;
        }
        if !local {
            return Err(Error::NotLocal(host.to_owned()));
        }
        names.push(bare.to_owned());
    }
    Ok(names)
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The name of the machine, which distinguishes two authorities in one browser.
fn machine() -> String {
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || ['-', '.'].contains(c);
    let name: String = name.trim().chars().filter(plain).take(40).collect();
    if name.is_empty() {
        "this machine".to_owned()
    } else {
        name
    }
}

/// Writes a file of mode 0600. It gets its name only when it is complete.
fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let unfinished = path.with_extension("unfinished");
    let place = || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = owner_only::private(&mut options).open(&unfinished)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    place().map_err(Error::file(path))
}

#[cfg(test)]
mod tests;
