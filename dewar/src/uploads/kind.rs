//! The kinds of file that Dewar recognises, as one table.

use std::fmt;

/// How Dewar examines the bytes of a file after the first few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It looks at every entry of an archive, and into archives and documents inside.
    Archive(ArchiveFormat),
    /// It walks the container of audio, of video or of a photograph to its end, and decodes nothing.
    Container(Container),
    /// It refuses programs and pages by their first bytes.
    Other,
    /// It reads every entry of a document that is an archive of parts.
    Office,
    /// It decodes the whole picture.
    Picture(PictureFormat),
    /// It checks the beginning, the end and every object.
    Pdf,
    /// It rewrites the drawing from a list of what may stay.
    Svg,
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

/// The containers that Dewar walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// ISO base media: MP4, M4A, `QuickTime`, HEIC, AVIF.
    Bmff,
    /// Matroska and `WebM`.
    Ebml,
    Flac,
    /// MPEG audio.
    Mpeg,
    Ogg,
    Riff,
    Tiff,
}

/// The formats that Dewar decodes, and can encode again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Gif,
    Jpeg,
    Png,
    Webp,
}

impl PictureFormat {
    pub(crate) const fn kind(self) -> FileKind {
        match self {
            Self::Gif => FileKind::Gif,
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
    ($($(#[$doc:meta])+ $kind:ident: $word:literal, $label:literal, $look:expr, [$($extension:literal),*], $media_type:literal;)+) => {
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

        /// Every kind, in the order of the table.
        const EVERY: [FileKind; TABLE.len()] = [$(FileKind::$kind,)+];

        static TABLE: &[KindRow] = &[
            $(KindRow { kind: FileKind::$kind, word: $word, label: $label, look: $look, extensions: &[$($extension),*], media_type: $media_type },)+
        ];
    };
}

// All facts about a kind: its word in the database, its name for visitors, its examination, its extensions in names and in
// the attribute `accept`, its media type; also its row of the table in docs/practices/uploads.md. The extensions are those of
// IANA and of the lists by which browsers and desktops name files: a picture saved as `.jfif` is a JPEG.
//
// Never add HTML or XML: a browser runs them (OWASP File Upload Cheat Sheet). SVG is rewritten, and no policy of `AsSent` may
// list it.
kinds! {
    /// An AVIF photograph.
    Avif: "avif", "AVIF", Look::Container(Container::Bmff), ["avif"], "image/avif";
    /// Comma-separated values.
    Csv: "csv", "CSV", Look::Text, ["csv"], "text/csv";
    /// A Word document without macros.
    Docx: "docx", "DOCX", Look::Office, ["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    /// A FLAC recording.
    Flac: "flac", "FLAC", Look::Container(Container::Flac), ["flac"], "audio/flac";
    /// A GIF picture, still or animated.
    Gif: "gif", "GIF", Look::Picture(PictureFormat::Gif), ["gif"], "image/gif";
    /// One file, or a TAR archive, that gzip packed.
    Gzip: "gzip", "gzip", Look::Archive(ArchiveFormat::Gzip), ["gz", "tgz"], "application/gzip";
    /// An HEIC photograph, as phones take it.
    Heic: "heic", "HEIC", Look::Container(Container::Bmff), ["heic", "heif"], "image/heic";
    /// A JPEG picture.
    Jpeg: "jpeg", "JPEG", Look::Picture(PictureFormat::Jpeg), ["jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp"], "image/jpeg";
    /// JSON.
    Json: "json", "JSON", Look::Text, ["json"], "application/json";
    /// An MPEG-4 recording.
    M4a: "m4a", "M4A", Look::Container(Container::Bmff), ["m4a", "m4b"], "audio/mp4";
    /// A text in Markdown.
    Markdown: "markdown", "Markdown", Look::Text, ["md", "markdown"], "text/markdown";
    /// A Matroska film.
    Mkv: "mkv", "MKV", Look::Container(Container::Ebml), ["mkv", "mka"], "video/matroska";
    /// A `QuickTime` film.
    Mov: "mov", "MOV", Look::Container(Container::Bmff), ["mov", "qt"], "video/quicktime";
    /// An MP3 recording.
    Mp3: "mp3", "MP3", Look::Container(Container::Mpeg), ["mp3"], "audio/mpeg";
    /// An MPEG-4 film.
    Mp4: "mp4", "MP4", Look::Container(Container::Bmff), ["mp4", "m4v"], "video/mp4";
    /// An `OpenDocument` presentation without macros.
    Odp: "odp", "ODP", Look::Office, ["odp"], "application/vnd.oasis.opendocument.presentation";
    /// An `OpenDocument` spreadsheet without macros.
    Ods: "ods", "ODS", Look::Office, ["ods"], "application/vnd.oasis.opendocument.spreadsheet";
    /// An `OpenDocument` text without macros.
    Odt: "odt", "ODT", Look::Office, ["odt"], "application/vnd.oasis.opendocument.text";
    /// An Ogg recording or film: Vorbis, Opus, FLAC, Theora.
    Ogg: "ogg", "Ogg", Look::Container(Container::Ogg), ["ogg", "oga", "ogv", "opus"], "application/ogg";
    /// Any other file that is neither a program nor a page.
    Other: "other", "other files", Look::Other, [], "application/octet-stream";
    /// A PDF document.
    Pdf: "pdf", "PDF", Look::Pdf, ["pdf"], "application/pdf";
    /// A PNG picture.
    Png: "png", "PNG", Look::Picture(PictureFormat::Png), ["png"], "image/png";
    /// A `PowerPoint` presentation without macros.
    Pptx: "pptx", "PPTX", Look::Office, ["pptx"], "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    /// An SVG drawing, which only a policy of re-encoded pictures may list.
    Svg: "svg", "SVG", Look::Svg, ["svg"], "image/svg+xml";
    /// A TAR archive.
    Tar: "tar", "TAR", Look::Archive(ArchiveFormat::Tar), ["tar"], "application/x-tar";
    /// A TIFF picture.
    Tiff: "tiff", "TIFF", Look::Container(Container::Tiff), ["tif", "tiff"], "image/tiff";
    /// Tab-separated values.
    Tsv: "tsv", "TSV", Look::Text, ["tsv", "tab"], "text/tab-separated-values";
    /// Plain text.
    Txt: "txt", "TXT", Look::Text, ["txt", "text", "log"], "text/plain";
    /// A WAV recording.
    Wav: "wav", "WAV", Look::Container(Container::Riff), ["wav", "wave"], "audio/wav";
    /// A `WebM` film.
    Webm: "webm", "WebM", Look::Container(Container::Ebml), ["webm"], "video/webm";
    /// A WebP picture.
    Webp: "webp", "WebP", Look::Picture(PictureFormat::Webp), ["webp"], "image/webp";
    /// An Excel workbook without macros.
    Xlsx: "xlsx", "XLSX", Look::Office, ["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    /// A ZIP archive.
    Zip: "zip", "ZIP", Look::Archive(ArchiveFormat::Zip), ["zip"], "application/zip";
}

/// Every kind but SVG, which a browser runs as it was sent.
#[expect(
    clippy::indexing_slicing,
    reason = "it runs at compile time, where out of bounds is a compiler error"
)]
const fn as_sent() -> [FileKind; EVERY.len() - 1] {
    let mut kinds = [FileKind::Other; EVERY.len() - 1];
    let (mut from, mut to) = (0, 0);
    while from < EVERY.len() {
        if !matches!(EVERY[from], FileKind::Svg) {
            kinds[to] = EVERY[from];
            to += 1;
        }
        from += 1;
    }
    kinds
}

impl FileKind {
    /// Every kind that Dewar stores byte for byte.
    pub(crate) const AS_SENT: &'static [Self] = &as_sent();

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
    /// assert_eq!(FileKind::of_extension("html"), None);
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

    /// The media type of this kind in responses. Dewar adds the `charset` of a text.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// Whether this kind is a text, which has an encoding.
    pub(crate) fn is_text(self) -> bool {
        self.look() == Look::Text
    }

    /// Whether this kind is a picture, which can be re-encoded and shown in a page.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self.look(), Look::Picture(_) | Look::Svg)
    }

    /// Whether [`Uploads::thumbnail`](super::Uploads::thumbnail) makes a small picture of this kind.
    ///
    /// ```
    /// use dewar::uploads::FileKind;
    ///
    /// assert!(FileKind::Webp.has_thumbnail());
    /// assert!(!FileKind::Pdf.has_thumbnail());
    /// ```
    #[must_use]
    pub fn has_thumbnail(self) -> bool {
        self.picture_format().is_some()
    }

    pub(super) fn picture_format(self) -> Option<PictureFormat> {
        match self.look() {
            Look::Picture(format) => Some(format),
            Look::Archive(_)
            | Look::Container(_)
            | Look::Office
            | Look::Other
            | Look::Pdf
            | Look::Svg
            | Look::Text => None,
        }
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
            for active in ["html", "xml", "javascript"] {
                let subtype = kind.media_type().split('/').nth(1).unwrap();
                assert!(!subtype.starts_with(active), "{kind}");
            }
        }
    }
}
