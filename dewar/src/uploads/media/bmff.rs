//! The boxes of MP4, M4A, `QuickTime`, HEIC and AVIF (ISO/IEC 14496-12).

use std::io::{Read, Seek};

use super::super::kind::FileKind;
use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

/// The most boxes of a file: a fragmented film of a day has fewer.
const MAX_BOXES: u32 = 200_000;

/// The most places of a track's media: most films have one.
const MAX_PLACES: u32 = 1_000;

/// How deep boxes may nest. An honest film has eight levels.
const DEEPEST: u8 = 16;

/// Boxes that readers follow to the boxes in them.
const HOLDERS: [&[u8; 4]; 25] = [
    b"clip", b"dinf", b"edts", b"gmhd", b"grpl", b"ilst", b"ipco", b"iprp", b"matt", b"mdia",
    b"meta", b"mfra", b"minf", b"moof", b"moov", b"mvex", b"rinf", b"schi", b"sinf", b"stbl",
    b"tapt", b"traf", b"trak", b"udta", b"wave",
];

const HEIF: [&[u8; 4]; 8] = [
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
];
const AVIF: [&[u8; 4]; 2] = [b"avif", b"avis"];
const AUDIO: [&[u8; 4]; 3] = [b"M4A ", b"M4B ", b"M4P "];
const FILM: [&[u8; 4]; 12] = [
    b"isom", b"mp41", b"mp42", b"mp71", b"avc1", b"dash", b"MSNV", b"M4V ", b"M4VH", b"M4VP",
    b"f4v ", b"XAVC",
];

/// The kind of the brands in the first box.
pub(super) fn kind_of(head: &[u8], claimed: FileKind) -> Option<FileKind> {
    let (first, _) = head.split_at_checked(8)?;
    let length = u32::from_be_bytes(*first.first_chunk()?);
    let length = usize::try_from(length).ok()?.clamp(16, 4 * 1024);
    let brands = head.get(8..length.min(head.len()))?;
    // The second field is a version.
    let mut brands = brands
        .as_chunks()
        .0
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != 1);
    let brands: Vec<[u8; 4]> = brands.by_ref().map(|(_, brand)| *brand).collect();
    let has = |known: &[&[u8; 4]]| brands.iter().any(|brand| known.contains(&brand));
    let is_numbered = |brand: &[u8; 4]| {
        matches!(
            brand,
            [b'i', b's', b'o', _] | [b'3', b'g', b'p' | b'2', _] | [b'3', b'g', _, _]
        )
    };
    let is_photograph = has(&AVIF) || has(&HEIF);
    // The brands of a sequence of photographs name films as well.
    let is_film = !is_photograph && (has(&FILM) || brands.iter().any(is_numbered));
    let fits: &[(FileKind, bool)] = &[
        (FileKind::Avif, has(&AVIF)),
        (FileKind::Heic, has(&HEIF) && !has(&AVIF)),
        (FileKind::Mov, has(&[b"qt  "])),
        (
            FileKind::M4a,
            has(&AUDIO) || (is_film && claimed == FileKind::M4a),
        ),
        (FileKind::Mp4, is_film || has(&AUDIO)),
    ];
    let mut fitting = fits.iter().filter(|(_, fits)| *fits).map(|(kind, _)| *kind);
    let first = fitting.next()?;
    Some(if first == claimed || fitting.any(|kind| kind == claimed) {
        claimed
    } else {
        first
    })
}

/// Whether the type of the first box is one with which old `QuickTime` films begin.
pub(super) fn begins_as_quicktime(kind: &[u8]) -> bool {
    [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"]
        .iter()
        .any(|known| kind.starts_with(*known))
}

/// # Errors
/// A size lies, something follows the last box, or the film loads something from elsewhere.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    let mut seen = Seen::default();
    boxes(walk, walk.end, 0, &mut seen)?;
    let is_photograph = matches!(walk.kind, FileKind::Avif | FileKind::Heic);
    let is_whole = seen.film || (is_photograph && seen.meta);
    if is_whole {
        Ok(())
    } else {
        Err(walk.damaged())
    }
}

#[derive(Debug, Default)]
struct Seen {
    boxes: u32,
    film: bool,
    meta: bool,
}

