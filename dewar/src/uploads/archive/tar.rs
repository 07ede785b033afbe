//! TAR archives: one header after the other, with long names and further facts in entries of their own.

use std::io::{self, Read};

use ::tar::{Archive, Entry, EntryType, PaxExtensions};

use super::look_at_name;
use super::path::{Node, Paths};
use crate::uploads::kind::FileKind;
use crate::uploads::nested::{self, Nesting};
use crate::uploads::recognise::RecognitionError;
use crate::uploads::rejection::UploadRejection;

pub(super) const BLOCK: usize = 512;

/// The most bytes of an entry that describes the next one.
const MAX_FACTS: u64 = 64 * 1024;

fn damaged() -> UploadRejection {
    UploadRejection::Damaged {
        kind: FileKind::Tar,
    }
}

/// Whether the first block is the header of an archive: its checksum is right.
pub(in crate::uploads) fn is_tar(block: &[u8]) -> bool {
    let Some(block) = block.first_chunk::<BLOCK>() else {
        return false;
    };
    let mut header = ::tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    block.first() != Some(&0) && header.cksum().is_ok_and(|found| found == sum)
}

/// Examines a TAR archive.
///
/// # Errors
/// See the module of archives.
pub(in crate::uploads) fn tar(
    file: &mut dyn Read,
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    let mut archive = Archive::new(file);
    let read = entries(&mut archive, nesting);
    let found = read.and_then(|()| padding(archive.into_inner()));
    match found {
        // Every error is the archive's fault: a disk that fails will fail again.
        Err(RecognitionError::Io(error)) if error.kind() != io::ErrorKind::FileTooLarge => {
            Err(damaged().into())
        }
        found => found,
    }
}

fn entries(
    archive: &mut Archive<&mut dyn Read>,
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    let mut paths = Paths::default();
    let mut is_empty = true;
    let mut long_name = None;
    // The library joins long names to their entries without a bound, so each entry is taken as it is.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        nesting.take_entries(1)?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are refused")]
        match entry.header().entry_type() {
            // One long name for each entry.
            EntryType::GNULongName if long_name.is_some() => return Err(damaged().into()),
            EntryType::GNULongName => long_name = Some(text(&facts(&mut entry)?)?),
            EntryType::XHeader => {
                long_name = path_of(&facts(&mut entry)?)?.or(long_name);
            }
            // Facts about all entries: the commit that git packed.
            EntryType::XGlobalHeader => {
                if path_of(&facts(&mut entry)?)?.is_some() {
                    return Err(damaged().into());
                }
            }
            EntryType::Regular => {
                is_empty = false;
                look_at_name(&name(&entry, long_name.take())?, Node::File, &mut paths)?;
                nested::look_at(&mut entry, nesting)?;
            }
            EntryType::Directory => {
                is_empty = false;
                look_at_name(&name(&entry, long_name.take())?, Node::Folder, &mut paths)?;
                if entry.size() != 0 {
                    return Err(damaged().into());
                }
            }
            // Links, devices, pipes, files with holes, and what only one program knows.
            _ => return Err(UploadRejection::ArchivePath.into()),
        }
    }
    if is_empty {
        return Err(damaged().into());
    }
    Ok(())
}

fn name(entry: &Entry<'_, impl Read>, long: Option<String>) -> Result<String, UploadRejection> {
    match long {
        Some(name) => Ok(name),
        None => text(&entry.path_bytes()),
    }
}

fn text(bytes: &[u8]) -> Result<String, UploadRejection> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| UploadRejection::ArchivePath)?;
    Ok(text.to_owned())
}

fn facts(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, RecognitionError> {
    let mut bytes = Vec::new();
    entry.take(MAX_FACTS + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FACTS {
        return Err(UploadRejection::Bomb.into());
    }
    Ok(bytes)
}

/// The path in the facts about the next entry. A size there, or a file with holes, would move all that follows for some
/// programs and not for others.
fn path_of(facts: &[u8]) -> Result<Option<String>, UploadRejection> {
    let mut path = None;
    for fact in PaxExtensions::new(facts) {
        let fact = fact.map_err(|_| damaged())?;
        match fact.key_bytes() {
            b"path" => path = Some(text(fact.value_bytes())?),
            b"size" => return Err(damaged()),
            b"linkpath" => return Err(UploadRejection::ArchivePath),
            key if key.starts_with(b"GNU.sparse") => return Err(UploadRejection::ArchivePath),
            _ => {}
        }
    }
    Ok(path)
}

/// Only zeros follow the end.
fn padding(file: &mut dyn Read) -> Result<(), RecognitionError> {
    let mut buffer = [0; BLOCK];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        if buffer.iter().take(read).any(|byte| *byte != 0) {
            return Err(UploadRejection::TrailingData.into());
        }
    }
}
