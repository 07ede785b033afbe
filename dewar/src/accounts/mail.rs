//! Letters to users: into a folder during development, by SMTP over TLS in production.
//!
//! A thread of its own writes each letter from a bounded queue, so that the time of a response does not reveal whether a letter
//! is sent. Addresses and subjects go through `lettre`'s types, which refuse line breaks (header injection, CWE-93).
mod failure;
mod message;
mod queue;

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsVersion};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{SmtpTransport, Transport as _};
use message::{LetterSender, greeting, message};
pub(crate) use queue::{LetterKind, MailQuota};
use queue::{MailQueue, MailReceiver, queue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::letters::Letter;
use crate::audit::{Clock, owner_only};
use crate::pages::Language;
use crate::secrets::{Secret, Token};

/// The delays before a mail server that does not answer is tried again.
const RETRIES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// How long the mail server may take for one reply.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a connection is kept for the next letter.
const IDLE: Duration = Duration::from_secs(60);

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

    /// It sets every option of the library, even to its default.
    fn connect(&self, host: &str) -> Result<SmtpTransport, MailError> {
        let trusted = self.trusted()?;
        let tls = match self.tls {
            MailTls::Implicit => smtp::client::Tls::Wrapper(trusted),
            MailTls::StartTls => smtp::client::Tls::Required(trusted),
        };
        // `builder_dangerous` is the builder without TLS. The next lines add TLS, and nothing else uses it.
        let mut builder = SmtpTransport::builder_dangerous(&self.host)
            .tls(tls)
            .port(self.port)
            .hello_name(greeting(host))
            .authentication(vec![Mechanism::Plain, Mechanism::Login])
            // One thread sends, one letter after the other.
            .pool_config(PoolConfig::new().min_idle(0).max_size(1).idle_timeout(IDLE))
            .timeout(Some(PATIENCE));
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let password = read_password(file)?;
            builder =
                builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(builder.build())
    }
}

impl Server {
    /// The authorities that may sign the server's certificate, which must have its name.
    fn trusted(&self) -> Result<TlsParameters, MailError> {
        let mut tls =
            TlsParameters::builder(self.host.clone()).set_min_tls_version(TlsVersion::Tlsv12);
        if let Some(file) = &self.authority {
            let wrong = |why: String| MailError::Authority {
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
            .map_err(|error| MailError::Server(error.to_string()))
    }
}

fn read_password(file: &Path) -> Result<Secret<String>, MailError> {
    let mut password = std::fs::read_to_string(file).map_err(|why| MailError::Password {
        file: file.to_owned(),
        why,
    })?;
    password.truncate(password.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(password))
}

/// Why letters cannot be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The sender's or a receiver's address is not valid.
    #[error("not an email address: {0}")]
    Address(String),
    /// The file with the mail server's authority cannot be read, or holds no certificate.
    #[error("the mail server's authority, {}: {why}", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// The letter could not be built.
    #[error("cannot build the email: {0}")]
    Letter(String),
    /// The folder for letters cannot be written.
    #[error("cannot write to the outbox: {0}")]
    Outbox(std::io::Error),
    /// The file with the mail server's password cannot be read.
    #[error("cannot read the mail server's password from {}: {why}", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: std::io::Error,
    },
    /// The mail server refused, or could not be reached.
    #[error("the mail server: {0}")]
    Server(String),
    /// The sending thread could not be started.
    #[error("cannot start the mail thread: {0}")]
    Thread(std::io::Error),
}

/// Sends letters, one after the other, on a thread of its own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    queue: Option<Arc<MailQueue<Message>>>,
    clock: Clock,
    /// The application's own host: for the greeting to the server and for message ids.
    host: Arc<str>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("sends", &self.queue.is_some())
            .finish()
    }
}

impl Mailer {
    /// Why the thread could not be started; this creates nothing and contacts no server.
    pub(crate) fn unusable(destination: &Destination) -> Option<MailError> {
        match destination {
            Destination::Disabled => None,
            Destination::Outbox(folder) => {
                owner_only::unusable_directory(folder).map(MailError::Outbox)
            }
            Destination::Smtp(server) => server.connect("localhost").err(),
        }
    }

    /// Starts the thread. It contacts the mail server only for the first letter.
    pub(crate) fn start(
        destination: &Destination,
        host: &str,
        clock: Clock,
    ) -> Result<Self, MailError> {
        let mut mailer = Self {
            queue: None,
            clock: clock.clone(),
            host: host.into(),
        };
        let carrier = match destination {
            Destination::Disabled => return Ok(mailer),
            Destination::Outbox(folder) => MailTransport::Outbox(MailOutbox::open(folder, clock)?),
            Destination::Smtp(server) => MailTransport::Smtp(Box::new(server.connect(host)?)),
        };
        let (queue, waiting) = queue();
        std::thread::Builder::new()
            .name("dewar-mail".to_owned())
            .spawn(move || deliver_queued(&waiting, &carrier))
            .map_err(MailError::Thread)?;
        mailer.queue = Some(Arc::new(queue));
        Ok(mailer)
    }

    /// Whether the application sends mail.
    pub(crate) fn sends(&self) -> bool {
        self.queue.is_some()
    }

