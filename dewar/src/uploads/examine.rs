//! Examines an arrived file on a blocking thread and prepares it for its place.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use super::charset::Charset;
use super::error::Error;
use super::kind::FileKind;
use super::name::FileName;
use super::policy::Bytes;
use super::queue::ScanPermit;
use super::recognise::{Recognised, Rules, recognise};
use crate::forms::{FileMark, Incoming, QuarantinedFile};

/// An examined file: all its bytes are on the disk, still in quarantine.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) kind: FileKind,
    pub(crate) charset: Option<Charset>,
    pub(crate) sha256: [u8; 32],
    pub(crate) size: u64,
    source: QuarantinedFile,
}

/// The caller holds a permit for as long as it takes.
///
/// # Errors
/// The file is refused, or could not be read or written.
pub(super) fn examine(
    _seat: &ScanPermit,
    incoming: Incoming,
    name: &FileName,
    rules: Rules<'_>,
    quarantine: &Path,
) -> Result<Examined, Error> {
    let mut file = incoming.open()?;
    let mut anew = None;
    let create = || {
        let (place, file) = QuarantinedFile::create(quarantine)?;
        anew = Some(place);
        Ok(file)
    };
    let recognised = recognise(&mut file, name, rules, create)?;
    match rules.bytes {
        Bytes::AsSent => Examined::unchanged(recognised, &file, incoming),
        Bytes::Reencoded => {
            let anew = anew.ok_or_else(|| io::Error::other("it was not re-encoded"))?;
            Examined::sealed(recognised.kind, recognised.charset, anew)
        }
    }
}

impl Examined {
    /// The file as it arrived, which was hashed as it was written.
    fn unchanged(recognised: Recognised, file: &File, incoming: Incoming) -> Result<Self, Error> {
        let Recognised { kind, charset } = recognised;
        if FileMark::of(file)? != incoming.mark() {
            return Self::sealed(kind, charset, incoming.into_file());
        }
        let (sha256, size) = (incoming.sha256(), incoming.size());
        QuarantinedFile::seal(file)?;
        Ok(Self {
            kind,
            charset,
            sha256,
            size,
            source: incoming.into_file(),
        })
    }

    /// A file of this kind, all of it on the disk from here on.
    ///
    /// # Errors
    /// The file cannot be read, or the disk refuses.
    pub(super) fn sealed(
        kind: FileKind,
        charset: Option<Charset>,
        source: QuarantinedFile,
    ) -> Result<Self, Error> {
        let mut file = source.open()?;
        let (sha256, size) = digest(&mut file)?;
        QuarantinedFile::seal(&file)?;
        Ok(Self {
            kind,
            charset,
            sha256,
            size,
            source,
        })
    }

    /// Opens the bytes that will be stored.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn open(&self) -> io::Result<File> {
        self.source.open()
    }

    /// Moves the file to its path among the stored files, in one step.
    ///
    /// # Errors
    /// The file could not be moved.
    pub(crate) fn move_to(self, path: &Path) -> io::Result<()> {
        self.source.promote(path)
    }
}

fn digest(file: &mut File) -> io::Result<([u8; 32], u64)> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        context.update(bytes);
        size += read as u64;
    }
    let digest = context.finish();
    let sha256 = digest
        .as_ref()
        .try_into()
        .map_err(|_| io::Error::other("a SHA-256 of another length"))?;
    Ok((sha256, size))
}
