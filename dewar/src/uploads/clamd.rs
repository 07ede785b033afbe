//! The client of the virus scanner `clamd`: sends one file and reads one verdict (`INSTREAM`, clamd(8)).
//!
//! The crate `clamav-client` was looked at. It writes the whole file before it reads: if clamd refuses a file that is too
//! large and closes the connection, the write fails and the answer is lost. It also reads an answer of any length, and takes
//! every answer with `OK` in it for a clean file.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How many bytes go to clamd at once.
const CHUNK: usize = 64 * 1024;

/// The longest answer of clamd: a line with the name of a virus.
const MAX_REPLY: u64 = 1024;

/// The longest name of a virus that is logged and shown.
const MAX_NAME: usize = 100;

/// The address of clamd: the path of a Unix socket, or a host with a port.
///
/// ```
/// use dewar::uploads::ClamdAddress;
///
/// assert!(ClamdAddress::parse("/run/clamav/clamd.ctl").is_some());
/// assert!(ClamdAddress::parse("127.0.0.1:3310").is_some());
/// assert!(ClamdAddress::parse("clamd").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClamdAddress(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Network { host: String, port: u16 },
    Socket(PathBuf),
}

impl ClamdAddress {
    /// Reads an address: an absolute path, or `host:port`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Some(Self(Place::Socket(PathBuf::from(text))));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host).to_owned();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_host = bare.is_none() && !host.is_empty() && host.chars().all(is_name);
        (is_host || host.parse::<IpAddr>().is_ok()).then_some(Self(Place::Network { host, port }))
    }

    /// The socket of Debian's package `clamav-daemon`.
    pub(super) fn debian() -> Self {
        Self(Place::Socket(PathBuf::from("/run/clamav/clamd.ctl")))
    }

    /// Whether the bytes of a file leave this machine, without encryption.
    pub(super) fn is_elsewhere(&self) -> bool {
        match &self.0 {
            Place::Socket(_) => false,
            Place::Network { host, .. } => {
                host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }

    /// Sends a file, and returns what clamd says about it.
    ///
    /// # Errors
    /// clamd cannot be reached, ends early, takes longer than `patience`, or says that it could not scan the file.
    pub(super) async fn scan(
        &self,
        file: impl AsyncRead + Unpin,
        patience: Duration,
    ) -> io::Result<Verdict> {
        let reply = within(patience, async {
            match &self.0 {
                Place::Socket(path) => instream(connect_socket(path).await?, file).await,
                Place::Network { host, port } => instream(connect(host, *port).await?, file).await,
            }
        });
        verdict(&reply.await?)
    }

    /// Asks whether clamd is there.
    ///
    /// # Errors
    /// clamd cannot be reached, or something else answers.
    pub(super) async fn ping(&self, patience: Duration) -> io::Result<()> {
        let reply = within(patience, async {
            match &self.0 {
                Place::Socket(path) => ask(connect_socket(path).await?, b"zPING\0").await,
                Place::Network { host, port } => ask(connect(host, *port).await?, b"zPING\0").await,
            }
        });
        match reply.await?.as_str() {
            "PONG" => Ok(()),
            other => Err(unexpected(other)),
        }
    }
}

impl ClamdAddress {
    /// The version of clamd's signatures: `ClamAV 1.4.3/27800/Mon Oct 20 08:45:56 2025` has 27800.
    ///
    /// # Errors
    /// clamd cannot be reached, or tells no version of its signatures.
    pub(super) async fn signatures(&self, patience: Duration) -> io::Result<i64> {
        let reply = within(patience, async {
            match &self.0 {
                Place::Socket(path) => ask(connect_socket(path).await?, b"zVERSION\0").await,
                Place::Network { host, port } => {
                    ask(connect(host, *port).await?, b"zVERSION\0").await
                }
            }
        });
        let reply = reply.await?;
        let version = reply
            .split('/')
            .nth(1)
            .and_then(|version| version.parse().ok());
        version.filter(|version| *version > 0).ok_or_else(|| {
            let what = format!(
                "clamd tells no version of its signatures: {:?}",
                plain(&reply)
            );
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}

impl fmt::Display for ClamdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Socket(path) => write!(f, "{}", path.display()),
            Place::Network { host, port } => match host.parse::<IpAddr>() {
                Ok(ip) => SocketAddr::new(ip, *port).fmt(f),
                Err(_) => write!(f, "{host}:{port}"),
            },
        }
    }
}

/// The verdict of clamd about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    /// The name of the virus.
    Infected(String),
    /// The file is above a limit of clamd, so clamd did not scan all of it.
    TooLarge,
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "clamd takes too long"))?
}

async fn connect_socket(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    TcpStream::connect((host, port)).await
}

