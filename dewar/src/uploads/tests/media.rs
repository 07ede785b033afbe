//! Audio, video, and photographs that are not decoded.

use super::made::{encoded, recognised, two_halves};
use crate::uploads::media::ogg_checksum;
use crate::uploads::policy::{AnyFile, Media, Photo};
use crate::uploads::{Document, FileKind};

fn sized(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [length.as_slice(), kind, &content].concat()
}

fn film(brand: &[u8; 4], reference: [u8; 4]) -> Vec<u8> {
    let url = sized(b"url ", &[&reference]);
    let dref = sized(b"dref", &[&[0; 4], &[0, 0, 0, 1], &url]);
    let track = sized(
        b"trak",
        &[&sized(
            b"mdia",
            &[&sized(b"minf", &[&sized(b"dinf", &[&dref])])],
        )],
    );
    [
        sized(b"ftyp", &[brand, &[0; 4], b"iso2"]),
        sized(b"moov", &[&sized(b"mvhd", &[&[0; 8]]), &track]),
        sized(b"mdat", &[b"frames"]),
    ]
    .concat()
}

const HERE: [u8; 4] = [0, 0, 0, 1];

fn mp3() -> Vec<u8> {
    // 128 kbit/s at 44.1 kHz: 417 bytes a frame.
    let frame = [&[0xff, 0xfb, 0x90, 0x00], [7; 413].as_slice()].concat();
    [b"ID3\x03\0\0\0\0\0\x04abcd".as_slice(), &frame.repeat(3)].concat()
}

fn ogg() -> Vec<u8> {
    let page = |kind: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        let mut page = [
            b"OggS\0",
            [kind].as_slice(),
            &[0; 20],
            &[1, length],
            content,
        ]
        .concat();
        let checksum = ogg_checksum(&page).to_le_bytes();
        page[22..26].copy_from_slice(&checksum);
        page
    };
    [page(2, b"OpusHead...."), page(4, b"sound")].concat()
}

fn wav() -> Vec<u8> {
    let chunks = [b"fmt \x04\0\0\0abcd".as_slice(), b"data\x03\0\0\0abc\0"].concat();
    let size = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &size, b"WAVE", &chunks].concat()
}

fn flac() -> Vec<u8> {
    [b"fLaC\x80\0\0\x22".as_slice(), &[1; 34], FLAC_FRAME].concat()
}

/// 192 samples of one value: header, checksum, a constant, checksum.
const FLAC_FRAME: &[u8] = b"\xff\xf8\x10\x02\0\0\0\x07\0\0";

fn webm(doctype: &[u8], more: &[u8]) -> Vec<u8> {
    let element = |id: &[u8], content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap();
        let [high, low] = length.to_be_bytes();
        [id, &[0x40 | high, low], content].concat()
    };
    let head = element(
        &[0x1a, 0x45, 0xdf, 0xa3],
        &[
            &[0x42, 0x82, 0x80 | u8::try_from(doctype.len()).unwrap()],
            doctype,
        ]
        .concat(),
    );
    let inside = [
        element(&[0x16, 0x54, 0xae, 0x6b], b"tracks"),
        element(&[0x1f, 0x43, 0xb6, 0x75], b"cluster"),
        more.to_vec(),
    ]
    .concat();
    [head, element(&[0x18, 0x53, 0x80, 0x67], &inside)].concat()
}

/// Two directories in either order of bytes, the second at the position `next`.
fn tiff(next: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for next in [26, next] {
        bytes.extend_from_slice(&[1, 0, 0, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
        bytes.extend_from_slice(&u32::to_le_bytes(next));
    }
    bytes
}

fn photograph(brand: &[u8; 4]) -> Vec<u8> {
    [
        sized(b"ftyp", &[b"mif1", &[0; 4], brand, b"mif1"]),
        sized(
            b"meta",
            &[
                &[0; 4],
                &sized(b"iinf", &[&[0; 4], &[0, 1], &sized(b"infe", &[&[0; 8]])]),
            ],
        ),
        sized(b"mdat", &[b"tiles"]),
    ]
    .concat()
}

fn of_media(bytes: &[u8], name: &str) -> Result<FileKind, &'static str> {
    recognised::<Media>(bytes, name).map(|(kind, _)| kind)
}

fn of_photo(bytes: &[u8], name: &str) -> Result<FileKind, &'static str> {
    recognised::<Photo>(bytes, name).map(|(kind, _)| kind)
}

