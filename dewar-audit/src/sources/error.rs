use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a check could not look at something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be audited.
    #[error("{url}: {why}")]
    Address {
        /// The address.
        url: String,
        /// The problem with it.
        why: &'static str,
    },
    /// The application that the audit runs did not work as expected.
    #[error("{0}")]
    Application(String),
    /// The file of the authority holds no certificate.
    #[error("{0} contains no certificate of an authority")]
    Authority(PathBuf),
    /// A file cannot be read.
    #[error("cannot read {path}: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The response is not HTTP, or the connection ended before it was complete.
    #[error("{0} failed: {1}")]
    Http(String, hyper::Error),
    /// The response took too long.
    #[error("{0} did not respond within {1:?}")]
    Late(String, Duration),
    /// The file is not a lock file.
    #[error(transparent)]
    LockFile(#[from] dewar::dependencies::Unreadable),
    /// The auditor could not build a request.
    #[error("{0} cannot be asked: {1}")]
    Request(String, http::Error),
    /// The text is not a route table.
    #[error("this is not a route table: {0}")]
    Routes(String),
    /// The sign-in failed.
    #[error("signing in failed: {0}")]
    SignIn(String),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No connection was possible.
    #[error("cannot reach {0}: {1}")]
    Unreachable(String, io::Error),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }

    /// Whether the other side closed the connection instead of answering, which is a kind of refusal.
    #[must_use]
    pub const fn is_hung_up(&self) -> bool {
        matches!(self, Self::Http(..))
    }
}
