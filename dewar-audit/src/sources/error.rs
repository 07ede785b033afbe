use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why something could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be audited.
    #[error("{url}: {why}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The application that was to be run did not do what was asked of it.
    #[error("{0}")]
    Application(String),
    /// The file of the authority holds no certificate.
    #[error("{0} holds no certificate of an authority")]
    Authority(PathBuf),
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The answer is not HTTP, or the connection ended before it was whole.
    #[error("{0} was not answered: {1}")]
    Http(String, hyper::Error),
    /// The answer took too long.
    #[error("{0} was not answered within {1:?}")]
    Late(String, Duration),
    /// The lock file is not one.
    #[error(transparent)]
    LockFile(#[from] dewar::dependencies::Unreadable),
    /// A request of ours that cannot be written.
    #[error("{0} cannot be asked: {1}")]
    Request(String, http::Error),
    /// The route table is not one.
    #[error("this is no route table: {0}")]
    Routes(String),
    /// Nobody could be signed in.
    #[error("signing in failed: {0}")]
    SignIn(String),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No connection.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, io::Error),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }

    /// Whether the other side closed the connection instead of answering, which is a way to refuse.
    #[must_use]
    pub const fn is_hung_up(&self) -> bool {
        matches!(self, Self::Http(..))
    }
}