fn all() -> Vec<(Vec<u8>, &'static str, FileKind)> {
    vec![
        (film(b"isom", HERE), "a.mp4", FileKind::Mp4),
        (film(b"M4V ", HERE), "a.m4v", FileKind::Mp4),
        (film(b"isom", HERE), "a.m4a", FileKind::M4a),
        (film(b"M4A ", HERE), "a.m4a", FileKind::M4a),
        (film(b"qt  ", HERE), "a.mov", FileKind::Mov),
        (film(b"qt  ", HERE)[20..].to_vec(), "a.qt", FileKind::Mov),
        (mp3(), "a.mp3", FileKind::Mp3),
        (ogg(), "a.opus", FileKind::Ogg),
        (wav(), "a.wav", FileKind::Wav),
        (flac(), "a.flac", FileKind::Flac),
        (webm(b"webm", &[]), "a.webm", FileKind::Webm),
        (webm(b"webm", &[]), "a.mkv", FileKind::Mkv),
        (webm(b"matroska", &[]), "a.mkv", FileKind::Mkv),
    ]
}

#[test]
fn every_kind_of_recording_is_taken_under_its_name() {
    for (bytes, name, kind) in all() {
        assert_eq!(of_media(&bytes, name), Ok(kind), "{name}");
        let other = if kind == FileKind::Mp3 {
            "a.wav"
        } else {
            "a.mp3"
        };
        let refused = of_media(&bytes, other);
        assert!(
            matches!(refused, Err("extension_disagrees" | "unknown_kind")),
            "{name} {refused:?}"
        );
    }
    for (bytes, name, kind) in [
        (photograph(b"heic"), "a.heic", FileKind::Heic),
        (photograph(b"heic"), "a.heif", FileKind::Heic),
        (photograph(b"avif"), "a.avif", FileKind::Avif),
        (tiff(0), "a.tif", FileKind::Tiff),
    ] {
        assert_eq!(of_photo(&bytes, name), Ok(kind), "{name}");
        assert_eq!(
            recognised::<Document>(&bytes, name).map(|(kind, _)| kind),
            Ok(kind)
        );
    }
    assert_eq!(
        of_media(&webm(b"matroska", &[]), "a.webm"),
        Err("extension_disagrees")
    );
    assert_eq!(
        of_photo(&photograph(b"avif"), "a.heic"),
        Err("extension_disagrees")
    );
    assert_eq!(of_media(&photograph(b"heic"), "a.mp4"), Err("unknown_kind"));
}

/// ASVS: V5.2.2
#[test]
fn what_follows_the_end_of_a_recording_is_refused() {
    for (bytes, name, kind) in all() {
        // The frames of FLAC have no lengths.
        if kind == FileKind::Flac {
            continue;
        }
        let hidden = [bytes.as_slice(), b"<script>alert(1)</script>"].concat();
        assert_eq!(of_media(&hidden, name), Err("trailing_data"), "{name}");
    }
}

