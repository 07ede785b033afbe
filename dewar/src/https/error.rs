use std::io;
use std::path::PathBuf;

/// Why the setup of TLS, the certificates or the listener failed.
///
/// A visitor never sees one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name in the list of hosts is not a host name.
    #[error("{0:?} is not a host name (no port, no path, no wildcard)")]
    InvalidHost(String),
    /// The local authority is constrained to local names and cannot issue a certificate for this one.
    #[error(
        "the local authority cannot issue a certificate for {0:?}: only for localhost, *.localhost, *.test and loopback addresses"
    )]
    NotLocal(String),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file has the wrong content.
    #[error("{path}: {what}", path = path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        what: String,
    },
    /// A certificate could not be made.
    #[error("cannot create a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The listener could not bind the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's error.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
