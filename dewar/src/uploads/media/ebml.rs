//! The elements of Matroska and `WebM` (RFC 8794, RFC 9559).

use std::io::{Read, Seek};

use super::super::kind::FileKind;
use super::super::name::ends_as_a_program;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const VOID: u32 = 0xec;
const CRC: u32 = 0xbf;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const FILE_NAME: u32 = 0x466e;

/// `SeekHead`, `Info`, Tracks, Cluster, Cues, Attachments, Chapters, Tags.
const OF_SEGMENT: [u32; 8] = [
    0x114d_9b74,
    0x1549_a966,
    TRACKS,
    CLUSTER,
    0x1c53_bb6b,
    ATTACHMENTS,
    0x1043_a770,
    0x1254_c367,
];

/// The kind of the document type in the header.
pub(super) fn kind_of(head: &[u8], claimed: FileKind) -> Option<FileKind> {
    let at = head.windows(2).take(64).position(|id| id == [0x42, 0x82])?;
    let (length, text) = head.get(at + 2..)?.split_first()?;
    let text = text.get(..usize::from(length & 0x7f))?;
    match text.trim_ascii_end() {
        // Every WebM is a Matroska file.
        b"webm" if claimed == FileKind::Mkv => Some(FileKind::Mkv),
        b"webm" => Some(FileKind::Webm),
        b"matroska" => Some(FileKind::Mkv),
        _ => None,
    }
}

/// # Errors
/// A size lies, something follows the segment, or it carries a program.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    let (id, size) = element(walk)?;
    let Some(size) = size.filter(|size| id == EBML && *size <= 4 * 1024) else {
        return Err(walk.damaged());
    };
    walk.skip(size)?;
    let mut has_tracks = false;
    while walk.left() > 0 {
        let found = element(walk);
        if has_tracks && !matches!(&found, Ok((VOID | CRC | SEGMENT, _))) {
            return Err(UploadRejection::TrailingData.into());
        }
        match found? {
            (SEGMENT, size) if !has_tracks => {
                let end = size.map_or(Some(walk.end), |size| walk.at.checked_add(size));
                let end = end
                    .filter(|end| *end <= walk.end)
                    .ok_or_else(|| walk.damaged())?;
                has_tracks = segment(walk, end)?;
                if !has_tracks {
                    return Err(walk.damaged());
                }
            }
            (VOID | CRC, Some(size)) => walk.skip(size)?,
            _ => return Err(walk.damaged()),
        }
    }
    if has_tracks {
        Ok(())
    } else {
        Err(walk.damaged())
    }
}

/// Walks the elements of a segment, and returns whether it has tracks.
fn segment<F: Read + Seek>(walk: &mut Walk<'_, F>, end: u64) -> Result<bool, RecognitionError> {
    let mut has_tracks = false;
    let mut in_cluster = false;
    while walk.at < end {
        let (id, size) = element(walk)?;
        match (id, size) {
            // A recorder that is still running does not know how long a cluster will be.
            (CLUSTER, None) => in_cluster = true,
            (ATTACHMENTS, Some(size)) => {
                attachments(walk, size)?;
                in_cluster = false;
            }
            (id, Some(size)) if OF_SEGMENT.contains(&id) => {
                has_tracks |= id == TRACKS;
                in_cluster = false;
                walk.skip(size)?;
            }
            (VOID | CRC, Some(size)) => walk.skip(size)?,
            // Timestamp, position, size, blocks.
            (0xe7 | 0xa7 | 0xab | 0xa3 | 0xa0 | 0xaf | 0x5854, Some(size)) if in_cluster => {
                walk.skip(size)?
            }
            _ => return Err(walk.damaged()),
        }
    }
    if walk.at == end {
        Ok(has_tracks)
    } else {
        Err(walk.damaged())
    }
}

/// Fonts and covers; a program among them is refused.
fn attachments<F: Read + Seek>(walk: &mut Walk<'_, F>, size: u64) -> Result<(), RecognitionError> {
    let end = walk.at.saturating_add(size);
    while walk.at < end {
        match element(walk)? {
            (ATTACHED_FILE, Some(_)) => {}
            (FILE_NAME, Some(size)) => {
                let name = walk.vec(size)?;
                if ends_as_a_program(&String::from_utf8_lossy(&name)) {
                    return Err(UploadRejection::Active {
                        what: "an attached program",
                    }
                    .into());
                }
            }
            (_, Some(size)) => walk.skip(size)?,
            (_, None) => return Err(walk.damaged()),
        }
    }
    if walk.at == end {
        Ok(())
    } else {
        Err(walk.damaged())
    }
}

/// The id of an element and its size, which may be unknown.
fn element<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(u32, Option<u64>), RecognitionError> {
    let [first] = walk.bytes()?;
    let more = first.leading_zeros();
    if more > 3 {
        return Err(walk.damaged());
    }
    let mut id = u32::from(first);
    for _ in 0..more {
        let [next] = walk.bytes()?;
        id = (id << 8) | u32::from(next);
    }
    let [first] = walk.bytes()?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err(walk.damaged());
    }
    let mut size = u64::from(first) & (0x7f >> more);
    let mut is_unknown = size == 0x7f >> more;
    for _ in 0..more {
        let [next] = walk.bytes()?;
        is_unknown &= next == 0xff;
        size = (size << 8) | u64::from(next);
    }
    Ok((id, (!is_unknown).then_some(size)))
}
