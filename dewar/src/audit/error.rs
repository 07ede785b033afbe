use std::io;
use std::path::PathBuf;

/// The reason why the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file, or its `.head`, cannot be opened, read or locked.
    #[error("the audit log {} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The thread that writes could not be started.
    #[error("the audit log's writer cannot be started: {0}")]
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
