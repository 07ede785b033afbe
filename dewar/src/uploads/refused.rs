//! Why a file was not taken: one reason for each thing a visitor could do about it.

use super::kind::FileKind;

/// Why a file was not taken.
///
/// Its `Display` is for the visitor; [`word`](Self::word) is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A part of the file name is one that systems run: `x.php.png`.
    #[error(
        "The name holds “.{extension}”, as names of programs do. Rename the file and send it again."
    )]
    ActiveExtension {
        /// The part of the name.
        extension: String,
    },
    /// The file is damaged, or is not what it begins as.
    #[error("This is not a whole {kind} file.")]
    Damaged {
        /// What it began as.
        kind: FileKind,
    },
    /// Something that runs is inside: a macro, a script, an embedded program.
    #[error("The file contains {what}. Save a copy without and send that.")]
    Active {
        /// What was found, in words.
        what: &'static str,
    },
    /// The file is empty.
    #[error("The file is empty.")]
    Empty,
    /// The content is encrypted, so nobody could look into it.
    #[error("The file is protected by a password. Save a copy without and send that.")]
    Encrypted,
    /// The name's extension says something else than the content.
    #[error("The name ends in “.{extension}”, but the content is {kind}.")]
    ExtensionDisagrees {
        /// What the name says.
        extension: String,
        /// What the content says.
        kind: FileKind,
    },
    /// The file makes whoever opens it fetch something from elsewhere.
    #[error(
        "The file loads something from another place when it is opened. Save a copy without and send that."
    )]
    External,
    /// Unpacked, the file is too large, or has too many parts.
    #[error("The file unpacks to far more than it seems. Such a file is not taken.")]
    Bomb,
    /// The file name cannot be used.
    #[error("The file name cannot be used. Rename the file and send it again.")]
    Name,
    /// A text file is not text in UTF-8.
    #[error("This is not a text file in UTF-8. Save it with that encoding and send it again.")]
    NotText,
    /// After the end of the file's content there is something else.
    #[error(
        "There is something after the end of the file's content. Save a fresh copy and send that."
    )]
    TrailingData,
    /// More pixels than a picture may have.
    #[error("The picture is too large: at most {side} × {side} pixels.", side = super::picture::MAX_SIDE)]
    TooManyPixels,
    /// The content is none of the kinds that are accepted here.
    #[error("This kind of file is not accepted here.")]
    UnknownKind,
}

impl Refused {
    /// The reason in one word, for the security log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Active { .. } => "active_content",
            Self::ActiveExtension { .. } => "active_extension",
            Self::Bomb => "bomb",
            Self::Damaged { .. } => "damaged",
            Self::Empty => "empty",
            Self::Encrypted => "encrypted",
            Self::ExtensionDisagrees { .. } => "extension_disagrees",
            Self::External => "external",
            Self::Name => "name",
            Self::NotText => "not_text",
            Self::TooManyPixels => "too_many_pixels",
            Self::TrailingData => "trailing_data",
            Self::UnknownKind => "unknown_kind",
        }
    }
}
