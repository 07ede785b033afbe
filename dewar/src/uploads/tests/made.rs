//! Makes the files for the tests.

use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, Write as _};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use image::{DynamicImage, ImageFormat, RgbImage};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::audit::{Clock, Log};
use crate::database::Db;
use crate::forms::{CleanName, Incoming};
use crate::sessions::UserId;
use crate::testing::wait_until;
use crate::uploads::name::FileName;
use crate::uploads::picture::Deadline;
use crate::uploads::policy::{Bytes, Document, Picture, Policy};
use crate::uploads::recognise::{Recognised, RecognitionError, Rules, recognise};
use crate::uploads::storage::{FileBytes, Storage};
use crate::uploads::{Config, Error, FileId, FileKind, MIB, PendingFile, Upload, Uploads};

pub(crate) const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"#;

pub(crate) const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

const DOCUMENT: &str = r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:body></w:document>"#;

/// The result of recognition under a policy: the kind and the new bytes, if any, or the word of the rejection.
pub(crate) fn recognised<P: Policy>(
    bytes: &[u8],
    name: &str,
) -> Result<(FileKind, Vec<u8>), &'static str> {
    let name = FileName::of(&CleanName::of(name), P::KINDS).map_err(|refused| refused.word())?;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let anew = tempfile::tempfile().unwrap();
    let mut written: File = anew.try_clone().unwrap();
    let deadline = Deadline::after(&Clock::manual(0), Duration::from_secs(60));
    match recognise(&mut file, &name, Rules::of::<P>(&deadline), || Ok(anew)) {
        Ok(Recognised { kind, .. }) => {
            let mut bytes = Vec::new();
            written.rewind().unwrap();
            written.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.is_empty(), P::BYTES == Bytes::AsSent);
            Ok((kind, bytes))
        }
        Err(RecognitionError::Refused(refused)) => Err(refused.word()),
        Err(RecognitionError::Io(error)) => panic!("{error}"),
    }
}

pub(crate) fn document(bytes: &[u8], name: &str) -> Result<FileKind, &'static str> {
    recognised::<Document>(bytes, name).map(|(kind, _)| kind)
}

pub(crate) fn picture(bytes: &[u8], name: &str) -> Result<Vec<u8>, &'static str> {
    recognised::<Picture>(bytes, name).map(|(_, bytes)| bytes)
}

pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let method = if *name == "mimetype" {
            zip::CompressionMethod::Stored
        } else {
            zip::CompressionMethod::Deflated
        };
        writer
            .start_file(
                *name,
                SimpleFileOptions::default().compression_method(method),
            )
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn docx(more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", RELS.as_bytes()),
        ("word/document.xml", DOCUMENT.as_bytes()),
    ];
    entries.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    entries.extend_from_slice(more);
    zip(&entries)
}

/// A workbook or a presentation: `spreadsheetml.sheet` in `xl/workbook.xml`.
pub(crate) fn ooxml(main: &str, part: &str) -> Vec<u8> {
    let types = CONTENT_TYPES
        .replace("wordprocessingml.document", main)
        .replace("word/document.xml", part);
    let rels = RELS.replace("word/document.xml", part);
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", rels.as_bytes()),
        (part, b"<main/>"),
    ])
}

pub(crate) fn odt(more: &[(&str, &[u8])]) -> Vec<u8> {
    open_document("text", more)
}

/// An `OpenDocument` of a kind: `spreadsheet`.
pub(crate) fn open_document(kind: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mimetype = format!("application/vnd.oasis.opendocument.{kind}");
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("mimetype", mimetype.as_bytes()),
        ("content.xml", b"<?xml version='1.0'?><office:document-content><office:body/></office:document-content>"),
        ("META-INF/manifest.xml", b"<?xml version='1.0'?><manifest:manifest/>"),
    ];
    entries.extend_from_slice(more);
    zip(&entries)
}

