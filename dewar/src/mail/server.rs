//! The mail server of the settings, and how to reach it.

use std::path::{Path, PathBuf};

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsVersion};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::Error;
use crate::secrets::Secret;

/// The destination of letters: the setting `mail.transport`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// Nowhere: the application sends no mail, and users cannot reset their password.
    Disabled,
    /// Files in this folder, for development.
    Outbox(PathBuf),
    /// A mail server.
    Smtp(Server),
}

/// A mail server, and how to reach it. Without TLS, Dewar does not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// Its name, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS begins at once or after `STARTTLS`, which is then required (RFC 8314 prefers implicit TLS).
    pub tls: MailTls,
    /// The name to sign in with.
    pub user: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
    /// The file with the only authority whose certificates count (PEM); without it, those that the system trusts.
    pub authority: Option<PathBuf>,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailTls {
    /// With the connection: `smtps://`.
    Implicit,
    /// After `STARTTLS`: `smtp://`. A server that does not offer it gets no letter.
    StartTls,
}

impl Server {
    /// Reads `smtps://user@mail.example.org:465` or `smtp://user@mail.example.org:587`.
    ///
    /// It refuses a password in the address: many people read settings, and few read a password file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let (tls, usual) = match url.scheme() {
            "smtps" => (MailTls::Implicit, 465),
            "smtp" => (MailTls::StartTls, 587),
            _ => return None,
        };
        let bare = url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !bare || !matches!(url.path(), "" | "/") {
            return None;
        }
        let user = percent_encoding::percent_decode_str(url.username())
            .decode_utf8()
            .ok()?;
        Some(Self {
            host: url.host_str().filter(|host| !host.is_empty())?.to_owned(),
            port: url.port().unwrap_or(usual),
            tls,
            user: Some(user.into_owned()).filter(|user| !user.is_empty()),
            password_file: None,
            authority: None,
        })
    }
}

impl Server {
    /// The authorities that may sign the server's certificate, which must have its name.
    pub(super) fn trusted(&self) -> Result<TlsParameters, Error> {
        let mut tls =
            TlsParameters::builder(self.host.clone()).set_min_tls_version(TlsVersion::Tlsv12);
        if let Some(file) = &self.authority {
            let wrong = |why: String| Error::Authority {
                file: file.clone(),
                why,
            };
            let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            let mut certificates = CertificateDer::pem_slice_iter(&pem).peekable();
            if certificates.peek().is_none() {
                return Err(wrong("it contains no certificate".to_owned()));
            }
            tls = tls.certificate_store(CertificateStore::None);
            for certificate in certificates {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                let certificate = Certificate::from_der(certificate.to_vec());
                tls = tls
                    .add_root_certificate(certificate.map_err(|error| wrong(error.to_string()))?);
            }
        }
        tls.build_rustls()
            .map_err(|error| Error::Server(error.to_string()))
    }
}

impl Server {
    /// The name and the password to sign in with.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, Error> {
        let (Some(user), Some(file)) = (&self.user, &self.password_file) else {
            return Ok(None);
        };
        let password = read_password(file)?;
        let credentials = Credentials::new(user.clone(), password.expose().clone());
        Ok(Some(credentials))
    }
}

fn read_password(file: &Path) -> Result<Secret<String>, Error> {
    let mut password = std::fs::read_to_string(file).map_err(|why| Error::Password {
        file: file.to_owned(),
        why,
    })?;
    password.truncate(password.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_with_tls_or_not_at_all() {
        let server = Server::parse("smtps://robot%40example.org@mail.example.org").unwrap();
        assert_eq!((server.port, server.tls), (465, MailTls::Implicit));
        assert_eq!(server.user.as_deref(), Some("robot@example.org"));
        assert_eq!(
            Server::parse("smtp://mail.example.org:2525").unwrap().tls,
            MailTls::StartTls
        );
        for text in [
            "http://mail.example.org",
            "mail.example.org:25",
            "smtps://",
            "smtps://robot:secret@mail.example.org",
            "smtp://mail.example.org/?tls=none",
        ] {
            assert_eq!(Server::parse(text), None, "{text}");
        }
    }
}