#[test]
fn half_a_recording_and_sizes_that_lie_are_damaged() {
    for (bytes, name, kind) in all() {
        // The last frame of an MP3 may be cut.
        if matches!(kind, FileKind::Mp3 | FileKind::Flac) {
            continue;
        }
        let half = &bytes[..bytes.len() - 3];
        assert_eq!(of_media(half, name), Err("damaged"), "{name}");
    }
    assert_eq!(of_media(&flac()[..30], "a.flac"), Err("damaged"));
    assert_eq!(
        of_media(b"ID3\x03\0\0\0\0\0\x04abcdno frame", "a.mp3"),
        Err("damaged")
    );
    let no_film = sized(b"ftyp", &[b"isom", &[0; 4]]);
    assert_eq!(of_media(&no_film, "a.mp4"), Err("damaged"));
    let long = [
        sized(b"ftyp", &[b"isom", &[0; 4]]),
        sized(b"moov", &[&sized(b"trak", &[b"\0\0\xff\xff"]), b"mdia"]),
    ]
    .concat();
    assert_eq!(of_media(&long, "a.mp4"), Err("damaged"));
}

/// A player fetches the media of another address by itself.
///
/// ASVS: V5.2.2
#[test]
fn a_film_whose_media_is_elsewhere_is_refused() {
    assert_eq!(of_media(&film(b"qt  ", [0; 4]), "a.mov"), Err("external"));
    assert_eq!(of_media(&film(b"isom", [0; 4]), "a.mp4"), Err("external"));
    for inside in [b"rmra", b"cmov"] {
        let list = sized(b"moov", &[&sized(inside, &[b"rmda"])]);
        assert_eq!(of_media(&list, "a.mov"), Err("external"));
    }
    let places = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let urls = sized(b"url ", &[&HERE]).repeat(usize::from(number));
        let dref = sized(b"dref", &[&[0; 4], &[0, 0, high, low], &urls]);
        let inside = sized(b"mdia", &[&sized(b"minf", &[&sized(b"dinf", &[&dref])])]);
        sized(b"moov", &[&sized(b"trak", &[&inside])])
    };
    assert_eq!(of_media(&places(1_000), "a.mov"), Ok(FileKind::Mov));
    assert_eq!(of_media(&places(1_001), "a.mov"), Err("damaged"));
}

/// A reader that follows them by recursion would run out of its stack (CWE-674).
///
/// ASVS: V5.2.2
#[test]
fn boxes_that_nest_deeper_than_in_any_film_are_refused() {
    let whole = film(b"isom", HERE);
    let with = |levels: usize, around: &dyn Fn(&[u8]) -> Vec<u8>| {
        let inside = (0..levels).fold(Vec::new(), |inside, _| around(&inside));
        of_media(
            &[whole.as_slice(), &sized(b"udta", &[&inside])].concat(),
            "a.mp4",
        )
    };
    for kind in [b"udta", b"iprp", b"ilst", b"trak"] {
        let around = |inside: &[u8]| sized(kind, &[inside]);
        assert_eq!(with(8, &around), Ok(FileKind::Mp4));
        for levels in [20, 2_000] {
            assert_eq!(with(levels, &around), Err("damaged"), "{levels}");
        }
    }
    // Its version stands before its boxes.
    let meta = |inside: &[u8]| sized(b"meta", &[&[0; 4], inside]);
    assert_eq!(with(8, &meta), Ok(FileKind::Mp4));
    assert_eq!(with(2_000, &meta), Err("damaged"));
    let wide = |inside: &[u8]| {
        let length = (inside.len() as u64 + 16).to_be_bytes();
        [b"\0\0\0\x01udta".as_slice(), &length, inside].concat()
    };
    assert_eq!(with(2_000, &wide), Err("damaged"));
    // The texts of old cameras are no boxes, and end the list.
    let texts = |_: &[u8]| b"\x7f\xff\xff\xffnot a box\0\0\0".to_vec();
    assert_eq!(with(1, &texts), Ok(FileKind::Mp4));
}

