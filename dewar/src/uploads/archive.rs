//! DOCX and ODT: ZIP archives. Dewar unpacks every entry within limits and examines it.
//!
//! Refused: macros, controls and embedded programs; references that load something from elsewhere when the document is
//! opened; encryption; archives that unpack to too much, overlap, or hold paths. Not examined: fields (`DDEAUTO`) and
//! pictures inside the document.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::kind::FileKind;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::scan::{self, ScanVerdict};
use super::{name, tags};

/// The most entries of an archive.
const MAX_ENTRIES: usize = 4_096;

/// The most bytes of all entries unpacked.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;

/// The largest ratio of unpacked to packed bytes, above [`FREE`]. Text packs 10 to 30 times, bombs 1000 times.
const MAX_RATIO: u64 = 100;
const FREE: u64 = 16 * 1024 * 1024;

/// The most bytes of a part that is read as a whole: content types, relationships, manifests.
const MAX_PART: u64 = 4 * 1024 * 1024;

const MACROS: UploadRejection = UploadRejection::Active { what: "macros" };
const PROGRAM: UploadRejection = UploadRejection::Active {
    what: "an embedded object or program",
};

/// # Errors
/// See the module.
pub(crate) fn look(kind: FileKind, file: &mut File) -> Result<(), RecognitionError> {
    let length = file.seek(SeekFrom::End(0))?;
    let entries = look_at_the_edges(kind, file, length)?;
    let broken = |error: ZipError| broken(kind, &error);
    let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(broken)?;
    if archive.len() > MAX_ENTRIES {
        return Err(UploadRejection::Bomb.into());
    }
    // If two entries have one name, some programs read the first and others the second. The ZIP reader keeps only one.
    if archive.len() != entries || archive.offset() != 0 {
        return Err(UploadRejection::Damaged { kind }.into());
    }
    if archive.has_overlapping_files().map_err(broken)? {
        return Err(UploadRejection::Bomb.into());
    }
    let allowed = MAX_UNPACKED.min(FREE.max(length.saturating_mul(MAX_RATIO)));
    let mut unpacked = 0;
    let mut main = Main::Missing;
    let mut begins = false;
    let mut names = std::collections::HashSet::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = safe_name(kind, &entry)?;
        begins |= entry.header_start() == 0;
        if !names.insert(name.clone()) {
            return Err(UploadRejection::Damaged { kind }.into());
        }
        refuse_active_entry(kind, &name)?;
        let mut bounded = (&mut entry).take(allowed - unpacked + 1);
        let read = match look_at_entry(kind, &name, &mut bounded) {
            Ok((read, found)) => {
                main = main.or(found);
                read
            }
            // Every error of unpacking is the file's fault, not the disk's.
            Err(RecognitionError::Io(_)) => return Err(UploadRejection::Damaged { kind }.into()),
            Err(refused) => return Err(refused),
        };
        unpacked += read;
        if unpacked > allowed {
            return Err(UploadRejection::Bomb.into());
        }
    }
    match main {
        // A program that reads from the front would see bytes before the first entry, which Dewar does not examine.
        Main::Found if begins => Ok(()),
        Main::Found | Main::Missing => Err(UploadRejection::Damaged { kind }.into()),
    }
}

/// Whether the archive has the part that makes it a document of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Main {
    Found,
    Missing,
}

impl Main {
    fn or(self, other: Self) -> Self {
        if self == Self::Found { self } else { other }
    }
}

/// Checks that the first bytes are an entry and the last ones the end record, without a comment, so the file is no other
/// file too. Returns the number of entries in the end record. ZIP64 is refused: no document of an accepted size needs it.
fn look_at_the_edges(
    kind: FileKind,
    file: &mut File,
    length: u64,
) -> Result<usize, RecognitionError> {
    const END: u64 = 22;
    file.rewind()?;
    let mut first = [0; 4];
    file.read_exact(&mut first)?;
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut record = [0; END as usize];
    file.read_exact(&mut record)?;
    #[rustfmt::skip]
    let [
        p, k, five, six, _, _, _, _, _, _, low, high,
        size_0, size_1, size_2, size_3, offset_0, offset_1, offset_2, offset_3, comment_low, comment_high,
    ] = record;
    if &first != b"PK\x03\x04" {
        return Err(UploadRejection::Damaged { kind }.into());
    }
    if [p, k, five, six] != *b"PK\x05\x06" || [comment_low, comment_high] != [0, 0] {
        return Err(UploadRejection::TrailingData.into());
    }
    // The central directory must end where this record begins. If one archive follows another, some programs read the
    // directory of the first and others that of the second.
    let size = u32::from_le_bytes([size_0, size_1, size_2, size_3]);
    let offset = u32::from_le_bytes([offset_0, offset_1, offset_2, offset_3]);
    if u64::from(offset) + u64::from(size) + END != length {
        return Err(UploadRejection::Damaged { kind }.into());
    }
    Ok(usize::from(u16::from_le_bytes([low, high])))
}