/// Reads the answer while it still sends: clamd may answer early and close the connection.
async fn instream(
    stream: impl AsyncRead + AsyncWrite,
    file: impl AsyncRead + Unpin,
) -> io::Result<String> {
    let (mut answers, mut questions) = tokio::io::split(stream);
    let sent = send(&mut questions, file);
    let answered = reply(&mut answers);
    tokio::pin!(sent, answered);
    tokio::select! {
        biased;
        answer = &mut answered => return answer,
        sent = &mut sent => match sent {
            Ok(()) => {}
            Err(Unsent::File(error)) => return Err(error),
            // The answer says more than the broken connection does.
            Err(Unsent::Connection(error)) => {
                let answer = answered.await;
                return answer.ok().filter(|answer| !answer.is_empty()).ok_or(error);
            }
        },
    }
    answered.await
}

/// Why a file was not sent to its end.
enum Unsent {
    Connection(io::Error),
    File(io::Error),
}

async fn send(
    questions: &mut (impl AsyncWrite + Unpin),
    mut file: impl AsyncRead + Unpin,
) -> Result<(), Unsent> {
    questions
        .write_all(b"zINSTREAM\0")
        .await
        .map_err(Unsent::Connection)?;
    let mut piece = vec![0; CHUNK];
    loop {
        let read = file.read(&mut piece).await.map_err(Unsent::File)?;
        let bytes = piece.get(..read).unwrap_or_default();
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        // The last length is 0, which ends the stream.
        let sent = async {
            questions.write_all(&length.to_be_bytes()).await?;
            questions.write_all(bytes).await?;
            questions.flush().await
        };
        sent.await.map_err(Unsent::Connection)?;
        if bytes.is_empty() {
            return Ok(());
        }
    }
}

async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    question: &[u8],
) -> io::Result<String> {
    stream.write_all(question).await?;
    stream.flush().await?;
    reply(&mut stream).await
}

