//! The kinds of file that Dewar recognises, as one table.

use std::fmt;

/// How Dewar examines the bytes of a file after the first few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It looks at every entry of an archive, and into archives and documents inside.
    Archive(ArchiveFormat),
    /// It reads every entry of a document that is an archive of parts.
    Office,
    /// It decodes the whole picture.
    Picture(PictureFormat),
    /// It checks the beginning, the end and every object.
    Pdf,
    /// It checks that every byte is text.
    Text,
}

/// The formats of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveFormat {
    Gzip,
    Tar,
    Zip,
}

/// The formats that Dewar decodes, and can encode again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Jpeg,
    Png,
    Webp,
}

impl PictureFormat {
    pub(crate) const fn kind(self) -> FileKind {
        match self {
            Self::Jpeg => FileKind::Jpeg,
            Self::Png => FileKind::Png,
            Self::Webp => FileKind::Webp,
        }
    }
}

struct KindRow {
    kind: FileKind,
    word: &'static str,
    label: &'static str,
    extensions: &'static [&'static str],
    media_type: &'static str,
    look: Look,
}

/// Writes the enum and its table from one list, so a kind without a row does not compile.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident: $word:literal, $label:literal, $look:expr, [$($extension:literal),+], $media_type:literal;)+) => {
        /// A kind of file, recognised from its bytes.
        ///
        /// ```
        /// use dewar::uploads::FileKind;
        ///
        /// assert_eq!(FileKind::Pdf.media_type(), "application/pdf");
        /// assert!(FileKind::Jpeg.extensions().contains(&"jfif"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FileKind {
            $($(#[$doc])+ $kind,)+
        }

        static TABLE: &[KindRow] = &[
            $(KindRow { kind: FileKind::$kind, word: $word, label: $label, look: $look, extensions: &[$($extension),+], media_type: $media_type },)+
        ];
    };
}

// All facts about a kind: its word in the database, its name for visitors, its examination, its extensions in names and in
// the attribute `accept`, its media type; also its row of the table in docs/practices/uploads.md. The extensions are those of
// IANA and of the lists by which browsers and desktops name files: a picture saved as `.jfif` is a JPEG.
//
// Never add HTML or XML: a browser runs them (OWASP File Upload Cheat Sheet).
kinds! {
    /// Comma-separated values, as UTF-8 text.
    Csv: "csv", "CSV", Look::Text, ["csv"], "text/csv; charset=utf-8";
    /// A Word document without macros.
    Docx: "docx", "DOCX", Look::Office, ["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    /// One file, or a TAR archive, that gzip packed.
    Gzip: "gzip", "gzip", Look::Archive(ArchiveFormat::Gzip), ["gz", "tgz"], "application/gzip";
    /// A JPEG picture.
    Jpeg: "jpeg", "JPEG", Look::Picture(PictureFormat::Jpeg), ["jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp"], "image/jpeg";
    /// An `OpenDocument` presentation without macros.
    Odp: "odp", "ODP", Look::Office, ["odp"], "application/vnd.oasis.opendocument.presentation";
    /// An `OpenDocument` spreadsheet without macros.
    Ods: "ods", "ODS", Look::Office, ["ods"], "application/vnd.oasis.opendocument.spreadsheet";
    /// An `OpenDocument` text without macros.
    Odt: "odt", "ODT", Look::Office, ["odt"], "application/vnd.oasis.opendocument.text";
    /// A PDF document.
    Pdf: "pdf", "PDF", Look::Pdf, ["pdf"], "application/pdf";
    /// A PNG picture.
    Png: "png", "PNG", Look::Picture(PictureFormat::Png), ["png"], "image/png";
    /// A `PowerPoint` presentation without macros.
    Pptx: "pptx", "PPTX", Look::Office, ["pptx"], "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    /// A TAR archive.
    Tar: "tar", "TAR", Look::Archive(ArchiveFormat::Tar), ["tar"], "application/x-tar";
    /// Plain text in UTF-8.
    Txt: "txt", "TXT", Look::Text, ["txt", "text"], "text/plain; charset=utf-8";
    /// A WebP picture.
    Webp: "webp", "WebP", Look::Picture(PictureFormat::Webp), ["webp"], "image/webp";
    /// An Excel workbook without macros.
    Xlsx: "xlsx", "XLSX", Look::Office, ["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    /// A ZIP archive.
    Zip: "zip", "ZIP", Look::Archive(ArchiveFormat::Zip), ["zip"], "application/zip";
}

impl FileKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    /// The kind that the extension of a file name claims, in any case of letters.
    ///
    /// ```
    /// use dewar::uploads::FileKind;
    ///
    /// assert_eq!(FileKind::of_extension("JPG"), Some(FileKind::Jpeg));
    /// assert_eq!(FileKind::of_extension("svg"), None);
    /// ```
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| {
                row.extensions
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(extension))
            })
            .map(|row| row.kind)
    }

    /// The kind for its word in the database.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.word == word)
            .map(|row| row.kind)
    }

    /// The word for the kind in the database and the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().word
    }

    /// The extensions of this kind, the usual one first.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        self.row().extensions
    }

    /// The media type of this kind in responses.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// Whether this kind is a picture, which can be re-encoded and shown in a page.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self.look(), Look::Picture(_))
    }

    pub(crate) const fn label(self) -> &'static str {
        self.row().label
    }

    pub(crate) const fn look(self) -> Look {
        self.row().look
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the list of `kinds!` writes one row for each kind, in this order"
    )]
    const fn row(self) -> &'static KindRow {
        &TABLE[self as usize]
    }
}

/// The kind's name for a visitor: `PDF`, `WebP`.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_finds_its_own_row() {
        for kind in FileKind::all() {
            assert_eq!(kind.row().kind, kind);
            assert_eq!(FileKind::of_word(kind.as_str()), Some(kind));
            for extension in kind.extensions() {
                assert_eq!(FileKind::of_extension(extension), Some(kind));
            }
        }
    }

    #[test]
    fn the_practices_page_has_the_table_of_kinds() {
        const PAGE: &str = include_str!("../../../docs/practices/uploads.md");
        let mut table = String::from("| kind | extensions | served as |\n|---|---|---|\n");
        for row in TABLE {
            let extensions: Vec<String> = row
                .extensions
                .iter()
                .map(|extension| format!("`.{extension}`"))
                .collect();
            let extensions = extensions.join(", ");
            let line = format!("| {} | {extensions} | `{}` |\n", row.label, row.media_type);
            table.push_str(&line);
        }
        assert!(
            PAGE.contains(&table),
            "put this table into docs/practices/uploads.md:\n{table}"
        );
    }

    #[test]
    fn no_kind_is_one_that_a_browser_runs() {
        for kind in FileKind::all() {
            for active in ["html", "xml", "svg", "javascript"] {
                let subtype = kind.media_type().split('/').nth(1).unwrap();
                assert!(!subtype.starts_with(active), "{kind}");
            }
        }
    }
}