#[test]
fn a_film_carries_no_program() {
    let attached = |name: &[u8]| {
        let file = [
            &[0x46, 0x6e, 0x80 | u8::try_from(name.len()).unwrap()],
            name,
        ]
        .concat();
        let file = [
            &[0x61, 0xa7, 0x80 | u8::try_from(file.len()).unwrap()],
            file.as_slice(),
        ]
        .concat();
        [
            &[
                0x19,
                0x41,
                0xa4,
                0x69,
                0x80 | u8::try_from(file.len()).unwrap(),
            ],
            file.as_slice(),
        ]
        .concat()
    };
    assert_eq!(
        of_media(&webm(b"matroska", &attached(b"font.ttf")), "a.mkv"),
        Ok(FileKind::Mkv)
    );
    assert_eq!(
        of_media(&webm(b"matroska", &attached(b"run.exe")), "a.mkv"),
        Err("active_content")
    );
}

#[test]
fn the_directories_of_a_tiff_go_in_no_circle_and_stay_inside() {
    assert_eq!(of_photo(&tiff(8), "a.tif"), Err("damaged"));
    assert_eq!(of_photo(&tiff(26), "a.tif"), Err("damaged"));
    assert_eq!(of_photo(&tiff(9_999), "a.tif"), Err("damaged"));
    let strips = |offset: u8| {
        let mut bytes = b"II*\0\x08\0\0\0\x03\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0".to_vec();
        bytes.extend_from_slice(&[0x11, 1, 4, 0, 1, 0, 0, 0, offset, 0, 0, 0]);
        bytes.extend_from_slice(&[0x17, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    };
    let length = u8::try_from(strips(0).len()).unwrap();
    assert_eq!(of_photo(&strips(length - 2), "a.tif"), Ok(FileKind::Tiff));
    assert_eq!(of_photo(&strips(length - 1), "a.tif"), Err("damaged"));
    let mut outside = tiff(0);
    outside[14] = 0xff;
    assert_eq!(of_photo(&outside, "a.tif"), Err("damaged"));
}

/// Programs write a strip for each row of each page.
#[test]
fn a_tiff_may_have_many_strips_and_not_any_number() {
    let strips = |count: u32| {
        let mut bytes = b"II*\0\x08\0\0\0\x03\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0".to_vec();
        for tag in [0x11, 0x17] {
            bytes.extend_from_slice(&[tag, 1, 4, 0]);
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(&50_u32.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        // Positions and lengths at once.
        let numbers = usize::try_from(count).unwrap();
        bytes.extend_from_slice(&4_u32.to_le_bytes().repeat(numbers));
        bytes
    };
    assert_eq!(of_photo(&strips(70_160), "a.tif"), Ok(FileKind::Tiff));
    assert_eq!(of_photo(&strips(4_000_001), "a.tif"), Err("damaged"));
}

/// MP3 players write these behind the last frame.
#[test]
fn the_tags_of_mp3_are_no_trailing_data() {
    let id3v1 = [b"TAG".as_slice(), &[0; 125]].concat();
    let ape = [
        b"APETAGEX\xd0\x07\0\0\x23\0\0\0\x01\0\0\0\0\0\0\xa0".as_slice(),
        &[0; 8],
        b"one",
        b"APETAGEX\xd0\x07\0\0\x23\0\0\0\x01\0\0\0\0\0\0\x80",
        &[0; 8],
    ]
    .concat();
    let lyrics = b"LYRICSBEGINla la000021LYRICS200".to_vec();
    for tags in [
        vec![id3v1.clone()],
        vec![ape.clone(), id3v1.clone()],
        vec![lyrics, id3v1],
        vec![vec![0; 40]],
    ] {
        let tagged = [mp3(), tags.concat()].concat();
        assert_eq!(of_media(&tagged, "a.mp3"), Ok(FileKind::Mp3));
    }
    assert_eq!(
        of_media(&[mp3(), b"TAG".to_vec(), vec![0; 60]].concat(), "a.mp3"),
        Err("trailing_data")
    );
}

#[test]
fn a_motion_photo_has_its_film_and_samsung_its_list() {
    let jpeg = encoded(&two_halves(), image::ImageFormat::Jpeg);
    let block = |name: &[u8], data: &[u8]| {
        let length = u32::try_from(name.len()).unwrap().to_le_bytes();
        [[0, 0, 1, 10].as_slice(), &length, name, data].concat()
    };
    let list = |blocks: &[Vec<u8>]| {
        let mut table = [
            b"SEFH\x6b\0\0\0".as_slice(),
            &u32::try_from(blocks.len()).unwrap().to_le_bytes(),
        ]
        .concat();
        for number in 0..blocks.len() {
            let back = u32::try_from(blocks[number..].concat().len()).unwrap();
            let size = u32::try_from(blocks[number].len()).unwrap();
            table.extend([[0, 0, 1, 10], back.to_le_bytes(), size.to_le_bytes()].concat());
        }
        let length = u32::try_from(table.len()).unwrap().to_le_bytes();
        [blocks.concat(), table, length.to_vec(), b"SEFT".to_vec()].concat()
    };
    let time = block(b"Image_UTC_Data", b"1778320800000");
    let film = film(b"mp42", HERE);
    for (tail, expected) in [
        (b"\r\n".to_vec(), Ok(FileKind::Jpeg)),
        (film.clone(), Ok(FileKind::Jpeg)),
        (
            [b"\0\0\0".to_vec(), film.clone()].concat(),
            Ok(FileKind::Jpeg),
        ),
        (list(std::slice::from_ref(&time)), Ok(FileKind::Jpeg)),
        (
            list(&[time.clone(), block(b"MotionPhoto_Data", &film)]),
            Ok(FileKind::Jpeg),
        ),
        ([film.clone(), b"x".to_vec()].concat(), Err("trailing_data")),
        (film[..film.len() - 3].to_vec(), Err("trailing_data")),
        (
            list(&[block(b"MotionPhoto_Data", b"no film")]),
            Err("trailing_data"),
        ),
        (
            list(&[block(b"Image_UTC_Data", b"<script>")]),
            Err("trailing_data"),
        ),
        (
            [b"<script>".to_vec(), list(&[time])].concat(),
            Err("trailing_data"),
        ),
        (b"\n<script>".to_vec(), Err("trailing_data")),
    ] {
        let photograph = [jpeg.clone(), tail.clone()].concat();
        let found = of_photo(&photograph, "a.jpg");
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&tail));
        let anew = super::made::picture(&photograph, "a.jpg").unwrap();
        assert!(
            !anew
                .windows(4)
                .any(|mark| mark == b"ftyp" || mark == b"SEFT")
        );
    }
}

#[test]
fn any_file_is_examined_as_what_it_is() {
    let any = |bytes: &[u8], name: &str| recognised::<AnyFile>(bytes, name).map(|(kind, _)| kind);
    for (bytes, name, kind) in all() {
        assert_eq!(any(&bytes, name), Ok(kind), "{name}");
        if !matches!(name, "a.qt" | "a.m4a") {
            assert!(any(&bytes, "a.data").is_ok(), "{name}");
        }
    }
    assert_eq!(any(b"key: value\n", "a.yaml"), Ok(FileKind::Other));
    assert_eq!(any(&[0, 1, 2, 0xff], "a.data"), Ok(FileKind::Other));
    assert_eq!(any(b"\x7fELF\x02\x01", "a.data"), Err("active_content"));
    assert_eq!(any(b"<html><script>", "a.data"), Err("page"));
    assert_eq!(any(b"#!/bin/sh\n", "a.data"), Err("page"));
    assert_eq!(any(b"", "a.data"), Err("empty"));
    assert_eq!(any(b"key: value\n", "a.exe"), Err("active_extension"));
    assert_eq!(any(b"no picture", "a.jpg"), Err("unknown_kind"));
    // A picture under any name is a sound picture.
    let jpeg = encoded(&two_halves(), image::ImageFormat::Jpeg);
    assert_eq!(any(&jpeg, "a.data"), Ok(FileKind::Jpeg));
    assert_eq!(
        any(&[jpeg.as_slice(), b"PK\x03\x04"].concat(), "a.data"),
        Err("trailing_data")
    );
}