    /// Puts a letter into the queue of its kind, and returns whether it found a place. The log shows what becomes of it; visitors
    /// do not see that.
    pub(crate) fn send(
        &self,
        from: &Mailbox,
        to: &str,
        cause: MailQuota,
        letter: &Letter,
        language: &Language,
    ) -> bool {
        let Some(queue) = &self.queue else {
            return false;
        };
        let sender = LetterSender {
            from,
            host: &self.host,
            now: self.clock.now(),
        };
        let kind = letter.kind();
        match message(sender, to, letter, language) {
            Ok(message) => {
                let queued = queue.put(kind, cause, message);
                if !queued {
                    // A stranger who requests letters can cause this.
                    tracing::warn!(
                        ?kind,
                        "an email was dropped: too many of its kind are waiting"
                    );
                }
                queued
            }
            Err(error) => {
                tracing::error!(%error, "an email was not written");
                false
            }
        }
    }

    /// Waits until every letter before this call was sent or given up.
    pub(crate) async fn flush(&self) {
        let Some(queue) = &self.queue else {
            return;
        };
        if queue.idle().await.is_err() {
            tracing::error!("the mail thread ended");
        }
    }
}

enum MailTransport {
    Outbox(MailOutbox),
    Smtp(Box<SmtpTransport>),
}

fn deliver_queued(waiting: &MailReceiver<Message>, carrier: &MailTransport) {
    while let Some(message) = waiting.next() {
        if let Err(error) = carrier.deliver(&message) {
            tracing::error!(%error, "Dewar gave up on an email");
        }
    }
}

impl MailTransport {
    fn deliver(&self, message: &Message) -> Result<(), MailError> {
        match self {
            Self::Outbox(outbox) => outbox.put(message).map_err(MailError::Outbox),
            Self::Smtp(server) => {
                let mut waits = RETRIES.iter();
                loop {
                    let Err(error) = server.send(message) else {
                        return Ok(());
                    };
                    match waits.next() {
                        Some(wait) if may_pass(&error) => std::thread::sleep(*wait),
                        Some(_) | None => return Err(MailError::Server(failure::reason(&error))),
                    }
                }
            }
        }
    }
}

/// Whether a retry of the same letter may succeed: not if the server refused for good, does not offer TLS, or is not the right
/// server.
fn may_pass(error: &smtp::Error) -> bool {
    if failure::tls_error(error).is_some() {
        return false;
    }
    !error.is_permanent() && !error.is_client() && !error.is_tls()
}

/// A folder that only its owner can read: the links in the letters open accounts.
struct MailOutbox {
    folder: PathBuf,
    clock: Clock,
}

impl MailOutbox {
    fn open(folder: &Path, clock: Clock) -> Result<Self, MailError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.map_err(MailError::Outbox)?;
        Ok(Self {
            folder: folder.to_owned(),
            clock,
        })
    }

    /// A letter is written completely or not at all.
    fn put(&self, message: &Message) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let random = Token::new().reveal().chars().take(12).collect::<String>();
        let name = format!("{}-{random}.eml", self.clock.now());
        let unfinished = self.folder.join(format!(".{name}"));
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(&message.formatted())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.folder.join(name))
    }
}

#[cfg(test)]
#[path = "mail/tests/sent.rs"]
mod sent;

#[cfg(test)]
mod tests {
    use super::*;

    fn english() -> Language {
        crate::pages::Languages::english().first()
    }
    use std::os::unix::fs::PermissionsExt as _;

    fn nobody() -> MailQuota {
        MailQuota::Receiver("".into())
    }

    fn sender() -> Mailbox {
        Mailbox::new(
            Some("Paperhouse".to_owned()),
            "no-reply@example.org".parse().unwrap(),
        )
    }

    #[tokio::test]
    async fn a_letter_lies_in_the_outbox_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("outbox");
        let mailer = Mailer::start(
            &Destination::Outbox(outbox.clone()),
            "localhost",
            Clock::manual(1_000),
        )
        .unwrap();
        let letter = Letter::Reset {
            link: "https://example.org/reset/abc".to_owned(),
        };
        mailer.send(&sender(), "ada@example.org", nobody(), &letter, &english());
        mailer.flush().await;
        let files: Vec<_> = std::fs::read_dir(&outbox)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(files.len(), 1);
        assert_eq!(
            files[0].metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::metadata(&outbox).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let text = std::fs::read_to_string(files[0].path()).unwrap();
        assert!(
            text.contains("To: ada@example.org") && text.contains("https://example.org/reset/abc")
        );
    }

    /// ASVS: V1.3.11
    #[tokio::test]
    async fn an_address_cannot_add_a_header() {
        let folder = tempfile::tempdir().unwrap();
        let destination = Destination::Outbox(folder.path().to_owned());
        let mailer = Mailer::start(&destination, "localhost", Clock::manual(1_000)).unwrap();
        let letter = Letter::Reset {
            link: "https://example.org/reset/abc".to_owned(),
        };
        for to in [
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org, eve@example.org",
            "<ada>",
        ] {
            mailer.send(&sender(), to, nobody(), &letter, &english());
        }
        mailer.flush().await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

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
