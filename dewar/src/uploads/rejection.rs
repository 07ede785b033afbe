//! Why a file was not taken: one reason for each thing a visitor could do about it.

use std::fmt;

use super::kind::FileKind;
use super::picture::MAX_SIDE;
use crate::pages::Message;

/// Why a file was not taken.
///
/// [`message`](Self::message) is for the visitor, and so is its `Display`, in English; [`word`](Self::word) is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadRejection {
    /// A part of the file name is one that systems run: `x.php.png`.
    ActiveExtension {
        /// The part of the name.
        extension: String,
    },
    /// The file is damaged, or is not what it begins as.
    Damaged {
        /// What it began as.
        kind: FileKind,
    },
    /// Something that runs is inside: a macro, a script, an embedded program.
    Active {
        /// What was found, in words.
        what: &'static str,
    },
    /// A text file holds a character that no text has, such as NUL or the one that commands a terminal.
    ControlCharacter {
        /// The character.
        character: char,
        /// The line in which it stands, counted from 1.
        line: usize,
    },
    /// The file is empty.
    Empty,
    /// The content is encrypted, so nobody could look into it.
    Encrypted,
    /// The name's extension says something else than the content.
    ExtensionDisagrees {
        /// What the name says.
        extension: String,
        /// What the content says.
        kind: FileKind,
    },
    /// The file makes whoever opens it fetch something from elsewhere.
    External,
    /// Unpacked, the file is too large, or has too many parts.
    Bomb,
    /// The file name cannot be used.
    Name,
    /// A text file is not in UTF-8.
    NotText,
    /// A text begins as a page, a drawing or a script does.
    Page,
    /// After the end of the file's content there is something else.
    TrailingData,
    /// More pixels than a picture may have.
    TooManyPixels,
    /// The picture is stored in more passes than any program needs.
    TooManyScans,
    /// The content is none of the kinds that are accepted here.
    UnknownKind,
}

impl UploadRejection {
    /// The reason in one word, for the security log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Active { .. } => "active_content",
            Self::ActiveExtension { .. } => "active_extension",
            Self::Bomb => "bomb",
            Self::ControlCharacter { .. } => "control_character",
            Self::Damaged { .. } => "damaged",
            Self::Empty => "empty",
            Self::Encrypted => "encrypted",
            Self::ExtensionDisagrees { .. } => "extension_disagrees",
            Self::External => "external",
            Self::Name => "name",
            Self::NotText => "not_text",
            Self::Page => "page",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooManyScans => "too_many_scans",
            Self::TrailingData => "trailing_data",
            Self::UnknownKind => "unknown_kind",
        }
    }

    /// The reason, for the visitor in their language.
    #[must_use]
    pub fn message(&self) -> Message {
        match self {
            Self::Active { .. } => Message::new("uploads-active"),
            Self::ActiveExtension { extension } => {
                Message::new("uploads-active-extension").with("extension", extension.clone())
            }
            Self::Bomb => Message::new("uploads-bomb"),
            Self::ControlCharacter { character, line } => Message::new("uploads-control")
                .with("code", format!("U+{:04X}", u32::from(*character)))
                .with("line", *line),
            Self::Damaged { kind } => Message::new("uploads-damaged").with("kind", kind.label()),
            Self::Empty => Message::new("uploads-empty"),
            Self::Encrypted => Message::new("uploads-encrypted"),
            Self::ExtensionDisagrees { extension, kind } => Message::new("uploads-extension")
                .with("extension", extension.clone())
                .with("kind", kind.label()),
            Self::External => Message::new("uploads-external"),
            Self::Name => Message::new("uploads-name"),
            Self::NotText => Message::new("uploads-not-text"),
            Self::Page => Message::new("uploads-page"),
            Self::TooManyPixels => Message::new("uploads-pixels").with("side", MAX_SIDE),
            Self::TooManyScans => Message::new("uploads-scans"),
            Self::TrailingData => Message::new("uploads-trailing"),
            Self::UnknownKind => Message::new("uploads-unknown-kind"),
        }
    }
}

impl fmt::Display for UploadRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for UploadRejection {}