/// The answer up to the NUL that ends it, or up to the end of the connection.
async fn reply(answers: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut answers = answers.take(MAX_REPLY);
    while !bytes.contains(&0) && answers.read_buf(&mut bytes).await? > 0 {}
    let answer = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(answer);
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// # Errors
/// Every answer that is not one of three. A file counts as clean only if clamd says exactly that.
fn verdict(reply: &str) -> io::Result<Verdict> {
    if reply == "stream: OK" {
        return Ok(Verdict::Clean);
    }
    if reply.starts_with("INSTREAM size limit exceeded") {
        return Ok(Verdict::TooLarge);
    }
    let found = reply
        .strip_prefix("stream: ")
        .and_then(|rest| rest.strip_suffix(" FOUND"));
    match found {
        // With `AlertExceedsMax`, clamd says so of a file that it did not scan to its end.
        Some(name) if name.starts_with("Heuristics.Limits.Exceeded") => Ok(Verdict::TooLarge),
        Some(name) => Ok(Verdict::Infected(plain(name))),
        None => Err(unexpected(reply)),
    }
}

fn unexpected(reply: &str) -> io::Error {
    let what = if reply.is_empty() {
        "clamd closed the connection without an answer".to_owned()
    } else {
        format!("clamd answered {:?}", plain(reply))
    };
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A text of another program, for the log and the page.
fn plain(text: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    text.chars().filter(is_plain).take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::testing::PATIENCE;

    #[test]
    fn an_address_is_a_path_or_a_host_with_a_port() {
        for (text, shown) in [
            ("/run/clamav/clamd.ctl", Some("/run/clamav/clamd.ctl")),
            ("127.0.0.1:3310", Some("127.0.0.1:3310")),
            ("[::1]:3310", Some("[::1]:3310")),
            ("clamav.internal:3310", Some("clamav.internal:3310")),
            ("::1:3310", Some("[::1]:3310")),
            ("clamd.ctl", None),
            ("host:", None),
            ("host:0", None),
            (":3310", None),
            ("[host]:3310", None),
            ("http://host:3310", None),
            ("a b:3310", None),
            ("", None),
        ] {
            let address = ClamdAddress::parse(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn only_another_machine_is_elsewhere() {
        for (text, elsewhere) in [
            ("/run/clamav/clamd.ctl", false),
            ("127.0.0.1:3310", false),
            ("127.9.9.9:3310", false),
            ("[::1]:3310", false),
            ("localhost:3310", false),
            ("10.0.0.7:3310", true),
            ("localhost.example:3310", true),
        ] {
            let address = ClamdAddress::parse(text).unwrap();
            assert_eq!(address.is_elsewhere(), elsewhere, "{text}");
        }
    }

    /// ASVS: V5.4.3
    #[test]
    fn a_file_is_clean_only_if_clamd_says_exactly_that() {
        let infected = |name: &str| Ok(Verdict::Infected(name.to_owned()));
        let said = |reply: &str| verdict(reply).map_err(|error| error.to_string());
        assert_eq!(said("stream: OK"), Ok(Verdict::Clean));
        assert_eq!(said("stream: Eicar-Test FOUND"), infected("Eicar-Test"));
        assert_eq!(said("stream: OK FOUND"), infected("OK"));
        assert_eq!(said("stream: a\u{1b}[2J\u{202e}b FOUND"), infected("a[2Jb"));
        assert_eq!(
            said("INSTREAM size limit exceeded. ERROR"),
            Ok(Verdict::TooLarge)
        );
        assert_eq!(
            said("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"),
            Ok(Verdict::TooLarge)
        );
        for reply in [
            "",
            "OK",
            "stream: OKAY",
            "stream: OK ",
            "stream: Can't allocate memory ERROR",
            "stream: OK\nstream: Eicar FOUND!",
            "UNKNOWN COMMAND",
            "HTTP/1.1 200 OK",
        ] {
            assert!(said(reply).is_err(), "{reply}");
        }
    }

    /// A clamd that reads so many bytes, says something, and reads on or closes the connection.
    async fn clamd(reads: usize, answer: &'static [u8], then: Then) -> ClamdAddress {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = vec![0; reads];
            stream.read_exact(&mut read).await.unwrap();
            stream.write_all(answer).await.unwrap();
            match then {
                Then::Closes => {}
                Then::ReadsOn => {
                    tokio::io::copy(&mut stream, &mut tokio::io::sink())
                        .await
                        .ok();
                }
                Then::Waits => std::future::pending().await,
            }
        });
        ClamdAddress::parse(&address).unwrap()
    }

    #[derive(Clone, Copy)]
    enum Then {
        Closes,
        ReadsOn,
        Waits,
    }

    async fn scanned(clamd: &ClamdAddress, bytes: u64) -> io::Result<Verdict> {
        clamd.scan(tokio::io::repeat(7).take(bytes), PATIENCE).await
    }

    /// More than a connection holds on its way.
    const LARGE: u64 = 64 * 1024 * 1024;

    /// A client that only writes would wait for ever, or lose the answer with the connection.
    #[tokio::test]
    async fn an_early_answer_is_not_lost() {
        const TOO_LARGE: &[u8] = b"INSTREAM size limit exceeded. ERROR\0";
        for then in [Then::Waits, Then::ReadsOn] {
            let clamd = clamd(10, TOO_LARGE, then).await;
            assert_eq!(scanned(&clamd, LARGE).await.unwrap(), Verdict::TooLarge);
        }
    }

    #[tokio::test]
    async fn an_answer_has_a_bound_and_an_end() {
        let whole = 10 + 4 + 3 + 4;
        for (answer, verdict) in [
            (&b"stream: OK\0"[..], Some(Verdict::Clean)),
            (b"stream: OK\n", Some(Verdict::Clean)),
            (b"stream: OK\0stream: Eicar FOUND\0", Some(Verdict::Clean)),
            (b"stream: OK", Some(Verdict::Clean)),
            (b"", None),
            (&[b'x'; 100_000], None),
        ] {
            let clamd = clamd(whole, answer, Then::Closes).await;
            let said = scanned(&clamd, 3).await.ok();
            assert_eq!(said, verdict, "{}", answer.escape_ascii());
        }
    }

    /// ASVS: V5.4.3
    #[tokio::test]
    async fn a_clamd_that_hangs_or_is_away_scans_nothing() {
        let hangs = clamd(10, b"stream: ", Then::Waits).await;
        let short = Duration::from_millis(50);
        let error = hangs.scan(&b"abc"[..], short).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let silent = clamd(6, b"PO", Then::Waits).await;
        let error = silent.ping(short).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let away = ClamdAddress::parse("/nowhere/clamd.ctl").unwrap();
        assert!(scanned(&away, 3).await.is_err());
        assert!(away.ping(PATIENCE).await.is_err());
        let other = clamd(6, b"HTTP/1.1 400\0", Then::Closes).await;
        let error = other.ping(PATIENCE).await.unwrap_err();
        assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
        let there = clamd(6, b"PONG\0", Then::Closes).await;
        there.ping(PATIENCE).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_not_a_clean_file() {
        struct Failing;
        impl AsyncRead for Failing {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
                _: &mut tokio::io::ReadBuf<'_>,
            ) -> std::task::Poll<io::Result<()>> {
                std::task::Poll::Ready(Err(io::ErrorKind::PermissionDenied.into()))
            }
        }
        let clamd = clamd(10, b"", Then::Waits).await;
        let error = clamd.scan(Failing, PATIENCE).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