/// 40 x 20 pixels, the left half red, the right half blue.
pub(crate) fn two_halves() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(40, 20, |x, _| {
        image::Rgb(if x < 20 { [250, 0, 0] } else { [0, 0, 250] })
    }))
}

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A chunk of PNG with its checksum.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    let content = [kind.as_slice(), data].concat();
    [length.as_slice(), &content, &crc(&content).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

/// A PNG with more chunks behind its header.
pub(crate) fn png_with(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let (head, rest) = png.split_at(33);
    [head, &chunks.concat(), rest].concat()
}

/// Frames of 2 x 2 pixels, each of another colour.
pub(crate) fn animated_gif(frames: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = gif::Encoder::new(&mut out, 2, 2, &[200, 0, 0, 0, 200, 0]).unwrap();
    if frames > 1 {
        encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    }
    for number in 0..frames {
        let index = u8::from(number % 2 == 1);
        let mut frame = gif::Frame::from_indexed_pixels(2, 2, vec![index; 4], None);
        frame.delay = 7;
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    out
}

/// Frames of 2 x 2 pixels; those after the first are smaller and lie in a corner.
pub(crate) fn animated_png(frames: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 2, 2);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(frames.into(), 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[9; 12]).unwrap();
    for number in 1..frames {
        writer.set_frame_dimension(1, 1).unwrap();
        writer.set_frame_position(1, 1).unwrap();
        writer.set_frame_delay(1, 10).unwrap();
        writer.write_image_data(&[number; 3]).unwrap();
    }
    writer.finish().unwrap();
    out
}

/// A JPEG whose EXIF demands a turn by 90 degrees and names a place.
pub(crate) fn jpeg_with_exif() -> Vec<u8> {
    let plain = encoded(&two_halves(), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    exif.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(b"GPS 52.52N 13.40E");
    let mut out = plain[..2].to_vec();
    out.extend_from_slice(&[0xff, 0xe1]);
    out.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    out.extend_from_slice(&exif);
    out.extend_from_slice(&plain[2..]);
    out
}

/// A TAR archive of one text.
pub(crate) fn tar() -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_ustar();
    header.set_size(4);
    builder
        .append_data(&mut header, "a.txt", b"text".as_slice())
        .unwrap();
    builder.into_inner().unwrap()
}

/// A text that gzip packed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\nxref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n110\n%%EOF\n";

/// A store in a directory of its own, which is deleted with its database and log.
pub(crate) struct Store {
    pub(crate) uploads: Uploads,
    pub(crate) clock: Clock,
    pub(crate) db: Db,
    pub(crate) log: Log,
    pub(crate) directory: tempfile::TempDir,
}

impl Store {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::temporary().unwrap();
        let tables = [crate::uploads::MIGRATIONS, crate::database::MIGRATIONS];
        db.migrate(&tables.concat()).await.unwrap();
        // The server of S3 writes the real time into its listings.
        let clock = Clock::manual(Clock::system().now());
        let log = Log::open(directory.path().join("audit.jsonl"), [7; 32], clock.clone()).unwrap();
        let mut config = Config::below(directory.path());
        #[cfg(feature = "s3")]
        super::bucket::use_it(&mut config);
        change(&mut config);
        let uploads = Uploads::open(config, db.clone(), log.clone(), clock.clone()).unwrap();
        // Some tests name a bucket that does not exist.
        drop(uploads.bind_storage().await);
        Self {
            uploads,
            clock,
            db,
            log,
            directory,
        }
    }

    pub(crate) fn sent<P: Policy>(&self, name: &str, bytes: &[u8]) -> Upload<P, { 10 * MIB }> {
        Upload::arrived(Incoming::arrived(
            &self.uploads.config().quarantine(),
            name,
            bytes,
        ))
        .unwrap()
    }

    /// Stores a file for owner number 1, and claims it.
    pub(crate) async fn keep<P: Policy>(&self, name: &str, bytes: &[u8]) -> Result<FileId, Error> {
        let file = self.unclaimed::<P>(name, bytes).await?;
        let tx = self.db.begin().await?;
        let id = file.commit_in(&tx).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Stores a file for owner number 1 that no row refers to yet.
    pub(crate) async fn unclaimed<P: Policy>(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<PendingFile, Error> {
        self.uploads
            .keep(UserId::new(1), self.sent::<P>(name, bytes))
            .await
    }

    /// The bytes of a stored file, as the storage has them.
    pub(crate) async fn bytes(&self, id: &FileId) -> Option<Vec<u8>> {
        let storage = &self.uploads.inner.storage;
        let size = storage.size(id).await.unwrap()?;
        let pieces = storage.read(id, size, 0..size).await.unwrap();
        let pieces: Vec<_> = pieces.try_collect().await.unwrap();
        Some(pieces.concat())
    }

    /// Somebody removes a file from the storage.
    pub(crate) async fn take_away(&self, id: &FileId) {
        self.uploads.inner.storage.remove(id).await.unwrap();
    }

    /// Somebody puts a file into the storage.
    pub(crate) async fn place(&self, id: &FileId, bytes: impl Into<bytes::Bytes>) {
        let bytes = bytes.into();
        let facts = FileBytes {
            size: bytes.len() as u64,
            sha256: crate::secrets::sha256(&bytes),
        };
        let pieces = futures_util::stream::iter([Ok(bytes)]);
        let storage = &self.uploads.inner.storage;
        let within = Duration::from_secs(600);
        storage
            .copy(id, pieces.boxed(), facts, within)
            .await
            .unwrap();
    }

    /// After a crash the next start is alone on a disk. Other nodes may use a bucket, so there it waits.
    pub(crate) fn start_again(&self) {
        if self.uploads.inner.storage.is_shared() {
            self.clock.advance(self.uploads.config().pending_ttl);
            self.clock.advance(Duration::from_secs(60));
        }
    }

    /// Time passes until a file that is there now is old enough for a sweep.
    pub(crate) fn grows_old(&self, id: &FileId) {
        if self.uploads.inner.storage.is_shared() {
            self.start_again();
            return;
        }
        let file = File::open(self.uploads.config().kept().join(id.path())).unwrap();
        let age = self.uploads.config().pending_ttl + Duration::from_secs(60);
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - age).unwrap();
    }

    /// The number of files in quarantine and in the storage, and the number of their rows.
    pub(crate) async fn files_and_rows(&self) -> (usize, usize) {
        fn count(directory: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(directory)
                .unwrap()
                .map(|entry| entry.unwrap().path());
            entries
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        let config = self.uploads.config();
        let stored = match &self.uploads.inner.storage {
            Storage::Disk(_) => count(&config.kept()),
            #[cfg(feature = "s3")]
            Storage::S3(s3) => s3.count().await,
        };
        let rows = self
            .db
            .query("SELECT id FROM dewar_files", [])
            .await
            .unwrap()
            .len();
        (count(&config.quarantine()) + stored, rows)
    }

    /// Waits until the background work is done.
    pub(crate) async fn becomes_empty(&self) {
        self.settles_at(async || (0, 0)).await;
    }

    /// Waits until the number of files and rows is right.
    pub(crate) async fn settles_at(&self, wanted: impl AsyncFn() -> (usize, usize)) {
        wait_until("as many files and rows are left as should be", async || {
            self.files_and_rows().await == wanted().await
        })
        .await;
    }

    /// The security events so far, oldest first: name and detail.
    pub(crate) async fn events(&self) -> Vec<(String, String)> {
        self.log.flush().await;
        let latest = self.log.latest(100, None).await.unwrap();
        latest
            .into_iter()
            .rev()
            .map(|entry| (entry.event, entry.detail.unwrap_or_default()))
            .collect()
    }
}
