//! A mail server for tests: it records the letters and commands that it receives.

use crate::authority::Authority;
use data_encoding::BASE64;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// When a [`MailServer`] begins TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailServerTls {
    /// With the connection.
    Implicit,
    /// Never: an attacker on the way removed `STARTTLS` from its greeting.
    NotOffered,
    /// After `STARTTLS`.
    StartTls,
}

/// A mail server on `localhost`, with an authority of its own; it stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use test_servers::{MailServer, MailServerTls};
/// let server = MailServer::open(MailServerTls::Implicit).await;
/// assert!(server.transport("robot").starts_with("smtps://robot@localhost:"));
/// assert!(server.letters().is_empty());
/// # }
/// ```
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    tls: MailServerTls,
    authority: String,
    told: Arc<Mutex<MailReply>>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct MailReply {
    commands: Vec<String>,
    letters: Vec<String>,
    refusals: VecDeque<&'static str>,
    refused_letters: VecDeque<String>,
    refused_recipients: VecDeque<String>,
    /// The one `AUTH PLAIN` that it accepts; without one, anyone may send.
    account: Option<String>,
    connections: usize,
    is_silent: bool,
}

impl MailServer {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// No port is free.
    pub async fn open(tls: MailServerTls) -> Self {
        let (authority, acceptor) =
            tls_by().unwrap_or_else(|problem| panic!("no TLS for the mail server: {problem}"));
        let opened = TcpListener::bind("127.0.0.1:0").await;
        let opened = opened.and_then(|listener| listener.local_addr().map(|at| (at, listener)));
        let (address, listener) =
            opened.unwrap_or_else(|problem| panic!("no port for the mail server: {problem}"));
        let told = Arc::new(Mutex::new(MailReply::default()));
        let listening = tokio::spawn(listen(listener, tls, acceptor, Arc::clone(&told)));
        Self {
            port: address.port(),
            tls,
            authority,
            told,
            listening,
        }
    }

    /// The value of `mail.transport` for this user name; with an empty one the client does not sign in.
    #[must_use]
    pub fn transport(&self, user: &str) -> String {
        let scheme = match self.tls {
            MailServerTls::Implicit => "smtps",
            MailServerTls::NotOffered | MailServerTls::StartTls => "smtp",
        };
        let at = if user.is_empty() { "" } else { "@" };
        format!("{scheme}://{user}{at}localhost:{}", self.port)
    }

    /// The certificate of its authority, for the file in `mail.ca_file`.
    #[must_use]
    pub fn authority_pem(&self) -> &[u8] {
        self.authority.as_bytes()
    }

    /// Requires this user name and password of every sender from now on.
    pub fn accept_only(&self, user: &str, password: &str) {
        let plain = format!("\0{user}\0{password}");
        lock(&self.told).account = Some(BASE64.encode(plain.as_bytes()));
    }

    /// Refuses the next sender with this reply: `451 come back later`.
    pub fn refuse_once(&self, answer: &'static str) {
        lock(&self.told).refusals.push_back(answer);
    }

    /// Refuses the next letter, after it was sent, with this reply: `554 5.7.1 spam`.
    pub fn refuse_letter_once(&self, answer: impl Into<String>) {
        lock(&self.told).refused_letters.push_back(answer.into());
    }

    /// Takes every letter from now on without a reply, and keeps the connection.
    pub fn stay_silent_after_letters(&self) {
        lock(&self.told).is_silent = true;
    }

    /// Refuses the next recipient with this reply: `550 5.1.1 no such user`.
    pub fn refuse_recipient_once(&self, answer: impl Into<String>) {
        lock(&self.told).refused_recipients.push_back(answer.into());
    }

    /// The letters so far, as they arrived.
    #[must_use]
    pub fn letters(&self) -> Vec<String> {
        lock(&self.told).letters.clone()
    }

    /// The commands so far, without the text of letters.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        lock(&self.told).commands.clone()
    }

    /// The number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.told).connections
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock(told: &Mutex<MailReply>) -> MutexGuard<'_, MailReply> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new authority's certificate (PEM), and TLS with a certificate that it signed.
fn tls_by() -> Result<(String, TlsAcceptor), Box<dyn std::error::Error>> {
    let authority = Authority::new()?;
    Ok((authority.pem().to_owned(), authority.acceptor("localhost")?))
}

