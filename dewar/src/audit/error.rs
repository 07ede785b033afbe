use std::io;
use std::path::PathBuf;

/// The reason why the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file, or its `.head`, cannot be opened, read or locked.
    #[error("cannot use the audit log {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The thread that writes could not be started.
    #[error("cannot start the audit log's writer: {0}")]
    Writer(io::Error),
}

impl Error {
    pub(super) fn file(path: &std::path::Path, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }
}