fn boxes<F: Read + Seek>(
    walk: &mut Walk<'_, F>,
    end: u64,
    depth: u8,
    seen: &mut Seen,
) -> Result<(), RecognitionError> {
    while walk.at < end {
        seen.boxes += 1;
        if seen.boxes > MAX_BOXES {
            return Err(walk.damaged());
        }
        // QuickTime ends a list of boxes with four NULs.
        if depth > 0 && end - walk.at == 4 {
            return if walk.bytes()? == [0; 4] {
                Ok(())
            } else {
                Err(walk.damaged())
            };
        }
        let start = walk.at;
        let (kind, stop) = match header(walk, end, depth) {
            Ok(header) => header,
            // Behind whole boxes of the file itself stands something that is none.
            Err(RecognitionError::Refused(_))
                if depth == 0 && start > walk.start && !is_cut(walk, start)? =>
            {
                return Err(UploadRejection::TrailingData.into());
            }
            Err(error) => return Err(error),
        };
        match &kind {
            b"moov" | b"moof" if depth == 0 => {
                seen.film = true;
                boxes(walk, stop, depth + 1, seen)?;
            }
            // A film is in no other box. Readers follow one that is, as deep as it goes.
            b"moov" | b"moof" => return Err(walk.damaged()),
            b"trak" | b"mdia" | b"minf" | b"dinf" | b"traf" | b"mvex" | b"edts" if depth < 8 => {
                boxes(walk, stop, depth + 1, seen)?;
            }
            b"meta" if depth == 0 => {
                let _version: [u8; 4] = walk.bytes()?;
                boxes(walk, stop, depth + 1, seen)?;
            }
            b"trak" | b"mdia" | b"minf" | b"dinf" | b"traf" | b"mvex" | b"edts" => {
                return Err(walk.damaged());
            }
            b"iinf" => {
                seen.meta = true;
                items(walk, stop)?;
            }
            b"dref" => references(walk)?,
            // A list of other films, and a film whose boxes are compressed, so nobody sees where its media is.
            b"rmra" | b"cmov" => return Err(UploadRejection::External.into()),
            holder if HOLDERS.contains(&holder) => nested(walk, stop, depth + 1, seen)?,
            _ => {}
        }
        if walk.at > stop {
            return Err(walk.damaged());
        }
        walk.skip(stop - walk.at)?;
    }
    Ok(())
}

/// Follows boxes of other kinds only to see how deep they nest: a reader that follows them by recursion would run out of its stack
/// (CWE-674). What is no box among them ends the list, as in the texts of old cameras.
fn nested<F: Read + Seek>(
    walk: &mut Walk<'_, F>,
    stop: u64,
    depth: u8,
    seen: &mut Seen,
) -> Result<(), RecognitionError> {
    if depth > DEEPEST {
        return Err(walk.damaged());
    }
    let first = walk.at;
    while stop.saturating_sub(walk.at) >= 8 {
        seen.boxes += 1;
        if seen.boxes > MAX_BOXES {
            return Err(walk.damaged());
        }
        let start = walk.at;
        let size = walk.u32()?;
        // The version of a `meta` stands before its boxes.
        if size == 0 && start == first {
            continue;
        }
        let kind: [u8; 4] = walk.bytes()?;
        let length = match size {
            1 if stop - walk.at >= 8 => u64::from_be_bytes(walk.bytes()?),
            size => size.into(),
        };
        let end = start.checked_add(length);
        let Some(end) = end.filter(|end| *end <= stop && *end >= walk.at) else {
            break;
        };
        if HOLDERS.contains(&&kind) {
            nested(walk, end, depth + 1, seen)?;
        }
        walk.go(end)?;
    }
    walk.go(stop)
}

/// Whether a box begins here whose end is missing, rather than something else behind the last box.
fn is_cut<F: Read + Seek>(walk: &mut Walk<'_, F>, start: u64) -> Result<bool, RecognitionError> {
    const TOP: [&[u8; 4]; 14] = [
        b"mdat", b"moov", b"moof", b"mfra", b"free", b"skip", b"wide", b"udta", b"uuid", b"meta",
        b"sidx", b"styp", b"emsg", b"idat",
    ];
    walk.go(start)?;
    let head = walk.vec(walk.left().min(8))?;
    Ok(head
        .get(4..)
        .is_none_or(|kind| TOP.iter().any(|top| top.starts_with(kind))))
}

/// The type of a box and its end.
fn header<F: Read + Seek>(
    walk: &mut Walk<'_, F>,
    end: u64,
    depth: u8,
) -> Result<([u8; 4], u64), RecognitionError> {
    let start = walk.at;
    let size = walk.u32()?;
    let kind: [u8; 4] = walk.bytes()?;
    let length = match size {
        // The last box of a file may go on to its end.
        0 if depth == 0 => end - start,
        1 => u64::from_be_bytes(walk.bytes()?),
        size => size.into(),
    };
    let stop = start
        .checked_add(length)
        .filter(|stop| *stop <= end && *stop >= walk.at);
    let is_type = kind
        .iter()
        .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | 0xa9));
    match stop {
        Some(stop) if is_type => Ok((kind, stop)),
        Some(_) | None => Err(walk.damaged()),
    }
}

/// The items of a photograph, each of which takes twelve bytes at least.
fn items<F: Read + Seek>(walk: &mut Walk<'_, F>, stop: u64) -> Result<(), RecognitionError> {
    let [version, ..]: [u8; 4] = walk.bytes()?;
    let number = if version == 0 {
        u32::from(u16::from_be_bytes(walk.bytes()?))
    } else {
        walk.u32()?
    };
    if number == 0 || u64::from(number) * 12 > stop.saturating_sub(walk.at) {
        return Err(walk.damaged());
    }
    Ok(())
}

/// Where the media is: only in this file. A player fetches another address by itself.
fn references<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    let _version: [u8; 4] = walk.bytes()?;
    let number = walk.u32()?;
    if number > MAX_PLACES {
        return Err(walk.damaged());
    }
    for _ in 0..number {
        let start = walk.at;
        let size = u64::from(walk.u32()?);
        let [_, _, _, _, _, _, _, flags]: [u8; 8] = walk.bytes()?;
        if flags & 1 == 0 {
            return Err(UploadRejection::External.into());
        }
        if size < 12 {
            return Err(walk.damaged());
        }
        walk.go(start.saturating_add(size))?;
    }
    Ok(())
}
