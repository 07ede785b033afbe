//! The kinds of file that Dewar recognises, as one table.

use std::fmt;

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
    /// Comma-separated values, as UTF-8 text.
    Csv,
    /// A Word document without macros.
    Docx,
    /// A JPEG picture.
    Jpeg,
    /// An `OpenDocument` text without macros.
    Odt,
    /// A PDF document.
    Pdf,
    /// A PNG picture.
    Png,
    /// Plain text in UTF-8.
    Txt,
    /// A WebP picture.
    Webp,
}

/// How Dewar examines the bytes of a file after the first few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It reads every entry of the archive.
    Archive,
    /// It decodes the whole picture.
    Picture,
    /// It checks the beginning, the end and the names of actions.
    Pdf,
    /// It checks that every byte is text.
    Text,
}

struct KindRow {
    kind: FileKind,
    word: &'static str,
    label: &'static str,
    extensions: &'static [&'static str],
    media_type: &'static str,
    look: Look,
}

/// All facts about a kind: its extensions in names and in the attribute `accept`, its media type, and its row of the
/// table in docs/practices/uploads.md. The extensions are those of IANA and of the lists by which browsers and desktops
/// name files: a picture saved as `.jfif` is a JPEG.
///
/// Never add SVG, HTML or XML: a browser runs them (OWASP File Upload Cheat Sheet).
#[rustfmt::skip]
static TABLE: [KindRow; 8] = [
    KindRow { kind: FileKind::Csv,  word: "csv",  label: "CSV",  look: Look::Text,    extensions: &["csv"],                                        media_type: "text/csv; charset=utf-8" },
    KindRow { kind: FileKind::Docx, word: "docx", label: "DOCX", look: Look::Archive, extensions: &["docx"],                                       media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    KindRow { kind: FileKind::Jpeg, word: "jpeg", label: "JPEG", look: Look::Picture, extensions: &["jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp"], media_type: "image/jpeg" },
    KindRow { kind: FileKind::Odt,  word: "odt",  label: "ODT",  look: Look::Archive, extensions: &["odt"],                                        media_type: "application/vnd.oasis.opendocument.text" },
    KindRow { kind: FileKind::Pdf,  word: "pdf",  label: "PDF",  look: Look::Pdf,     extensions: &["pdf"],                                        media_type: "application/pdf" },
    KindRow { kind: FileKind::Png,  word: "png",  label: "PNG",  look: Look::Picture, extensions: &["png"],                                        media_type: "image/png" },
    KindRow { kind: FileKind::Txt,  word: "txt",  label: "TXT",  look: Look::Text,    extensions: &["txt", "text"],                                media_type: "text/plain; charset=utf-8" },
    KindRow { kind: FileKind::Webp, word: "webp", label: "WebP", look: Look::Picture, extensions: &["webp"],                                       media_type: "image/webp" },
];

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
        matches!(self.look(), Look::Picture)
    }

    pub(crate) const fn label(self) -> &'static str {
        self.row().label
    }

    pub(crate) fn look(self) -> Look {
        self.row().look
    }

    const fn row(self) -> &'static KindRow {
        // The order is that of the variants, which the test below checks. So this needs no search and no `Option`.
        let [csv, docx, jpeg, odt, pdf, png, txt, webp] = &TABLE;
        match self {
            Self::Csv => csv,
            Self::Docx => docx,
            Self::Jpeg => jpeg,
            Self::Odt => odt,
            Self::Pdf => pdf,
            Self::Png => png,
            Self::Txt => txt,
            Self::Webp => webp,
        }
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
        assert_eq!(FileKind::all().count(), 8);
    }

    #[test]
    fn the_practices_page_has_the_table_of_kinds() {
        const PAGE: &str = include_str!("../../../docs/practices/uploads.md");
        let mut table = String::from("| kind | extensions | served as |\n|---|---|---|\n");
        for row in &TABLE {
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
