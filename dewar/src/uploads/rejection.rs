//! Why Dewar refused a file: one reason for each thing a visitor could do about it.

use std::fmt;

use super::kind::FileKind;
use super::picture::{MAX_FRAMES, MAX_PIXELS};
use crate::pages::Message;

/// Why Dewar refused a file.
///
/// [`message`](Self::message) is for the visitor, and so is `Display`, in English; [`word`](Self::word) is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadRejection {
    /// A part of the file name is an extension that systems run: `x.php.png`.
    ActiveExtension {
        /// The part of the name.
        extension: String,
    },
    /// An archive holds a path or a link that leads out of it, or a name that systems read differently.
    ArchivePath,
    /// An archive holds a file that systems run.
    ArchiveProgram {
        /// The extension of the file inside.
        extension: String,
    },
    /// The file is damaged, or is not the kind that its first bytes claim.
    Damaged {
        /// The kind that its first bytes claim.
        kind: FileKind,
    },
    /// The file contains something that runs: a macro, a script, an embedded program.
    Active {
        /// The thing that was found, in words.
        what: &'static str,
    },
    /// A text file has a character that no text has, such as NUL or a terminal's escape character.
    ControlCharacter {
        /// The character.
        character: char,
        /// Its line, counted from 1.
        line: usize,
    },
    /// The file is empty.
    Empty,
    /// The content is encrypted, so Dewar cannot examine it.
    Encrypted,
    /// The extension of the name does not fit the content.
    ExtensionDisagrees {
        /// The extension.
        extension: String,
        /// The kind of the content.
        kind: FileKind,
    },
    /// The file makes its reader load something from elsewhere.
    External,
    /// The file is too large when unpacked, or has too many parts.
    Bomb,
    /// The file name cannot be used.
    Name,
    /// A text file is not in UTF-8.
    NotText,
    /// A text begins like a page, a drawing or a script.
    Page,
    /// The ticket of the file ended before the form came.
    TicketEnded,
    /// The file in the storage is not the one that was announced: it is missing, or has another size or other bytes.
    TicketOtherFile,
    /// The ticket is used, forged, or of another person, session or field.
    TicketUnknown,
    /// The virus scanner refuses files of this size: its limit is below that of the field.
    TooLargeToScan,
    /// Something follows the end of the file's content.
    TrailingData,
    /// The picture is animated, and the policy takes none.
    Animated,
    /// The animation has too many frames, or too many pixels in all frames.
    TooManyFrames,
    /// The picture has too many pixels.
    TooManyPixels,
    /// The picture is stored in more passes than any program needs.
    TooManyScans,
    /// The file takes longer to examine than `uploads.examine_timeout`.
    TooSlow,
    /// The content is none of the accepted kinds.
    UnknownKind,
    /// The virus scanner found a virus.
    Virus {
        /// Its name in the scanner's database.
        name: String,
    },
}

impl UploadRejection {
    /// The reason in one word, for the security log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Active { .. } => "active_content",
            Self::ActiveExtension { .. } => "active_extension",
            Self::Animated => "animated",
            Self::ArchivePath => "archive_path",
            Self::ArchiveProgram { .. } => "archive_program",
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
            Self::TicketEnded => "ticket_ended",
            Self::TicketOtherFile => "ticket_other_file",
            Self::TicketUnknown => "ticket_unknown",
            Self::TooLargeToScan => "too_large_to_scan",
            Self::TooManyFrames => "too_many_frames",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooManyScans => "too_many_scans",
            Self::TooSlow => "too_slow",
            Self::TrailingData => "trailing_data",
            Self::UnknownKind => "unknown_kind",
            Self::Virus { .. } => "virus",
        }
    }

    /// The message for the visitor, in their language.
    #[must_use]
    pub fn message(&self) -> Message {
        match self {
            Self::Active { .. } => Message::new("uploads-active"),
            Self::ActiveExtension { extension } => {
                Message::new("uploads-active-extension").with("extension", extension.clone())
            }
            Self::Animated => Message::new("uploads-animated"),
            Self::ArchivePath => Message::new("uploads-archive-path"),
            Self::ArchiveProgram { extension } => {
                Message::new("uploads-archive-program").with("extension", extension.clone())
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
            Self::TicketEnded => Message::new("uploads-ticket-ended"),
            Self::TicketOtherFile => Message::new("uploads-ticket-other-file"),
            Self::TicketUnknown => Message::new("uploads-ticket-unknown"),
            Self::TooLargeToScan => Message::new("uploads-too-large-to-scan"),
            Self::TooManyFrames => Message::new("uploads-frames").with("frames", MAX_FRAMES),
            Self::TooManyPixels => {
                Message::new("uploads-pixels").with("millions", MAX_PIXELS / 1_000_000)
            }
            Self::TooManyScans => Message::new("uploads-scans"),
            Self::TooSlow => Message::new("uploads-slow"),
            Self::TrailingData => Message::new("uploads-trailing"),
            Self::UnknownKind => Message::new("uploads-unknown-kind"),
            Self::Virus { name } => Message::new("uploads-virus").with("name", name.clone()),
        }
    }
}

impl fmt::Display for UploadRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for UploadRejection {}
