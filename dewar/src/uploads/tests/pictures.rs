//! PNG, JPEG and WebP.

use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgba};

use super::made::{chunk, document, docx, encoded, jpeg_with_exif, picture, two_halves};
use crate::uploads::FileKind;

const FORMATS: [(ImageFormat, &str, FileKind); 3] = [
    (ImageFormat::Png, "a.png", FileKind::Png),
    (ImageFormat::Jpeg, "a.jpeg", FileKind::Jpeg),
    (ImageFormat::WebP, "a.webp", FileKind::Webp),
];

#[test]
fn whole_pictures_are_taken() {
    for (format, name, kind) in FORMATS {
        let bytes = encoded(&two_halves(), format);
        assert_eq!(document(&bytes, name), Ok(kind));
        let anew = picture(&bytes, name).unwrap();
        let read = image::load_from_memory_with_format(&anew, format).unwrap();
        assert_eq!(read.dimensions(), (40, 20));
    }
}

#[test]
fn a_picture_loses_its_metadata_and_stands_upright() {
    let sent = jpeg_with_exif();
    let anew = picture(&sent, "a.jpg").unwrap();
    for secret in [b"Exif".as_slice(), b"GPS"] {
        assert!(sent.windows(secret.len()).any(|window| window == secret));
        assert!(!anew.windows(secret.len()).any(|window| window == secret));
    }
    let read = image::load_from_memory(&anew).unwrap();
    assert_eq!(read.dimensions(), (20, 40));
    let Rgba([red, ..]) = read.get_pixel(10, 5);
    assert!(red > 200, "the left half is up");
}

#[test]
fn a_document_keeps_its_metadata_but_hides_nothing_behind_its_end() {
    assert_eq!(document(&jpeg_with_exif(), "a.jpg"), Ok(FileKind::Jpeg));
    for (format, name, _) in FORMATS {
        let bytes = encoded(&two_halves(), format);
        for tail in [
            docx(&[]),
            b"<script>alert(1)</script>".to_vec(),
            b"\0x".to_vec(),
        ] {
            let hidden = [bytes.as_slice(), &tail].concat();
            assert_eq!(document(&hidden, name), Err("trailing_data"), "{name}");
        }
    }
}

#[test]
fn what_hides_behind_a_picture_is_gone_when_it_is_written_anew() {
    for (format, name, _) in FORMATS {
        let hidden = [
            encoded(&two_halves(), format).as_slice(),
            b"<?php system('id'); ?>",
        ]
        .concat();
        if let Ok(anew) = picture(&hidden, name) {
            assert!(!anew.windows(5).any(|window| window == b"<?php"), "{name}");
        }
    }
}

#[test]
fn a_phones_second_picture_is_no_trailing_data() {
    let one = encoded(&two_halves(), ImageFormat::Jpeg);
    let two = [one.as_slice(), &[0, 0], &one].concat();
    assert_eq!(document(&two, "a.jpg"), Ok(FileKind::Jpeg));
    let and_more = [two.as_slice(), b"PK\x03\x04"].concat();
    assert_eq!(document(&and_more, "a.jpg"), Err("trailing_data"));
}

#[test]
fn half_a_picture_is_damaged() {
    for (format, name, _) in FORMATS {
        let bytes = encoded(&two_halves(), format);
        let half = &bytes[..bytes.len() - 12];
        assert_eq!(document(half, name), Err("damaged"), "{name}");
    }
}

#[test]
fn a_picture_has_to_be_called_what_it_is() {
    let png = encoded(&two_halves(), ImageFormat::Png);
    assert_eq!(document(&png, "a.jpg"), Err("extension_disagrees"));
    assert_eq!(picture(&png, "a.svg").map(drop), Err("active_extension"));
    assert_eq!(
        picture(super::made::PDF, "a.pdf").map(drop),
        Err("unknown_kind")
    );
}