async fn listen(
    listener: TcpListener,
    tls: MailServerTls,
    acceptor: TlsAcceptor,
    told: Arc<Mutex<MailReply>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        lock(&told).connections += 1;
        let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
        // Some tests expect a client that disconnects or does not trust the certificate.
        tokio::spawn(async move { drop(talk(stream, tls, acceptor, &told).await) });
    }
}

async fn talk(
    mut stream: TcpStream,
    tls: MailServerTls,
    acceptor: TlsAcceptor,
    told: &Mutex<MailReply>,
) -> io::Result<()> {
    const HELLO: &str = "220 localhost a mail server for tests\r\n";
    if tls != MailServerTls::Implicit {
        stream.write_all(HELLO.as_bytes()).await?;
        let features = match tls {
            MailServerTls::StartTls => "250-localhost\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
            MailServerTls::Implicit | MailServerTls::NotOffered => {
                "250-localhost\r\n250 8BITMIME\r\n"
            }
        };
        if dialogue(&mut stream, features, told).await? == Next::Done {
            return Ok(());
        }
    }
    let mut stream = acceptor.accept(stream).await?;
    if tls == MailServerTls::Implicit {
        stream.write_all(HELLO.as_bytes()).await?;
    }
    let features = "250-localhost\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n";
    dialogue(&mut stream, features, told).await.map(drop)
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done,
    Encrypt,
}

async fn dialogue<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    features: &str,
    told: &Mutex<MailReply>,
) -> io::Result<Next> {
    let mut stream = BufReader::new(stream);
    let mut signed_in = false;
    loop {
        let Some(line) = line(&mut stream).await? else {
            return Ok(Next::Done);
        };
        let command = line.trim_end().to_owned();
        lock(told).commands.push(command.clone());
        let verb = command.split(' ').next().unwrap_or_default();
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => features,
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await?;
                return Ok(Next::Encrypt);
            }
            "AUTH" => {
                signed_in = accepts(told, &command);
                if signed_in {
                    "235 welcome\r\n"
                } else {
                    "535 wrong\r\n"
                }
            }
            "MAIL" => &to_sender(told, signed_in),
            "DATA" => {
                stream.write_all(b"354 go ahead\r\n").await?;
                let letter = letter(&mut stream).await?;
                if lock(told).is_silent {
                    std::future::pending::<()>().await;
                }
                &after_letter(told, letter)
            }
            "RCPT" => &to_recipient(told),
            "RSET" | "NOOP" => "250 fine\r\n",
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(Next::Done);
            }
            _ => "500 what?\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn accepts(told: &Mutex<MailReply>, command: &str) -> bool {
    let shown = command.strip_prefix("AUTH PLAIN ");
    let told = lock(told);
    told.account.is_none() || told.account.as_deref() == shown
}

/// The reply to `MAIL FROM`.
fn to_sender(told: &Mutex<MailReply>, signed_in: bool) -> String {
    let mut told = lock(told);
    let answer = match told.refusals.pop_front() {
        Some(refusal) => refusal,
        None if told.account.is_some() && !signed_in => "530 sign in first",
        None => "250 fine",
    };
    format!("{answer}\r\n")
}

/// The reply to `RCPT TO`.
fn to_recipient(told: &Mutex<MailReply>) -> String {
    let refusal = lock(told).refused_recipients.pop_front();
    format!("{}\r\n", refusal.unwrap_or_else(|| "250 fine".to_owned()))
}

/// Accepts or refuses a letter, and returns the reply.
fn after_letter(told: &Mutex<MailReply>, letter: String) -> String {
    let mut told = lock(told);
    if let Some(refusal) = told.refused_letters.pop_front() {
        return format!("{refusal}\r\n");
    }
    told.letters.push(letter);
    "250 taken\r\n".to_owned()
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await?;
    Ok((read > 0).then_some(line))
}

/// The lines up to the one with a single dot.
async fn letter<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut letter = String::new();
    while let Some(line) = line(stream).await? {
        if line.trim_end() == "." {
            break;
        }
        letter.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    Ok(letter)
}