fn broken(kind: FileKind, error: &ZipError) -> RecognitionError {
    if matches!(
        error,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)
    ) {
        return UploadRejection::Encrypted.into();
    }
    // The ZIP reader also reports a short or wrong structure as an I/O error; a disk that fails will fail again.
    UploadRejection::Damaged { kind }.into()
}

/// The entry's name in lower case, if it is a plain relative path of an ordinary file.
fn safe_name<R: Read>(kind: FileKind, entry: &ZipFile<'_, R>) -> Result<String, UploadRejection> {
    if entry.encrypted() {
        return Err(UploadRejection::Encrypted);
    }
    let plain = matches!(
        entry.compression(),
        CompressionMethod::Stored | CompressionMethod::Deflated
    );
    let name =
        std::str::from_utf8(entry.name_raw()).map_err(|_| UploadRejection::Damaged { kind })?;
    let escapes = name.starts_with('/')
        || name.contains(['\\', ':', '\0'])
        || name.split('/').any(|part| part == ".." || part == ".");
    if !plain || escapes || name.is_empty() || entry.is_symlink() {
        return Err(UploadRejection::Damaged { kind });
    }
    Ok(name.to_ascii_lowercase())
}

fn refuse_active_entry(kind: FileKind, entry: &str) -> Result<(), UploadRejection> {
    let last = entry.rsplit('/').next().unwrap_or_default();
    if last.starts_with("vbaproject") || last.starts_with("vbadata") || last == "editdata.mso" {
        return Err(MACROS);
    }
    if kind == FileKind::Odt
        && ["basic/", "scripts/", "dialogs/"]
            .iter()
            .any(|dir| entry.starts_with(dir))
    {
        return Err(MACROS);
    }
    let is_control = entry.contains("/activex/") || last.starts_with("activex");
    let is_object = entry.contains("/embeddings/") && last.ends_with(".bin");
    if is_control || is_object || (name::ends_as_a_program(last) && !is_picture_of_office(entry)) {
        return Err(PROGRAM);
    }
    Ok(())
}

/// Word stores an SVG icon beside its PNG; in a document it is drawn, not run.
fn is_picture_of_office(entry: &str) -> bool {
    entry.ends_with(".svg") && (entry.starts_with("word/media/") || entry.starts_with("pictures/"))
}

fn look_at_entry(
    kind: FileKind,
    name: &str,
    entry: &mut impl Read,
) -> Result<(u64, Main), RecognitionError> {
    if name == "[content_types].xml"
        || name.ends_with(".rels")
        || name == "meta-inf/manifest.xml"
        || name == "mimetype"
    {
        let text = whole_part(kind, entry)?;
        let read = text.len() as u64;
        let main = match (kind, name) {
            (FileKind::Odt, "mimetype") => odt_main(&text),
            (FileKind::Docx, "[content_types].xml") => content_types(&text)?,
            _ => Main::Missing,
        };
        if name.ends_with(".rels") {
            relationships(&text)?;
        }
        if name == "meta-inf/manifest.xml" && text.contains("encryption-data") {
            return Err(UploadRejection::Encrypted.into());
        }
        return Ok((read, main));
    }
    let is_xml = name.ends_with(".xml") || name.ends_with(".rdf");
    let mut found = None;
    let (read, _) = scan::stretches(entry, LONGEST, |stretch| {
        found = if is_xml { active_in_xml(stretch) } else { None };
        if found.is_some() {
            ScanVerdict::Found
        } else {
            ScanVerdict::Nothing
        }
    })?;
    found.map_or(Ok((read, Main::Missing)), |refused| Err(refused.into()))
}

