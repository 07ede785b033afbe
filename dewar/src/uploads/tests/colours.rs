//! The colours of re-encoded pictures, compared with those of `ImageMagick` and `LittleCMS`.

use image::{GenericImageView as _, ImageFormat};

use super::made::{chunk, encoded, picture, png_with, two_halves};

/// Each fixture has six fields of 8 x 8 pixels. The values are those of `convert FILE -profile sRGB.icc -depth 8 txt:-`.
#[expect(clippy::type_complexity, reason = "a table")]
const FIELDS: [(&str, &[u8], [[u8; 3]; 6]); 6] = [
    (
        "a.png",
        include_bytes!("colours/adobe-rgb.png"),
        [
            [233, 23, 58],
            [0, 181, 0],
            [0, 57, 224],
            [129, 129, 129],
            [253, 240, 0],
            [2, 3, 5],
        ],
    ),
    (
        "a.jpg",
        include_bytes!("colours/display-p3.jpg"),
        [
            [218, 0, 53],
            [0, 183, 0],
            [17, 60, 228],
            [128, 128, 128],
            [253, 239, 0],
            [10, 12, 14],
        ],
    ),
    (
        "a.jpg",
        include_bytes!("colours/cmyk-fogra39.jpg"),
        [
            [189, 60, 70],
            [68, 159, 89],
            [57, 80, 147],
            [127, 127, 128],
            [217, 198, 89],
            [60, 61, 63],
        ],
    ),
    (
        "a.png",
        include_bytes!("colours/grey-sgray.png"),
        [[85; 3], [152; 3], [82; 3], [146; 3], [230; 3], [11; 3]],
    ),
    (
        "a.png",
        include_bytes!("colours/grey-ps-16-bit.png"),
        [[141; 3], [192; 3], [138; 3], [187; 3], [241; 3], [58; 3]],
    ),
    (
        "a.png",
        include_bytes!("colours/prophoto-16-bit.png"),
        [
            [255, 0, 78],
            [0, 211, 0],
            [0, 81, 240],
            [146, 146, 146],
            [255, 241, 0],
            [4, 13, 16],
        ],
    ),
];

fn colour_at(bytes: &[u8], x: u32, y: u32) -> [u8; 3] {
    let picture = image::load_from_memory(bytes).unwrap();
    let [red, green, blue, _] = picture.get_pixel(x, y).0;
    [red, green, blue]
}

fn is_near(found: [u8; 3], expected: [u8; 3]) -> bool {
    found
        .iter()
        .zip(expected)
        .all(|(found, expected)| found.abs_diff(expected) <= 2)
}

#[test]
fn a_picture_with_a_profile_keeps_its_colours() {
    for (name, bytes, fields) in FIELDS {
        let anew = picture(bytes, name).unwrap();
        for (number, expected) in (0..).zip(fields) {
            let found = colour_at(&anew, number * 8 + 4, 4);
            assert!(
                is_near(found, expected),
                "{name} {number}: {found:?}, not {expected:?}"
            );
        }
        let has_profile = anew
            .windows(4)
            .any(|mark| mark == b"ICC_" || mark == b"iCCP");
        assert!(!has_profile, "{name}");
    }
}

/// Dewar once dropped the profile, and the colours changed by 41 of 255.
#[test]
fn a_jpeg_of_adobe_rgb_keeps_its_green() {
    let anew = picture(include_bytes!("colours/adobe-rgb.jpg"), "a.jpg").unwrap();
    assert!(is_near(colour_at(&anew, 30, 20), [0, 220, 0]));
}

/// 128 with a gamma of 1 is half of the light, and half of the light is 188 in sRGB.
#[test]
fn a_png_without_a_profile_follows_its_code_points_or_its_gamma() {
    let grey = |chunks: &[Vec<u8>]| {
        let mut image = image::RgbImage::new(2, 2);
        image.fill(128);
        let png = encoded(&image.into(), ImageFormat::Png);
        colour_at(&picture(&png_with(&png, chunks), "a.png").unwrap(), 0, 0)
    };
    let gamma = |gamma: u32| chunk(b"gAMA", &gamma.to_be_bytes());
    let points = |primaries, transfer| chunk(b"cICP", &[primaries, transfer, 0, 1]);
    let srgb = chunk(b"sRGB", &[0]);
    for (chunks, expected) in [
        (vec![], 128),
        (vec![gamma(100_000)], 188),
        (vec![gamma(45_455)], 128),
        (vec![gamma(0)], 128),
        (vec![gamma(u32::MAX)], 128),
        (vec![srgb.clone(), gamma(100_000)], 128),
        // Code points come first: linear light, sRGB, and light of high range, which counts as absent.
        (vec![points(1, 8)], 188),
        (vec![points(1, 13), gamma(100_000)], 128),
        (vec![points(9, 16), srgb], 128),
        (vec![points(0, 0), gamma(100_000)], 188),
    ] {
        let found = grey(&chunks);
        assert!(is_near(found, [expected; 3]), "{chunks:?}: {found:?}");
    }
    let mut image = image::RgbImage::new(1, 1);
    image.copy_from_slice(&[200, 30, 60]);
    let png = encoded(&image.into(), ImageFormat::Png);
    let p3 = picture(&png_with(&png, &[points(12, 13)]), "a.png").unwrap();
    assert!(
        is_near(colour_at(&p3, 0, 0), [218, 0, 53]),
        "{:?}",
        colour_at(&p3, 0, 0)
    );
}

#[test]
fn a_broken_or_huge_profile_is_ignored() {
    let png = encoded(&two_halves(), ImageFormat::Png);
    let compressed = |bytes: &[u8]| {
        use std::io::Write as _;
        let mut out =
            flate2::write::ZlibEncoder::new(b"p\0\0".to_vec(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let bomb = compressed(&vec![0; 64 * 1024 * 1024]);
    let broken = compressed(b"no profile");
    let real = include_bytes!("colours/grey-sgray.png");
    let at = real.windows(4).position(|name| name == b"iCCP").unwrap();
    let length = u32::from_be_bytes(real[at - 4..at].try_into().unwrap()) as usize;
    let of_grey = &real[at + 4..at + 4 + length];
    for profile in [&bomb, &broken, of_grey, b"p\0\0".as_slice()] {
        let anew = picture(&png_with(&png, &[chunk(b"iCCP", profile)]), "a.png").unwrap();
        assert_eq!(colour_at(&anew, 5, 5), [250, 0, 0]);
        assert_eq!(colour_at(&anew, 35, 5), [0, 0, 250]);
    }
}
