//! The way of a letter: by SMTP over TLS, or into a folder during development.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::Error;
use super::failure::{enhanced_status, reason};
use super::message::greeting;
use super::server::{Destination, MailTls, Server};
use crate::audit::owner_only;

/// How long the mail server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For one reply.
    pub(super) reply: Duration,
    /// For the reply to the text of a letter. A server may scan it first; a client that does not wait sends it again (RFC 5321,
    /// 4.5.3.2.6).
    pub(super) text: Duration,
}

pub(super) const PATIENCE: Patience = Patience {
    reply: Duration::from_secs(20),
    text: Duration::from_secs(600),
};

/// How long a connection is kept for the next letter.
const IDLE: Duration = Duration::from_secs(60);

/// What became of a letter. The texts have no words of the mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The server has taken it.
    Accepted,
    /// The server has no such mailbox: no letter can reach this address.
    AddressRefused(String),
    /// The server refused this letter for good.
    Rejected(String),
    /// The server refused it for now, or failed at it.
    Later(String),
    /// No letter can be sent now.
    Unreachable(String),
}

/// The way of letters.
pub(super) enum MailTransport {
    Outbox(MailOutbox),
    Smtp(Box<SmtpSender>),
}

impl MailTransport {
    /// None if the application sends no mail. It contacts no server.
    pub(super) fn open(
        destination: &Destination,
        host: &str,
        from: &Address,
    ) -> Result<Option<Self>, Error> {
        Ok(match destination {
            Destination::Disabled => None,
            Destination::Outbox(folder) => Some(Self::Outbox(MailOutbox::open(folder)?)),
            Destination::Smtp(server) => {
                let sender = SmtpSender::new(server, host, from.clone())?;
                Some(Self::Smtp(Box::new(sender)))
            }
        })
    }

    /// Why it could not be opened; this creates nothing and contacts no server.
    pub(super) fn unusable(destination: &Destination, from: &Address) -> Option<Error> {
        match destination {
            Destination::Disabled => None,
            Destination::Outbox(folder) => {
                owner_only::unusable_directory(folder).map(Error::Outbox)
            }
            Destination::Smtp(server) => SmtpSender::new(server, "localhost", from.clone()).err(),
        }
    }

    /// Delivers a letter. It blocks.
    pub(super) fn deliver(&mut self, id: &str, at: i64, to: &str, message: &[u8]) -> Delivery {
        match self {
            Self::Outbox(outbox) => match outbox.put(id, at, message) {
                Ok(()) => Delivery::Accepted,
                Err(error) => Delivery::Unreachable(format!("the outbox: {}", error.kind())),
            },
            Self::Smtp(server) => server.send(to, message),
        }
    }
}

/// A mail server, with the connection for the next letter.
pub(super) struct SmtpSender {
    server: Server,
    tls: TlsParameters,
    hello: ClientId,
    credentials: Option<Credentials>,
    from: Address,
    pub(super) patience: Patience,
    open: Option<(SmtpConnection, Instant)>,
}

impl SmtpSender {
    fn new(server: &Server, host: &str, from: Address) -> Result<Self, Error> {
        Ok(Self {
            tls: server.trusted()?,
            credentials: server.credentials()?,
            server: server.clone(),
            hello: greeting(host),
            from,
            patience: PATIENCE,
            open: None,
        })
    }

    fn send(&mut self, to: &str, message: &[u8]) -> Delivery {
        let Ok(to) = to.parse::<Address>() else {
            return Delivery::Rejected("the address is not valid".to_owned());
        };
        let mut connection = match self.connection() {
            Ok(connection) => connection,
            Err(error) => return Delivery::Unreachable(reason(&error)),
        };
        let delivery = self.talk(&mut connection, to, message);
        let is_ready = delivery == Delivery::Accepted
            && connection.set_timeout(Some(self.patience.reply)).is_ok();
        if is_ready {
            self.open = Some((connection, Instant::now()));
        } else {
            connection.abort();
        }
        delivery
    }

    /// The open connection, or a new one: with TLS, or not at all.
    fn connection(&mut self) -> Result<SmtpConnection, smtp::Error> {
        if let Some((mut connection, since)) = self.open.take() {
            if since.elapsed() < IDLE && connection.test_connected() {
                return Ok(connection);
            }
            connection.abort();
        }
        let place = (self.server.host.as_str(), self.server.port);
        let implicit = (self.server.tls == MailTls::Implicit).then_some(&self.tls);
        let patience = Some(self.patience.reply);
        let mut connection = SmtpConnection::connect(place, patience, &self.hello, implicit, None)?;
        if implicit.is_none() {
            // A server that does not offer it is an error, and gets no letter (RFC 8314).
            if let Err(error) = connection.starttls(&self.tls, &self.hello) {
                connection.abort();
                return Err(error);
            }
        }
        if let Some(credentials) = &self.credentials
            && let Err(error) = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials)
        {
            connection.abort();
            return Err(error);
        }
        Ok(connection)
    }

    fn talk(&self, connection: &mut SmtpConnection, to: Address, message: &[u8]) -> Delivery {
        // Without the right to send, no letter can be sent.
        if let Err(error) = connection.command(Mail::new(Some(self.from.clone()), Vec::new())) {
            return Delivery::Unreachable(reason(&error));
        }
        if let Err(error) = connection.command(Rcpt::new(to, Vec::new())) {
            return of_recipient(&error);
        }
        if let Err(error) = connection.command(Data) {
            return of_letter(&error);
        }
        if let Err(error) = connection.set_timeout(Some(self.patience.text)) {
            return Delivery::Later(format!("the connection: {}", error.kind()));
        }
        match connection.message(message) {
            Ok(_) => Delivery::Accepted,
            Err(error) => of_letter(&error),
        }
    }
}

/// The enhanced status codes (RFC 3463, RFC 7505) by which a server says that there is no such mailbox.
const NO_SUCH_ADDRESS: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

/// What a refusal of the recipient means. A server that refuses to relay, or blocks the sender, says nothing about the address, and
/// some say so with a bare 550.
fn of_recipient(error: &smtp::Error) -> Delivery {
    let Some(code) = error.status().filter(|_| error.is_permanent()) else {
        return of_letter(error);
    };
    let code = code.to_string();
    let status = enhanced_status(error, &code);
    if status.is_some_and(|status| NO_SUCH_ADDRESS.contains(&status.as_str())) {
        Delivery::AddressRefused(reason(error))
    } else {
        of_letter(error)
    }
}

/// What an error means after the server has accepted the sender. Without a reply it is about this letter too: a server that drops the
/// connection at one letter takes the others.
fn of_letter(error: &smtp::Error) -> Delivery {
    let told = reason(error);
    if error.is_permanent() {
        Delivery::Rejected(told)
    } else {
        Delivery::Later(told)
    }
}

/// A folder that only its owner can read: the links in the letters open accounts.
pub(super) struct MailOutbox(PathBuf);

impl MailOutbox {
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.map_err(Error::Outbox)?;
        Ok(Self(folder.to_owned()))
    }

    /// A letter is written completely or not at all.
    fn put(&self, id: &str, at: i64, message: &[u8]) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let name = format!("{at}-{id}.eml");
        let unfinished = self.0.join(format!(".{name}"));
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(message)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.0.join(name))
    }
}