fn whole_part(kind: FileKind, entry: &mut impl Read) -> Result<String, RecognitionError> {
    let mut text = String::new();
    entry.take(MAX_PART + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_PART {
        return Err(UploadRejection::Bomb.into());
    }
    if text.contains('\0') {
        return Err(UploadRejection::Damaged { kind }.into());
    }
    Ok(text)
}

fn odt_main(mimetype: &str) -> Main {
    if mimetype == "application/vnd.oasis.opendocument.text" {
        Main::Found
    } else {
        Main::Missing
    }
}

/// `docm` is `docx` with one other content type (ECMA-376, part 2).
fn content_types(xml: &str) -> Result<Main, UploadRejection> {
    let lower = xml.to_ascii_lowercase();
    if ["macroenabled", "vbaproject", "vbadata"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return Err(MACROS);
    }
    if ["activex", "oleobject"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return Err(PROGRAM);
    }
    let tags = tags::start_tags(xml).ok_or(UploadRejection::Damaged {
        kind: FileKind::Docx,
    })?;
    let is_main = |tag: &tags::StartTag| {
        tag.attribute("ContentType")
            == Some(
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            )
    };
    Ok(if tags.iter().any(is_main) {
        Main::Found
    } else {
        Main::Missing
    })
}

/// A document may reference two external things: links, which wait for a click, and pictures on the web. A template, a
/// frame or an object is loaded on opening (MITRE ATT&CK T1221; CVE-2017-0199, CVE-2022-30190).
fn relationships(xml: &str) -> Result<(), UploadRejection> {
    let tags = tags::start_tags(xml).ok_or(UploadRejection::Damaged {
        kind: FileKind::Docx,
    })?;
    for tag in tags.iter().filter(|tag| tag.name == "Relationship") {
        let kind = tag
            .attribute("Type")
            .and_then(|url| url.rsplit('/').next())
            .unwrap_or_default();
        let target = tag.attribute("Target").unwrap_or_default();
        let external = tag
            .attribute("TargetMode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
        if ["vbaProject", "attachedToolbars"].contains(&kind) {
            return Err(MACROS);
        }
        if ["control", "oleObject", "activeXControlBinary"].contains(&kind) && !external {
            return Err(PROGRAM);
        }
        let is_web = target.starts_with("https://") || target.starts_with("http://");
        let may_be_elsewhere = kind == "hyperlink" || (kind == "image" && is_web);
        if (external || target.contains("://") || target.starts_with(r"\\")) && !may_be_elsewhere {
            return Err(UploadRejection::External);
        }
    }
    Ok(())
}

/// The length of the longest word below.
const LONGEST: usize = 32;

fn active_in_xml(stretch: &[u8]) -> Option<UploadRejection> {
    // A DTD can build the words below from pieces, and is itself an attack (CWE-611, CWE-776). UTF-16 hides them.
    if scan::holds(stretch, b"<!DOCTYPE")
        || scan::holds(stretch, b"<!ENTITY")
        || scan::holds(stretch, b"<\0")
    {
        return Some(UploadRejection::External);
    }
    let scripts: [&[u8]; 3] = [
        b"script:event-listener",
        b"vnd.sun.star.script",
        b"vnd.sun.star.expand",
    ];
    scripts
        .iter()
        .any(|word| scan::holds(stretch, word))
        .then_some(MACROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with another version of the ZIP library, or with more of its features, could unpack an entry that this
    /// one cannot, and nobody would have examined it.
    ///
    /// ASVS: V5.2.2
    #[test]
    fn an_entry_is_stored_or_deflated_whatever_the_library_unpacks() {
        for (method, taken) in [
            (0, true),
            (8, true),
            (9, false),
            (12, false),
            (14, false),
            (93, false),
            (95, false),
            (98, false),
        ] {
            let mut bytes = crate::uploads::tests::made::zip(&[("mimetype", b"x")]);
            for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
                let found = bytes.windows(4).position(|window| window == mark).unwrap();
                bytes[found + at] = method;
            }
            let mut archive = ZipArchive::new(io::Cursor::new(bytes)).unwrap();
            let name = safe_name(FileKind::Odt, &archive.by_index_raw(0).unwrap());
            assert_eq!(name.is_ok(), taken, "{method}: {name:?}");
        }
    }

    /// ASVS: V1.5.1
    #[test]
    fn each_word_that_runs_or_loads_is_seen_alone() {
        for (stretch, found) in [
            (&b"<!DOCTYPE x>"[..], Some(UploadRejection::External)),
            (b"<!ENTITY x>", Some(UploadRejection::External)),
            (b"<\0a\0", Some(UploadRejection::External)),
            (b"<script:event-listener/>", Some(MACROS)),
            (b"'vnd.sun.star.script:a'", Some(MACROS)),
            (b"'vnd.sun.star.expand:a'", Some(MACROS)),
            (b"<w:t>DOCTYPE ENTITY script</w:t>", None),
        ] {
            assert_eq!(active_in_xml(stretch), found, "{}", stretch.escape_ascii());
        }
    }

    #[test]
    fn entries_that_run_are_refused_by_their_name() {
        use FileKind::{Docx, Odt};
        for (kind, entry, expected) in [
            (Docx, "word/document.xml", Ok(())),
            (Docx, "word/media/icon.svg", Ok(())),
            (Odt, "pictures/icon.svg", Ok(())),
            (Docx, "basic/a.xml", Ok(())),
            (Docx, "word/embeddings/a.xlsx", Ok(())),
            (Docx, "a.bin", Ok(())),
            (Docx, "word/vbaproject.bin", Err(MACROS)),
            (Docx, "word/vbadata.xml", Err(MACROS)),
            (Docx, "word/editdata.mso", Err(MACROS)),
            (Odt, "basic/a.xml", Err(MACROS)),
            (Odt, "scripts/a.xml", Err(MACROS)),
            (Odt, "dialogs/a.xml", Err(MACROS)),
            (Docx, "word/activex/a.xml", Err(PROGRAM)),
            (Docx, "word/activex1.xml", Err(PROGRAM)),
            (Docx, "word/embeddings/a.bin", Err(PROGRAM)),
            (Docx, "word/media/a.exe", Err(PROGRAM)),
            (Docx, "word/media/a.js", Err(PROGRAM)),
            (Docx, "word/icon.svg", Err(PROGRAM)),
        ] {
            assert_eq!(refuse_active_entry(kind, entry), expected, "{entry}");
        }
    }

    #[test]
    fn of_what_stands_elsewhere_only_links_and_pictures_are_named() {
        const EXTERNAL: Result<(), UploadRejection> = Err(UploadRejection::External);
        let one = |kind: &str, target: &str, mode: &str| {
            relationships(&format!(
                "<Relationships><Relationship Type='http://x/{kind}' Target='{target}' {mode}/></Relationships>"
            ))
        };
        let outside = "TargetMode='eXternal'";
        let inside = "TargetMode='Internal'";
        for (kind, target, mode, expected) in [
            ("hyperlink", "https://a.example", outside, Ok(())),
            ("hyperlink", "mailto:a@a.example", outside, Ok(())),
            ("image", "https://a.example/a.png", outside, Ok(())),
            ("image", "http://a.example/a.png", outside, Ok(())),
            ("image", "file:///etc/passwd", outside, EXTERNAL),
            ("image", "a.png", outside, EXTERNAL),
            ("image", "a.png", inside, Ok(())),
            ("styles", "styles.xml", "", Ok(())),
            ("attachedTemplate", "https://a.example", outside, EXTERNAL),
            ("attachedTemplate", "https://a.example", "", EXTERNAL),
            ("attachedTemplate", "a.dotx", outside, EXTERNAL),
            ("styles", r"\\a\b", "", EXTERNAL),
            ("oleObject", "a.bin", "", Err(PROGRAM)),
            ("control", "a.xml", inside, Err(PROGRAM)),
            ("activeXControlBinary", "a.bin", "", Err(PROGRAM)),
            ("oleObject", "https://a.example", outside, EXTERNAL),
            ("vbaProject", "a.bin", "", Err(MACROS)),
            ("attachedToolbars", "a.bin", outside, Err(MACROS)),
        ] {
            assert_eq!(one(kind, target, mode), expected, "{kind} {target} {mode}");
        }
        assert!(relationships("<!DOCTYPE a>").is_err());
        let other = "<Other Type='x/oleObject' Target='https://a' TargetMode='External'/>";
        assert_eq!(relationships(other), Ok(()));
    }

    #[test]
    fn the_content_types_say_what_a_document_is() {
        let typed =
            |kind: &str| content_types(&format!("<Types><A ContentType='{kind}'/></Types>"));
        let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for (kind, expected) in [
            (&*format!("{word}.main+xml"), Ok("found")),
            (&*format!("{word}+xml"), Ok("missing")),
            (
                "application/vnd.ms-word.document.macroEnabled.main+xml",
                Err(MACROS),
            ),
            ("application/vnd.ms-office.vbaProject", Err(MACROS)),
            ("application/vnd.ms-word.vbaData+xml", Err(MACROS)),
            ("application/vnd.ms-office.activeX+xml", Err(PROGRAM)),
            (
                "application/vnd.openxmlformats-officedocument.oleObject",
                Err(PROGRAM),
            ),
        ] {
            let found = typed(kind).map(|main| match main {
                Main::Found => "found",
                Main::Missing => "missing",
            });
            assert_eq!(found, expected, "{kind}");
        }
        assert!(content_types("<Types").is_err());
        assert!(matches!(
            odt_main("application/vnd.oasis.opendocument.text"),
            Main::Found
        ));
        assert!(matches!(
            odt_main("application/vnd.oasis.opendocument.text "),
            Main::Missing
        ));
        assert!(matches!(Main::Missing.or(Main::Found), Main::Found));
        assert!(matches!(Main::Found.or(Main::Missing), Main::Found));
        assert!(matches!(Main::Missing.or(Main::Missing), Main::Missing));
    }
}