/// A PNG of 30,000 x 30,000 pixels in a few bytes: the header only, because Dewar must read no more.
#[test]
fn a_decompression_bomb_is_refused_by_its_header() {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = 30_000_u32.to_be_bytes();
    let header = [side.as_slice(), &side, &[8, 2, 0, 0, 0]].concat();
    png.extend(chunk(b"IHDR", &header));
    png.extend(chunk(b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"));
    png.extend(chunk(b"IEND", b""));
    assert_eq!(picture(&png, "a.png").map(drop), Err("too_many_pixels"));
    assert_eq!(document(&png, "a.png"), Err("too_many_pixels"));
}

/// Memory counts as well as pixels: 16 bits with transparency take eight bytes a pixel.
///
/// ASVS: V5.2.6
#[test]
fn memory_is_bounded_where_the_pixels_are_within_theirs() {
    let header = |width: u32, height: u32, depth: u8, colour: u8| {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        png.extend(chunk(
            b"IHDR",
            &[sides, vec![depth, colour, 0, 0, 0]].concat(),
        ));
        png.extend([chunk(b"IDAT", b""), chunk(b"IEND", b"")].concat());
        document(&png, "a.png").map(drop)
    };
    // Within the limits the decoder looks for the pixels, and finds none.
    assert_eq!(header(8_160, 6_144, 16, 6), Err("damaged"));
    assert_eq!(header(9_999, 9_999, 8, 2), Err("damaged"));
    assert_eq!(header(9_999, 9_999, 16, 6), Err("too_many_pixels"));
    assert_eq!(header(10_001, 10_000, 8, 0), Err("too_many_pixels"));
    assert_eq!(header(90_000, 1_000, 8, 2), Err("damaged"));
    let jpeg = encoded(&DynamicImage::new_rgb8(8, 8), ImageFormat::Jpeg);
    let sof = jpeg
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .unwrap();
    let mut large = jpeg.clone();
    let side = 10_001_u16.to_be_bytes();
    large[sof + 5..sof + 9].copy_from_slice(&[side, side].concat());
    assert_eq!(document(&large, "a.jpg"), Err("too_many_pixels"));
    assert_eq!(picture(&large, "a.jpg").map(drop), Err("too_many_pixels"));
}

/// Compressed texts are read by nobody, whatever they unpack to.
///
/// ASVS: V5.2.3
#[test]
fn the_texts_of_a_png_are_not_unpacked() {
    let png = encoded(&two_halves(), ImageFormat::Png);
    let mut bomb =
        flate2::write::ZlibEncoder::new(b"Comment\0\0".to_vec(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![0; 64 * 1024 * 1024]).unwrap();
    let text = chunk(b"zTXt", &bomb.finish().unwrap());
    let with = super::made::png_with(&png, &[text]);
    assert_eq!(document(&with, "a.png"), Err("bomb"));
    assert!(
        !picture(&with, "a.png")
            .unwrap()
            .windows(4)
            .any(|kind| kind == b"zTXt")
    );
}

/// A grey progressive JPEG with this many scans: one of brightness, the others empty. Only a small one is complete.
fn progressive(side: u16, scans: usize) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), data].concat()
    };
    // One code of one bit, `0`, for "no difference" and for "end of block".
    let table = |class: u8| {
        let mut table = vec![class, 1];
        table.extend_from_slice(&[0; 15]);
        table.push(0);
        segment(0xc4, &table)
    };
    let [high, low] = side.to_be_bytes();
    let mut jpeg = b"\xff\xd8".to_vec();
    jpeg.extend(segment(0xdb, &[[0].as_slice(), &[1; 64]].concat()));
    jpeg.extend(segment(0xc2, &[8, high, low, high, low, 1, 1, 0x11, 0]));
    jpeg.extend([table(0x00), table(0x10)].concat());
    for scan in 0..scans {
        let (first, last) = if scan == 0 { (0, 0) } else { (1, 63) };
        jpeg.extend(segment(0xda, &[1, 1, 0, first, last, 0]));
        jpeg.push(0x7f);
    }
    jpeg.extend(b"\xff\xd9");
    jpeg
}

/// Each scan has a few bytes and goes over every pixel.
///
/// ASVS: V5.2.6
#[test]
fn a_jpeg_of_more_scans_than_a_picture_needs_is_refused_before_it_is_decoded() {
    for scans in [1, 10, 32] {
        let jpeg = progressive(8, scans);
        assert_eq!(document(&jpeg, "a.jpg"), Ok(FileKind::Jpeg), "{scans}");
        assert!(picture(&jpeg, "a.jpg").is_ok(), "{scans}");
    }
    for (side, scans) in [(8, 33), (8, 100), (8_000, 17)] {
        let jpeg = progressive(side, scans);
        for refused in [
            document(&jpeg, "a.jpg").map(drop),
            picture(&jpeg, "a.jpg").map(drop),
        ] {
            assert_eq!(refused, Err("too_many_scans"), "{side} {scans}");
        }
    }
    let large = progressive(65_535, 1);
    assert_eq!(document(&large, "a.jpg"), Err("too_many_pixels"));
    // A lenient decoder finds this one all the same: it stands behind bytes that are no marker.
    let mut hidden = progressive(8, 40);
    hidden.splice(2..2, *b"\xff\0\0\xff\x01");
    assert_eq!(picture(&hidden, "a.jpg").map(drop), Err("too_many_scans"));
}

/// A library reads more formats if another crate enables its features, and each format is a parser that strangers reach.
///
/// ASVS: V5.2.2
#[test]
fn the_library_of_pictures_reads_what_is_taken_and_nothing_else() {
    let read: Vec<ImageFormat> = ImageFormat::all()
        .filter(ImageFormat::reading_enabled)
        .collect();
    for format in &read {
        let is_taken = FORMATS.iter().any(|(known, _, _)| known == format);
        assert!(is_taken, "{format:?}");
    }
    assert_eq!(read.len(), FORMATS.len());
}
